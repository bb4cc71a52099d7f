#include "linux/ssh_config.h"

#include <fcntl.h>
#include <glob.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr off_t kLargest = 1024L * 1024;
constexpr int kDeepest = 16;  // readconf.c: READCONF_MAX_DEPTH

/// Empty where it is no regular file of a sensible size, or can't be read.
std::optional<std::string> read_config(const fs::path& path) {
  const UniqueFd fd = open_file(path, O_RDONLY | O_NONBLOCK);
  struct stat st {};
  if (!fd || ::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > kLargest) {
    return std::nullopt;
  }
  try {
    return read_to_end(fd.get());
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Words of a line, as misc.c's strdelim() parts them: by blanks or one '=', quotes kept together.
std::vector<std::string> words_of(std::string_view line) {
  constexpr std::string_view kBetween = " \t\r\f=";
  std::vector<std::string> words;
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(kBetween), line.size()));
    if (line.empty() || line.front() == '#') return words;
    const bool quoted = line.front() == '"';
    if (quoted) line.remove_prefix(1);
    const std::size_t end =
        std::min(quoted ? line.find('"') : line.find_first_of(kBetween), line.size());
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + (quoted ? 1 : 0), line.size()));
  }
}

std::vector<fs::path> matches_of(const fs::path& pattern) {
  glob_t found{};
  std::vector<fs::path> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

/// Goes through the files as ssh does, into the branches of all conditions.
class Collector {
 public:
  explicit Collector(const fs::path& home) : home_(home) {}

  enum class Whose { users, systems };

  /// `included_by`: how deep.
  void read(const fs::path& file, Whose whose, int depth) {
    const auto text = read_config(file);
    if (!text || depth > kDeepest) return;
    for (const std::string& line : split(*text, '\n')) {
      const std::vector<std::string> words = words_of(line);
      if (words.empty() || ::strcasecmp(words.front().c_str(), "include") != 0) continue;
      for (std::size_t i = 1; i < words.size(); ++i) include(words[i], whose, depth);
    }
  }

  void note(const fs::path& file) {
    struct stat st {};
    const bool taken = ::stat(file.c_str(), &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
                       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    if (!taken || ::access(file.c_str(), R_OK) != 0) return;
    std::error_code error;
    fs::path real = fs::canonical(file, error);
    if (!error && std::ranges::find(files_, real) == files_.end()) files_.push_back(real);
  }

  std::vector<fs::path> files() && { return std::move(files_); }

 private:
  void include(const std::string& word, Whose whose, int depth) {
    fs::path pattern = word;
    if (word.starts_with("~/")) {
      pattern = home_ / word.substr(2);
    } else if (pattern.is_relative()) {
      pattern = (whose == Whose::users ? home_ / ".ssh" : fs::path("/etc/ssh")) / word;
    }
    for (const fs::path& file : matches_of(pattern)) {
      note(file);
      read(file, whose, depth + 1);
    }
  }

  const fs::path& home_;
  std::vector<fs::path> files_;
};

}  // namespace

SshConfigRoots ssh_config_roots() {
  const char* const home = std::getenv("HOME");
  // The second is where openSUSE ships what others have in the first.
  return {home != nullptr ? home : "/nonexistent",
          {"/etc/ssh/ssh_config", "/usr/etc/ssh/ssh_config"}};
}

std::vector<fs::path> ssh_files_of_root(const SshConfigRoots& roots) {
  if (::geteuid() == 0) return {};
  Collector collector(roots.home);
  const fs::path users = roots.home / ".ssh/config";
  collector.note(users);
  collector.read(users, Collector::Whose::users, 0);
  for (const fs::path& system : roots.system) {
    collector.read(system, Collector::Whose::systems, 0);
  }
  return std::move(collector).files();
}

}  // namespace wafers
