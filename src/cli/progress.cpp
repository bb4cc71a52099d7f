#include "cli/progress.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

namespace wafers::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::seconds delay() {
  const char* const seconds = std::getenv("GIT_PROGRESS_DELAY");
  return std::chrono::seconds(seconds == nullptr ? 1 : std::strtol(seconds, nullptr, 10));
}

class ProgressLine {
 public:
  void show(std::string_view doing, std::size_t count) {
    constexpr std::chrono::milliseconds kBetween{100};
    if (!is_wanted_) return;
    const auto now = Clock::now();
    if (doing != doing_ || !next_) {
      doing_ = doing;
      next_ = now + delay();
    }
    if (now < *next_) return;
    next_ = now + kBetween;
    std::string line = "\r" + doing_ + ": " + std::to_string(count);
    width_ = line.size() - 1;
    std::fwrite(line.data(), 1, line.size(), stderr);
  }

  void clear() noexcept {
    next_.reset();
    if (width_ == 0) return;
    // As git does, since not every terminal knows how to erase a line.
    std::fprintf(stderr, "\r%*s\r", static_cast<int>(width_), "");
    width_ = 0;
  }

  void end() noexcept {
    clear();
    is_wanted_ = false;
  }

 private:
  bool is_wanted_ = ::isatty(STDERR_FILENO) == 1;
  std::string doing_;
  std::optional<Clock::time_point> next_;
  std::size_t width_ = 0;  ///< of what is shown
};

ProgressLine& the_line() {
  static ProgressLine line;
  return line;
}

}  // namespace

void show_progress(std::string_view doing, std::size_t count) { the_line().show(doing, count); }
void clear_progress() noexcept { the_line().clear(); }
void show_no_progress() noexcept { the_line().end(); }

}  // namespace wafers::cli
