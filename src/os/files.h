#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace wafers {

// --- opening

/// open(2) and openat(2) with O_CLOEXEC; errno says why there is no descriptor.
UniqueFd open_file(const std::filesystem::path& path, int flags, mode_t mode = 0) noexcept;
UniqueFd open_at(int directory, const std::filesystem::path& name, int flags,
                 mode_t mode = 0) noexcept;

/// open_file(). Throws Error(failed).
UniqueFd open_or_throw(const std::filesystem::path& path, int flags, mode_t mode = 0);

/// Opens a directory to be used as an anchor (O_PATH), following symlinks. Throws Error(failed).
UniqueFd open_anchor(const std::filesystem::path& directory);

/// The path under which this process, and the kernel on its behalf, reaches an open descriptor.
std::string path_of_fd(int fd);

/// Whether `path`, which is not followed if it is a symlink, names the file that is open as `fd`:
/// after flock(2), whether the lock is still of use.
bool is_at(int fd, const std::filesystem::path& path);

/// "<device>-<inode>": what names a file or directory as long as it exists. Throws Error(failed).
std::string identity_of(const std::filesystem::path& path);

/// An unnamed file in memory that holds `content`, at its start, close-on-exec. Throws
/// Error(failed).
UniqueFd make_memory_file(std::string_view content);

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};
/// A pipe, close-on-exec at both ends. Throws Error(failed).
Pipe make_pipe();

// --- reading

/// The whole content of a regular file; nullopt where there is none (also where a directory is in
/// the way, or something else has its name: a fifo is never waited for). Throws Error(failed) where
/// it can't be read.
std::optional<std::string> read_file(const std::filesystem::path& path);

/// As read_file(), for `name` below an open directory; a symlink is not followed.
std::optional<std::string> read_file_at(int directory, const std::string& name);

/// Content of a small file such as those of /proc; absent where it can't be opened or read (a
/// process that has ended, a sysctl that this kernel lacks).
std::optional<std::string> read_small_file(const std::string& path);

/// Everything from the descriptor's position on. Throws Error(failed) naming `what`.
std::string read_all(int fd, std::string_view what);

/// As read_all(), for pipes and memory files, of which nothing is known before.
std::string read_to_end(int fd);

/// As read(2), but begun again where a signal interrupts it.
ssize_t read_some(int fd, char* buffer, std::size_t size) noexcept;

/// As read(2), but less than `size` is the end of the file.
ssize_t read_full(int fd, char* buffer, std::size_t size) noexcept;

// --- writing

/// Writes all of `data`. Throws Error(failed) naming `what`, if it isn't empty.
void write_all(int fd, std::string_view data, std::string_view what = {});

/// Makes the file `path` with `content`, or gives it that in the place of what it had; mode 0600
/// where it is new. Throws Error(failed); the content may be half there then.
void put_content(const std::filesystem::path& path, std::string_view content);

/// Writes `text` with one write(2) to a file that exists, as /proc demands. Throws Error(failed).
void write_existing_file(const std::string& path, std::string_view text);

/// mkdir(2). Throws Error(failed), also where there is something already.
void make_directory(const std::filesystem::path& path, mode_t mode);

/// The same, but fine where there is something already.
void make_missing_directory(const std::filesystem::path& path, mode_t mode);

/// Gives `to` the mode of `from`, and its owner where this process may: only root can. Throws
/// Error(failed).
void copy_owner_and_mode(const std::filesystem::path& from, const std::filesystem::path& to);

// --- on the way to the disk
//
// The kernel tells an error of write-back once, to the first that asks: it must not be asked
// without listening. All throw Error(failed) naming `what` or the directory.

/// Lets the disk begin with what was written, without waiting for it.
void begin_write_back(int fd, std::string_view what);

/// Waits until the data that were written are on the disk; the file's size and place need not be.
/// False where this host doesn't offer that: sync_file() is left.
bool wait_for_write_back(int fd, std::string_view what);

/// fsync(2).
void sync_file(int fd, std::string_view what);

/// fsync(2), where the file system can do that at all (not EINVAL): not each can with a directory,
/// and there is nothing more that we could do.
void sync_where_possible(int fd, std::string_view what);

/// Waits until the names in a directory are on the disk, where its file system can do that.
void sync_directory(const std::filesystem::path& directory);

/// Waits for all that was written to the file system of `directory`, by any process: one call for
/// however many files. Fails also where some of it could not be written.
void sync_file_system(const std::filesystem::path& directory);

}  // namespace wafers
