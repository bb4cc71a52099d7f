#include "cli/cli.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/similar.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/report.h"
#include "os/interrupt.h"

namespace wafers::cli {
namespace {

/// A standard stream that the caller closed is taken by the first file that is opened otherwise: a
/// record, an object of the repository; and what is printed ends in it. Opened the wrong way round,
/// its own use still fails as that of a closed one does, and a command that we become finds it
/// closed.
void occupy_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    const int flags = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    // The lowest free descriptor (open(2)), which is this one.
    std::ignore = ::open("/dev/null", flags | O_CLOEXEC);
  }
}

/// Where wafers is setuid, setgid or has file capabilities (getauxval(3)), its caller's environment
/// would say what is done with rights that the caller hasn't got.
void refuse_more_privileges() {
  if (::getauxval(AT_SECURE) == 0) return;
  throw Error(ErrorKind::refused,
              "wafers must not run with more privileges than its caller has, as a program that is "
              "setuid, setgid or has file capabilities does",
              "take these from the installed programs: chmod ug-s, setcap -r");
}

/// Writing into a closed pipe, or a file beyond RLIMIT_FSIZE, is to fail and not to kill us in the
/// middle of something. A handler, unlike SIG_IGN, is not inherited by the programs that we start.
void survive_failed_writes() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGPIPE, &action, nullptr);
  struct sigaction previous {};
  ::sigaction(SIGXFSZ, nullptr, &previous);
  // Who ignores it, as Python does, has his commands ignore it too.
  if (previous.sa_handler == SIG_DFL) ::sigaction(SIGXFSZ, &action, nullptr);
}

/// Where SIGCHLD is ignored, as some launchers leave it, the kernel takes our children's ends for
/// itself (wait(2)).
void wait_for_children() { ::signal(SIGCHLD, SIG_DFL); }

Error out_of_memory() { return Error::system(ENOMEM, "cannot go on"); }

/// What other tools call it.
std::vector<std::string> command_by_other_name(std::string_view word) {
  using Names = std::pair<std::string_view, std::string_view>;
  constexpr std::array kOthers = {
      Names{"list", "ls"},         Names{"ps", "ls"},         Names{"remove", "rm"},
      Names{"delete", "rm"},       Names{"del", "rm"},        Names{"create", "add"},
      Names{"new", "add"},         Names{"enter", "shell"},   Names{"sh", "shell"},
      Names{"unmount", "umount"},  Names{"clone", "fork"},    Names{"copy", "fork"},
      Names{"rebase", "git-sync"}, Names{"pull", "git-sync"}, Names{"update", "git-sync"},
      Names{"stage", "git-add"},   Names{"gc", "prune"},      Names{"clean", "prune"},
      Names{"snapshot", "freeze"}, Names{"check", "doctor"}};
  const auto* const other = std::ranges::find(kOthers, word, &Names::first);
  if (other != kOthers.end()) return {std::string(other->second)};
  const std::string git = "git-" + std::string(word);
  if (find_command(git) != nullptr) return {git};
  return {};
}

std::vector<std::string> commands_like(const std::string& word) {
  if (auto named = command_by_other_name(word); !named.empty()) return named;
  std::vector<std::string> names;
  for (const Command& command : all_commands()) names.emplace_back(command.name);
  return similar_to(word, names);
}

const Command& command_for(const std::string& word) {
  if (word == "-h" || word == "--help") return *find_command("help");
  if (word == "-V" || word == "--version") return *find_command("version");
  const Command* const command = find_command(word);
  if (command != nullptr) return *command;
  const bool is_option = word.starts_with('-');
  throw Error(ErrorKind::usage,
              (is_option ? "unknown option " : "unknown command ") + in_quotes(word),
              did_you_mean(commands_like(word), "see 'wafers help'"));
}

/// Or the beginning of it, which none of the other options has.
bool means_json(std::string_view word) {
  return word.size() > 2 && std::string_view("--json").starts_with(word);
}

/// Takes the options that stand before the command. WAFERS_TRACE tells the same and is inherited by
/// the program that takes over.
void take_common_options(std::vector<std::string>& words, Report& report) {
  while (!words.empty()) {
    const std::string& word = words.front();
    if (word == "-q" || word == "--quiet") {
      report.be_quiet();
    } else if (word == "-v" || word == "--verbose") {
      ::setenv("WAFERS_TRACE", "1", 1);
    } else {
      return;
    }
    words.erase(words.begin());
  }
}

int dispatch(std::vector<std::string> words, const Invocation& invocation, Report& report) {
  take_common_options(words, report);
  if (words.empty()) {
    run_command(*find_command("help"), {}, report);
    return Report::kUsage;
  }
  const std::string first = std::move(words.front());
  words.erase(words.begin());
  Arguments arguments = split_arguments(std::move(words));
  arguments.invocation = invocation;
  // Known before anything is parsed, for what goes wrong while parsing.
  if (std::ranges::any_of(arguments.own, means_json)) report.use(OutputForm::json);
  const Command& command = command_for(first);
  try {
    return run_command(command, arguments, report);
  } catch (const HelpWanted& help) {
    report.data(help.text);
    return Report::kDone;
  }
}

int run_reporting(std::vector<std::string> words, const Invocation& invocation, Report& report) {
  try {
    refuse_more_privileges();
    return dispatch(std::move(words), invocation, report);
  } catch (const Interrupted& interrupted) {
    report.failure(interrupted);
    report.finish(Report::kDone);
    Report::die_of(interrupted.signal());
  } catch (const Error& error) {
    return report.failure(error);
  } catch (const std::filesystem::filesystem_error& error) {
    return report.failure(
        Error::system(error.code().value(), "cannot look at " + in_quotes(error.path1().native())));
  } catch (const std::bad_alloc&) {
    return report.failure(out_of_memory());
  } catch (const std::exception& error) {
    return report.failure(Error(ErrorKind::failed, error.what()));
  }
}

}  // namespace

int run(int argc, char** argv, const GitParts& git) {
  Report report(OutputForm::text);
  try {
    occupy_closed_streams();
    survive_failed_writes();
    wait_for_children();
    const int status =
        run_reporting({argv + std::min(argc, 1), argv + argc}, {.git = git, .argv = argv}, report);
    return report.finish(status);
  } catch (const std::exception& error) {
    return report.finish(Report::partial_failure(Error(ErrorKind::failed, error.what())));
  }
}

}  // namespace wafers::cli
