#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string_view>

namespace wafers {

/// A name in a directory.
struct DirectoryEntry {
  std::string_view name;   ///< ends with a NUL behind its end
  ino_t inode = 0;         ///< of what is there, or of the directory that is covered by a mount
  unsigned char type = 0;  ///< DT_REG and so on; DT_UNKNOWN where the file system doesn't tell
};

/// Calls `visit` with each entry but "." and "..", from the descriptor's position on, in the order
/// that the file system has, until it returns false. Gives 0, or the errno of what failed. While
/// the directory is changed an entry can come twice, and one that is removed by `visit` can make
/// another be left out.
int for_each_entry(int directory, const std::function<bool(const DirectoryEntry&)>& visit);

/// The same for the directory at `path`.
int for_each_entry(const std::filesystem::path& path,
                   const std::function<bool(const DirectoryEntry&)>& visit);

}  // namespace wafers
