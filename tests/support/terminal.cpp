#include "support/terminal.h"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <tuple>

namespace wafers::test {
namespace {

[[noreturn]] void become(const std::vector<std::string>& argv, const RunOptions& options) {
  if (!options.cwd.empty() && ::chdir(options.cwd.c_str()) != 0) ::_exit(126);
  for (const std::string& setting : options.environment) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      ::unsetenv(setting.c_str());
    } else {
      ::setenv(setting.substr(0, equals).c_str(), setting.c_str() + equals + 1, 1);
    }
  }
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words.front(), words.data());
  ::_exit(127);
}

}  // namespace

Terminal::Terminal(const std::vector<std::string>& argv, const RunOptions& options) {
  const winsize size{.ws_row = 50, .ws_col = 250, .ws_xpixel = 0, .ws_ypixel = 0};
  pid_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::runtime_error("no terminal");
  if (pid_ == 0) become(argv, options);
}

Terminal::~Terminal() {
  ::close(terminal_);  // SIGHUP
  ::kill(pid_, SIGHUP);
  ::waitpid(pid_, nullptr, 0);
}

void Terminal::type(std::string_view keys) const {
  std::ignore = ::write(terminal_, keys.data(), keys.size());
}

std::string Terminal::read_between(std::string_view begin, std::string_view end) {
  constexpr int kMinute = 60'000;
  while (true) {
    const std::size_t start = printed_.find(begin);
    const std::size_t behind = start == std::string::npos ? start : start + begin.size();
    const std::size_t stop = start == std::string::npos ? start : printed_.find(end, behind);
    if (stop != std::string::npos) {
      const std::string found = printed_.substr(behind, stop - behind);
      printed_.erase(0, stop + end.size());
      return found;
    }
    pollfd ready{.fd = terminal_, .events = POLLIN, .revents = 0};
    std::array<char, 4096> buffer{};
    const bool any = ::poll(&ready, 1, kMinute) > 0;
    const ssize_t length = any ? ::read(terminal_, buffer.data(), buffer.size()) : 0;
    if (length <= 0) {
      throw std::runtime_error("'" + std::string(begin) + "' was not printed: " + printed_);
    }
    printed_.append(buffer.data(), static_cast<std::size_t>(length));
  }
}

}  // namespace wafers::test
