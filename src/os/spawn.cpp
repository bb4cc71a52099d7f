#include "os/spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/activity.h"
#include "os/files.h"
#include "os/process.h"

namespace wafers {
namespace {

std::vector<char*> c_strings(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// posix_spawn_file_actions_t with an owner.
class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }

  posix_spawn_file_actions_t* get() noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// posix_spawnattr_t with an owner: the signals that the program begins with.
class Signals {
 public:
  explicit Signals(Command::Inherits inherits) {
    posix_spawnattr_init(&attributes_);
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes_, &set);
    short flags = POSIX_SPAWN_SETSIGDEF;
    if (inherits == Command::Inherits::all) {
      sigaddset(&set, SIGPIPE);
    } else {
      sigfillset(&set);
      flags |= POSIX_SPAWN_SETSIGMASK;
    }
    posix_spawnattr_setsigdefault(&attributes_, &set);
    posix_spawnattr_setflags(&attributes_, flags);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() { posix_spawnattr_destroy(&attributes_); }

  posix_spawnattr_t* get() noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

/// The highest number that a descriptor has in the program.
int highest_of(const std::vector<Command::Descriptor>& descriptors) {
  int highest = STDERR_FILENO;
  for (const auto& descriptor : descriptors) highest = std::max(highest, descriptor.there);
  return highest;
}

/// Copies of those descriptors to hand on that dup2 in the child could overwrite while they are
/// still needed, out of the way of all numbers up to `highest`. None for the others.
std::vector<UniqueFd> move_up(const std::vector<Command::Descriptor>& descriptors, int highest) {
  std::vector<UniqueFd> copies;
  for (const auto& descriptor : descriptors) {
    UniqueFd& copy = copies.emplace_back();
    if (descriptor.here > highest) continue;
    copy.reset(::fcntl(descriptor.here, F_DUPFD_CLOEXEC, highest + 1));
    if (!copy) throw_errno("cannot duplicate a descriptor");
  }
  return copies;
}

void add_descriptors(FileActions& actions, const Command& command, int highest,
                     const std::vector<UniqueFd>& copies) {
  const bool alone = command.inherits == Command::Inherits::nothing;
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (alone) posix_spawn_file_actions_addopen(actions.get(), standard, "/dev/null", O_RDWR, 0);
  }
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const auto [here, there] = command.descriptors[i];
    posix_spawn_file_actions_adddup2(actions.get(), copies[i] ? copies[i].get() : here, there);
  }
  // What others in this process opened without close-on-exec; our own copies close by themselves.
  if (alone) posix_spawn_file_actions_addclosefrom_np(actions.get(), highest + 1);
}

}  // namespace

pid_t spawn(const Command& command) {
  FileActions actions;
  if (!command.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(actions.get(), command.directory.c_str());
  }
  const int highest = highest_of(command.descriptors);
  const std::vector<UniqueFd> copies = move_up(command.descriptors, highest);
  add_descriptors(actions, command, highest, copies);

  Signals signals(command.inherits);
  std::vector<std::string> argv = command.argv;
  std::vector<std::string> environment = command.environment;
  pid_t pid = 0;
  const int err = ::posix_spawn(&pid, command.path.c_str(), actions.get(), signals.get(),
                                c_strings(argv).data(), c_strings(environment).data());
  if (err != 0) throw Error::system(err, "cannot run " + in_quotes(command.path));
  return pid;
}

ExitStatus wait_for_child(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (const int err = errno; err != EINTR) {
      throw Error::system(err, "cannot wait for process " + std::to_string(pid));
    }
  }
  if (WIFSIGNALED(status)) return {.code = 0, .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status), .signal = 0};
}

namespace {

/// From a program's start to its end: see spawn.h.
class Trace {
 public:
  explicit Trace(const std::vector<std::string>& argv) {
    const char* const wanted = std::getenv("WAFERS_TRACE");
    if (wanted == nullptr || *wanted == '\0' || std::string_view(wanted) == "0") return;
    for (const std::string& word : argv) words_ += " " + shell_quoted(word);
  }

  void ended(const ExitStatus& status) const {
    if (words_.empty()) return;
    const std::chrono::duration<double, std::milli> time = Clock::now() - start_;
    std::array<char, 32> milliseconds{};
    std::snprintf(milliseconds.data(), milliseconds.size(), "%.1f", time.count());
    std::string line = "wafers: ran in " + std::string(milliseconds.data()) + " ms:" + words_;
    if (!status.success()) line += " (exit status " + std::to_string(status.shell_code()) + ")";
    line = printable(line) + "\n";
    std::ignore = ::write(STDERR_FILENO, line.data(), line.size());  // at once, among others'
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::string words_;  ///< empty where nothing is to be told
  Clock::time_point start_ = Clock::now();
};

/// Where that can't be told the program is waited for as long as it takes: none is left running.
void end_if_idle(pid_t pid) noexcept {
  constexpr std::chrono::milliseconds kPause{100};
  try {
    const UniqueFd process = open_pidfd(pid);
    ActivityWatch watch(pid);
    while (!wait_for_end(process.get(), kPause)) {
      if (!watch.goes_on()) ::kill(pid, SIGKILL);
    }
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): see above
  }
}

/// All that a program wrote to a memory file.
std::string content_of(const UniqueFd& file) {
  ::lseek(file.get(), 0, SEEK_SET);
  return read_to_end(file.get());
}

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

ExitStatus run_while(const Command& command, const std::function<void()>& meanwhile) {
  const Trace trace(command.argv);
  const pid_t pid = spawn(command);
  try {
    if (meanwhile) meanwhile();
  } catch (...) {
    wait_for_child(pid);
    throw;
  }
  const ExitStatus status = wait_for_child(pid);
  trace.ended(status);
  return status;
}

}  // namespace

ExitStatus run(const Command& command) { return run_while(command, {}); }

CommandResult run_command(Command command, WhenIdle when_idle) {
  // A file and no pipe: a daemon that the program leaves behind may keep its standard error open.
  const UniqueFd output = make_memory_file("");
  command.descriptors.push_back({output.get(), STDOUT_FILENO});
  command.descriptors.push_back({output.get(), STDERR_FILENO});
  const Trace trace(command.argv);
  const pid_t pid = spawn(command);
  if (when_idle == WhenIdle::end) end_if_idle(pid);
  const ExitStatus status = wait_for_child(pid);
  trace.ended(status);
  return {status, content_of(output)};
}

ProgramResult run_program(Command command, std::string_view input,
                          const std::function<void()>& meanwhile) {
  // Files in memory and no pipes: neither side waits for the other, whatever the program reads and
  // prints first.
  const UniqueFd in = make_memory_file(input);
  const UniqueFd output = make_memory_file("");
  const UniqueFd errors = make_memory_file("");
  command.descriptors.push_back({in.get(), STDIN_FILENO});
  command.descriptors.push_back({output.get(), STDOUT_FILENO});
  command.descriptors.push_back({errors.get(), STDERR_FILENO});
  const ExitStatus status = run_while(command, meanwhile);
  return {status.shell_code(), content_of(output), content_of(errors)};
}

std::vector<std::string> own_environment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

std::vector<std::string> with_variables(std::vector<std::string> environment,
                                        const std::vector<std::string>& assignments) {
  std::erase_if(environment, [&](const std::string& old) {
    return std::ranges::any_of(assignments, [&](const std::string& assignment) {
      return name_of(assignment) == name_of(old);
    });
  });
  environment.insert(environment.end(), assignments.begin(), assignments.end());
  return environment;
}

}  // namespace wafers
