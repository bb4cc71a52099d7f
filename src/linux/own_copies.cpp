#include "linux/own_copies.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

void show_at(const fs::path& file, const fs::path& copy) {
  if (::mount(copy.c_str(), file.c_str(), nullptr, MS_BIND, nullptr) == 0) return;
  throw_errno("cannot show an own copy at", file.native());
}

/// False where `from` can't be read.
bool copy_content(const fs::path& from, const fs::path& to) {
  const UniqueFd source = open_file(from, O_RDONLY | O_NONBLOCK);
  struct stat st {};
  if (!source || ::fstat(source.get(), &st) != 0 || !S_ISREG(st.st_mode)) return false;
  const UniqueFd copy = open_file(to, O_WRONLY | O_CREAT | O_EXCL, 0444);
  if (!copy) throw_errno("cannot make", to.native());
  write_all(copy.get(), read_to_end(source.get()));
  return true;
}

}  // namespace

void show_as_own(const std::vector<fs::path>& files, const fs::path& directory) {
  std::size_t count = 0;
  for (const fs::path& file : files) {
    const fs::path copy = directory / std::to_string(count);
    if (!copy_content(file, copy)) continue;
    ++count;
    show_at(file, copy);
  }
}

}  // namespace wafers
