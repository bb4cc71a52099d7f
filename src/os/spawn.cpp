#include "os/spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
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

/// posix_spawnattr_t with an owner: default dispositions and an empty mask.
class CleanSignals {
 public:
  CleanSignals() {
    posix_spawnattr_init(&attributes_);
    sigset_t set;
    sigfillset(&set);
    posix_spawnattr_setsigdefault(&attributes_, &set);
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes_, &set);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  CleanSignals(const CleanSignals&) = delete;
  CleanSignals& operator=(const CleanSignals&) = delete;
  ~CleanSignals() { posix_spawnattr_destroy(&attributes_); }

  posix_spawnattr_t* get() noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

/// Copies of the descriptors to hand on, out of the way of the numbers that they shall get: dup2 in
/// the child then never overwrites a source that is still needed.
std::vector<UniqueFd> move_up(const std::vector<Command::Descriptor>& descriptors) {
  int first_free = STDERR_FILENO + 1;
  for (const auto& descriptor : descriptors) {
    first_free = std::max(first_free, descriptor.there + 1);
  }
  std::vector<UniqueFd> copies;
  for (const auto& descriptor : descriptors) {
    copies.emplace_back(::fcntl(descriptor.here, F_DUPFD_CLOEXEC, first_free));
    if (!copies.back()) {
      const int err = errno;
      throw Error::system(err, "cannot duplicate a descriptor");
    }
  }
  return copies;
}

void add_descriptors(FileActions& actions, const std::vector<Command::Descriptor>& descriptors,
                     const std::vector<UniqueFd>& copies) {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(actions.get(), standard, "/dev/null", O_RDWR, 0);
  }
  int highest = STDERR_FILENO;
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    posix_spawn_file_actions_adddup2(actions.get(), copies[i].get(), descriptors[i].there);
    highest = std::max(highest, descriptors[i].there);
  }
  // What others in this process opened without close-on-exec; our own copies close by themselves.
  posix_spawn_file_actions_addclosefrom_np(actions.get(), highest + 1);
}

}  // namespace

pid_t spawn(const Command& command) {
  FileActions actions;
  if (!command.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(actions.get(), command.directory.c_str());
  }
  const std::vector<UniqueFd> copies = move_up(command.descriptors);
  add_descriptors(actions, command.descriptors, copies);

  CleanSignals signals;
  std::vector<std::string> argv = command.argv;
  std::vector<std::string> environment = command.environment;
  pid_t pid = 0;
  const int err = ::posix_spawn(&pid, command.path.c_str(), actions.get(), signals.get(),
                                c_strings(argv).data(), c_strings(environment).data());
  if (err != 0) throw Error::system(err, "cannot run " + wafers::quoted(command.path));
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

}  // namespace

CommandResult run_command(Command command, WhenIdle when_idle) {
  // A file and no pipe: a daemon that the program leaves behind may keep its standard error open.
  const UniqueFd output = make_memory_file("");
  command.descriptors.push_back({output.get(), STDOUT_FILENO});
  command.descriptors.push_back({output.get(), STDERR_FILENO});
  const pid_t pid = spawn(command);
  if (when_idle == WhenIdle::end) end_if_idle(pid);
  const ExitStatus status = wait_for_child(pid);
  ::lseek(output.get(), 0, SEEK_SET);
  return {status, read_to_end(output.get())};
}

std::vector<std::string> own_environment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

}  // namespace wafers
