#include "linux/own_copies.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/scope_guard.h"
#include "base/text.h"
#include "linux/files.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

void mount_or_throw(const char* source, const fs::path& target, const char* type,
                    unsigned long flags, const char* options) {
  if (::mount(source, target.c_str(), type, flags, options) == 0) return;
  const int err = errno;
  throw Error::system(err, "cannot show an own copy at " + wafers::quoted(target.native()));
}

/// False where `from` can't be read.
bool copy_content(const fs::path& from, const fs::path& to) {
  const UniqueFd source(::open(from.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat st {};
  if (!source || ::fstat(source.get(), &st) != 0 || !S_ISREG(st.st_mode)) return false;
  const UniqueFd copy(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (!copy) {
    const int err = errno;
    throw Error::system(err, "cannot make " + wafers::quoted(to.native()));
  }
  write_all(copy.get(), read_to_end(source.get()));
  return true;
}

}  // namespace

void show_as_own(const std::vector<fs::path>& files, const fs::path& scratch) {
  if (files.empty()) return;
  constexpr unsigned long kFlags = MS_NODEV | MS_NOSUID | MS_NOEXEC;
  mount_or_throw("wafers-copies", scratch, "tmpfs", kFlags, "mode=0700");
  // What is bound elsewhere keeps the file system.
  const ScopeGuard uncover([&] { ::umount2(scratch.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW); });
  std::vector<std::pair<fs::path, fs::path>> copies;
  for (const fs::path& file : files) {
    const fs::path copy = scratch / std::to_string(copies.size());
    if (copy_content(file, copy)) copies.emplace_back(copy, file);
  }
  mount_or_throw(nullptr, scratch, nullptr, MS_REMOUNT | MS_RDONLY | kFlags, nullptr);
  for (const auto& [copy, file] : copies) {
    mount_or_throw(copy.c_str(), file, nullptr, MS_BIND, nullptr);
  }
}

}  // namespace wafers
