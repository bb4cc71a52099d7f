#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace wafers::git {

/// The whole content of a regular file; nullopt where there is none (also where a directory is in
/// the way, or something else has its name: a fifo is never waited for). Throws Error(failed) where
/// it can't be read.
std::optional<std::string> read_file(const std::filesystem::path& path);

/// As read_file(), for `name` below an open directory; a symlink is not followed.
std::optional<std::string> read_file_at(int directory, const std::string& name);

/// Everything from the descriptor's position on. Throws Error(failed) naming `what`.
std::string read_all(int fd, std::string_view what);

/// Writes all of `data`. Throws Error(failed) naming `what`.
void write_all(int fd, std::string_view data, std::string_view what);

}  // namespace wafers::git
