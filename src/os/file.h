#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace wafers {

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

// On the way to the disk. The kernel tells an error of write-back once, to whoever asks first: it
// must not be asked without listening. All throw Error(failed) naming `what`.

/// Lets the disk begin with what was written, without waiting for it.
void begin_write_back(int fd, std::string_view what);

/// Waits until the data that were written are on the disk; the file's size and place need not be.
/// False where this host doesn't offer that: sync_file() is left.
bool wait_for_write_back(int fd, std::string_view what);

/// fsync(2).
void sync_file(int fd, std::string_view what);

/// Waits until the names in a directory are on the disk, where its file system can do that.
void sync_directory(const std::filesystem::path& directory);

}  // namespace wafers
