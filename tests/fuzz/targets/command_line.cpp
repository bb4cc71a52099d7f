// The words of a command line, each up to a NUL. There is no wafer, and none can be made: whatever
// they ask for ends with words of our own.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "target.h"

namespace {

using wafers::fuzz::require;

/// Everything but the trials of `doctor`, which mount.
int run_harmless(const wafers::cli::Command& command, const wafers::cli::Arguments& arguments,
                 wafers::cli::Report& report) {
  if (command.name == "doctor") return 0;
  return wafers::cli::kOwnGit.run(command, arguments, report);
}

/// Takes what is written to a descriptor meanwhile.
class Captured {
 public:
  explicit Captured(int fd)
      : fd_(fd), saved_(::fcntl(fd, F_DUPFD_CLOEXEC, 3)), file_(std::string_view()) {
    ::dup2(file_.fd(), fd_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() { give_back(); }

  std::string text() {
    give_back();
    std::string text(static_cast<std::size_t>(::lseek(file_.fd(), 0, SEEK_END)), '\0');
    require(::pread(file_.fd(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
            "cannot read what was printed");
    return text;
  }

 private:
  void give_back() {
    if (saved_) ::dup2(saved_.get(), fd_);
    saved_.reset();
  }
  int fd_;
  wafers::UniqueFd saved_;
  wafers::fuzz::MemoryFile file_;
};

/// The state can't be made, and git, editors and the like are not found.
void prepare() {
  ::setenv("WAFERS_STATE_DIR", "/dev/null/state", 1);
  for (const char* name : {"HOME", "XDG_CONFIG_HOME", "PATH"}) {
    ::setenv(name, wafers::fuzz::scratch_directory().c_str(), 1);
  }
  for (const char* name : {"WAFERS_NAME", "GIT_DIR", "GIT_WORK_TREE", "NO_COLOR"}) ::unsetenv(name);
  ::setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  require(::chdir(wafers::fuzz::scratch_directory().c_str()) == 0, "cannot go to the scratch");
  // Whatever reads standard input finds nothing there.
  const wafers::UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::dup2(null.get(), STDIN_FILENO);
}

/// Nothing that a terminal would obey.
bool is_printable(const std::string& text) {
  return wafers::is_utf8(text) && wafers::printable_lines(text) == text;
}

/// Words of a program of our own, line by line.
bool is_worded(const std::string& text) {
  return text.empty() ||
         ((text.starts_with("wafers: ") || text.starts_with("hint: ")) && text.ends_with('\n'));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  [[maybe_unused]] static const bool prepared = (prepare(), true);
  std::vector<std::string> words = wafers::split(wafers::fuzz::as_text(data, size), '\0');
  std::vector<char*> argv{const_cast<char*>("wafers")};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  Captured out(STDOUT_FILENO);
  Captured err(STDERR_FILENO);
  const int status = wafers::cli::run(static_cast<int>(argv.size()) - 1, argv.data(),
                                      {.run = run_harmless, .heal = wafers::cli::kOwnGit.heal});
  const std::string error = err.text();
  const std::string output = out.text();
  constexpr int kExec = 125;  // that of wafers itself, as opposed to the command's
  require((status >= 0 && status <= 5) || status == kExec, "the status is one of the contract");
  require(is_printable(error) && is_printable(output), "what is printed can't hurt a terminal");
  require(is_worded(error), "errors have the usual words");
  const bool json = std::ranges::find(words, "--json") != words.end();
  require(status != 0 || error.empty() || words.size() > 1, "success is quiet");
  if (json && !output.empty() && output.front() == '{') {
    require(nlohmann::json::accept(output), "JSON is JSON");
  }
  return 0;
}
