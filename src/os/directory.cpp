#include "os/directory.h"

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <memory>

#include "base/fd.h"

namespace wafers {

// getdents64(2) and not readdir(3), which needs a descriptor of its own, and four calls more for
// each directory.
int for_each_entry(int directory, const std::function<bool(const DirectoryEntry&)>& visit) {
  constexpr std::size_t kSize = 32UL * 1024;
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kSize);
  while (true) {
    const ssize_t got = ::getdents64(directory, buffer.get(), kSize);
    if (got <= 0) return got == 0 ? 0 : errno;
    for (ssize_t at = 0; at < got;) {
      const auto* const entry = reinterpret_cast<const dirent64*>(buffer.get() + at);
      at += entry->d_reclen;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (!visit({name, entry->d_ino, entry->d_type})) return 0;
    }
  }
}

int for_each_entry(const std::filesystem::path& path,
                   const std::function<bool(const DirectoryEntry&)>& visit) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd ? for_each_entry(fd.get(), visit) : errno;
}

}  // namespace wafers
