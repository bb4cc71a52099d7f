#include "target.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "support/temp_dir.h"

namespace wafers::fuzz {
namespace {

void write_whole(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    require(written > 0, "cannot write a scratch file");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "a property does not hold: %s\n", what);
  std::abort();
}

std::vector<std::string_view> parts(std::string_view input, std::size_t count) {
  constexpr char kSeparator = '\x1E';
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < count) {
    const std::size_t end = std::min(input.find(kSeparator), input.size());
    parts.push_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  parts.push_back(input);
  return parts;
}

MemoryFile::MemoryFile(std::string_view content) : fd_(::memfd_create("input", MFD_CLOEXEC)) {
  require(static_cast<bool>(fd_), "cannot make a memory file");
  write_whole(fd_.get(), content);
}

std::string MemoryFile::path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

const std::filesystem::path& scratch_directory() {
  static const test::TempDir directory;
  return directory.path();
}

void write_file(const std::filesystem::path& file, std::string_view content) {
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  require(static_cast<bool>(fd), "cannot make a scratch file");
  write_whole(fd.get(), content);
}

}  // namespace wafers::fuzz
