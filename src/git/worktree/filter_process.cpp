#include "git/worktree/filter_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>

#include "base/error.h"
#include "base/scope_guard.h"
#include "base/text.h"

namespace wafers::git {
namespace {

[[noreturn]] void fail(int err, const std::string& doing) { throw Error::system(err, doing); }

struct Pipe {
  UniqueFd reader, writer;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(errno, "cannot make a pipe for a filter");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string_view key_of(std::string_view setting) { return setting.substr(0, setting.find('=')); }

std::vector<std::string> merged_environment(const std::vector<std::string>& additions) {
  std::vector<std::string> merged = additions;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view key = key_of(*entry);
    const bool replaced = std::any_of(additions.begin(), additions.end(),
                                      [&](const auto& added) { return key_of(added) == key; });
    if (!replaced) merged.emplace_back(*entry);
  }
  return merged;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t spawn_shell(const std::string& command, const std::string& directory,
                  const std::vector<std::string>& additions, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (::posix_spawn_file_actions_init(&actions) != 0) fail(ENOMEM, "cannot run a filter");
  const ScopeGuard free_actions([&] { ::posix_spawn_file_actions_destroy(&actions); });
  if (::posix_spawnattr_init(&attributes) != 0) fail(ENOMEM, "cannot run a filter");
  const ScopeGuard free_attributes([&] { ::posix_spawnattr_destroy(&attributes); });

  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  int err = ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  if (err == 0) err = ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  if (err == 0) err = ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  if (err == 0) err = ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  if (err == 0 && !directory.empty()) {
    err = ::posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  }
  std::vector<std::string> arguments{"sh", "-c", command};
  std::vector<std::string> environment = merged_environment(additions);
  pid_t pid = -1;
  if (err == 0) {
    err = ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, pointers_to(arguments).data(),
                        pointers_to(environment).data());
  }
  if (err != 0) fail(err, "cannot run filter " + wafers::quoted(command));
  return pid;
}

/// SIGPIPE is ignored from the first filter on until the last one has gone.
class SigpipeGuard {
 public:
  static void enter() {
    if (users_++ > 0) return;
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &before_);
  }
  static void leave() {
    if (--users_ == 0) ::sigaction(SIGPIPE, &before_, nullptr);
  }

 private:
  static inline int users_ = 0;
  static inline struct sigaction before_ {};
};

}  // namespace

FilterProcess::FilterProcess(const std::string& command, const std::string& directory,
                             const std::vector<std::string>& environment) {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  pid_ = spawn_shell(command, directory, environment, in.reader.get(), out.writer.get());
  SigpipeGuard::enter();
  input_ = std::move(in.writer);
  output_ = std::move(out.reader);
  ::fcntl(input_.get(), F_SETFL, O_NONBLOCK);
}

FilterProcess::~FilterProcess() {
  input_.reset();
  output_.reset();
  wait();
  SigpipeGuard::leave();
}

bool FilterProcess::write(std::string_view data) {
  while (!data.empty()) {
    std::array<pollfd, 2> polled{{{input_.get(), POLLOUT, 0}, {output_.get(), POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), -1) < 0) {
      if (errno == EINTR) continue;
      fail(errno, "cannot wait for a filter");
    }
    if (polled[1].revents != 0) take_output();
    if (polled[0].revents == 0) continue;
    const ssize_t written = ::write(input_.get(), data.data(), data.size());
    if (written >= 0) {
      data.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      return false;
    } else if (errno != EAGAIN && errno != EINTR) {
      fail(errno, "cannot write to a filter");
    }
  }
  return true;
}

/// Waits for output and takes some in; at its end, which it tells by false, closes the pipe.
bool FilterProcess::take_output() {
  if (!output_) return false;
  constexpr std::size_t kPiece = 65536;
  if (taken_ == pending_.size()) {
    pending_.clear();
    taken_ = 0;
  }
  const std::size_t before = pending_.size();
  pending_.resize(before + kPiece);
  ssize_t got = -1;
  do {
    got = ::read(output_.get(), pending_.data() + before, kPiece);
  } while (got < 0 && errno == EINTR);
  const int err = errno;
  pending_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) fail(err, "cannot read from a filter");
  if (got == 0) output_.reset();
  return got > 0;
}

std::string FilterProcess::read(std::size_t size) {
  while (pending_.size() - taken_ < size && take_output()) {
  }
  std::string out = pending_.substr(taken_, size);
  taken_ += out.size();
  return out;
}

std::string FilterProcess::read_to_end() {
  while (take_output()) {
  }
  return read(pending_.size() - taken_);
}

int FilterProcess::wait() {
  if (pid_ < 0) return status_;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return status_;
}

}  // namespace wafers::git
