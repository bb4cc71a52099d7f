#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace wafers {

/// Opens a directory to be used as an anchor (O_PATH), following symlinks. Throws Error(failed).
UniqueFd open_anchor(const std::filesystem::path& directory);

/// The path under which this process, and the kernel on its behalf, reaches an open descriptor.
std::string path_of_fd(int fd);

/// Whether `path`, which is not followed if it is a symlink, names the file that is open as `fd`:
/// after flock(2), whether the lock is still of use.
bool is_at(int fd, const std::filesystem::path& path);

/// Content of a small file such as those of /proc; absent where it can't be opened or read (a
/// process that has ended, a sysctl that this kernel lacks).
std::optional<std::string> read_small_file(const std::string& path);

/// Writes `text` with one write(2) to a file that exists, as /proc demands. Throws Error(failed).
void write_existing_file(const std::string& path, std::string_view text);

/// Everything up to end of file, for pipes. Throws Error(failed).
std::string read_to_end(int fd);

/// Writes all of `data`. Throws Error(failed).
void write_all(int fd, std::string_view data);

/// Waits for all that was written to the file system of `directory`, by whomever: one call for
/// however many files. Throws Error(failed), as where some of it could not be written.
void sync_file_system(const std::filesystem::path& directory);

/// An unnamed file in memory that holds `content`, at its start, close-on-exec. Throws
/// Error(failed).
UniqueFd make_memory_file(std::string_view content);

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};
/// A pipe, close-on-exec at both ends. Throws Error(failed).
Pipe make_pipe();

}  // namespace wafers
