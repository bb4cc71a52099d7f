#include "git/worktree/filter_process.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/files.h"
#include "os/spawn.h"

namespace wafers::git {
namespace {

[[noreturn]] void fail(int err, const std::string& doing) { throw Error::system(err, doing); }

pid_t spawn_shell(const std::string& text, const std::string& directory,
                  const std::vector<std::string>& additions, int input, int output) {
  Command command;
  command.path = "/bin/sh";
  command.argv = {"sh", "-c", text};
  command.environment = with_variables(own_environment(), additions);
  command.directory = directory;
  command.descriptors = {{input, STDIN_FILENO}, {output, STDOUT_FILENO}};
  command.inherits = Command::Inherits::all;
  try {
    return spawn(command);
  } catch (const Error& error) {
    fail(error.errnum().value_or(0), "cannot run filter " + in_quotes(text));
  }
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
  try {
    wait();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): then it is no child of ours
  }
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
  const ssize_t got = read_some(output_.get(), pending_.data() + before, kPiece);
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
  status_ = wait_for_child(std::exchange(pid_, -1)).shell_code();
  return status_;
}

}  // namespace wafers::git
