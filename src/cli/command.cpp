#include "cli/command.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/text.h"
#include "cli/hand_over.h"

namespace wafers::cli {
namespace {

constexpr Runner kNeedsGit = nullptr;

constexpr std::array kCommands{
    Command{"add",
            "<name>... [--at <mountpoint>] [--branch <branch>] [--from <repo>]\n"
            "                  [--backend auto|namespace|host|fuse] [--assume-clean] [--durable]\n"
            "                  [--json]",
            "Make a wafer, a writable view of a Git checkout on a branch of its own", kNeedsGit},
    Command{"exec", "<name> [--cwd <dir>] [--env K=V]... -- <command> [args...]",
            "Run a command inside a wafer", run_exec},
    Command{"shell", "<name>", "Run an interactive shell inside a wafer", run_shell},
    Command{"git-status", "[<name>] [--porcelain] [--json]",
            "Show what differs between a wafer's branch and its view", kNeedsGit},
    Command{"git-diff",
            "[<name>] [--uncommitted | --all] [--stat | --name-only | --name-status]\n"
            "                       [--color auto|always|never] [-- <paths>...]",
            "Show a wafer's changes: committed since the base, uncommitted, or all", kNeedsGit},
    Command{"git-add", "[<name>] [--json] -- <paths>...",
            "Stage some of a wafer's files for the next commit", kNeedsGit},
    Command{"git-commit",
            "[<name>] (-m <message>... | -F <file>) [--author <author>] [--allow-empty]\n"
            "                         [-S[<keyid>] | --no-gpg-sign]\n"
            "                         [--verify | --no-verify] [--json] [-- <paths>...]",
            "Commit what is staged, a wafer's view, or some of its files, to its branch",
            kNeedsGit},
    Command{"git-push", "[<name>] [<remote>] [--force-with-lease] [--dry-run]",
            "Push a wafer's branch to a remote of the base repository, by git itself", kNeedsGit},
    Command{"ls", "[--json]", "List all wafers", run_ls},
    Command{"mount", "(<name>... | --all) [--accept-unclean]", "Mount the views of wafers",
            run_mount},
    Command{"umount", "(<name>... | --all)", "Unmount the views of wafers; nothing in them is lost",
            run_umount},
    Command{"rm", "(<name>... | --all) [--force] [--kill] [--json]",
            "Remove wafers; their branches stay", kNeedsGit},
    Command{"doctor", "[--json]", "Check what this host can do, and say what to change", kNeedsGit},
    Command{"completion", "bash|zsh|fish", "Print a script that completes words in a shell",
            kNeedsGit},
    Command{"skill", "", "Print how a coding agent works in a wafer, as Markdown", run_skill},
    Command{"help", "[<command>]", "Print help", run_help},
    Command{"version", "", "Print the version", run_version},
};

}  // namespace

std::span<const Command> all_commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto* const found = std::ranges::find(kCommands, name, &Command::name);
  return found == kCommands.end() ? nullptr : &*found;
}

int run_command(const Command& command, const Arguments& arguments, Report& report) {
  const Runner run = command.run != nullptr ? command.run : arguments.invocation.git;
  return run(command, arguments, report);
}

int hand_over_to_git_program(const Command& /*command*/, const Arguments& arguments,
                             Report& /*report*/) {
  execute_git_program(arguments.invocation.argv);
}

Store open_store() {
  const std::filesystem::path root = state_directory();
  require_own_state(root);
  return Store(root, [](std::string_view line) { Report::note(line); });
}

std::vector<std::string> all_names(const Store& store) {
  const Store::Listing listing = store.list();
  std::vector<std::string> names;
  for (const Wafer& wafer : listing.wafers) names.push_back(wafer.name);
  for (const InvalidEntry& entry : listing.invalid) names.push_back(entry.name);
  return names;
}

std::string one_wafer(const Parser& parser, const std::vector<std::string>& positional) {
  if (positional.size() > 1) {
    throw parser.usage("unexpected argument " + in_quotes(positional[1]));
  }
  if (!positional.empty()) return positional.front();
  const char* const inside = std::getenv("WAFERS_NAME");
  if (inside != nullptr && *inside != '\0') return inside;
  throw parser.usage("the name of a wafer is missing");
}

}  // namespace wafers::cli
