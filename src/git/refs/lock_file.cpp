#include "git/refs/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPatience{1000};
constexpr milliseconds kPause{2};

/// The mtime of our locks: "WAFE" and "RS".
constexpr timespec kMark{0x57414645, 0x5253};

std::string path_of_fd(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool is_marked(const struct stat& info) {
  return S_ISREG(info.st_mode) && info.st_mtim.tv_sec == kMark.tv_sec &&
         info.st_mtim.tv_nsec == kMark.tv_nsec;
}

/// Only what holds an flock(2) may be marked: the mark alone says that no process needs it.
void mark(int fd) {
  constexpr std::array<timespec, 2> kTimes{timespec{0, UTIME_OMIT}, kMark};
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) std::ignore = ::futimens(fd, kTimes.data());
}

bool has_no_unnamed_files(int err) { return err == EOPNOTSUPP || err == EISDIR || err == EINVAL; }

}  // namespace

LockFile::LockFile(fs::path file, const SharedMode& shared, std::string_view content)
    : file_(std::move(file)), lock_(file_.native() + ".lock") {
  const steady_clock::time_point deadline = steady_clock::now() + kPatience;
  while (true) {
    const int err = try_to_take(shared, content);
    if (err == 0) break;
    const bool late = steady_clock::now() > deadline;
    if (err == ENOENT && !late) {
      // Perhaps again: who removes a ref also removes the directories that it leaves empty.
      shared.make_directories(lock_.parent_path());
    } else if (err == EEXIST && !late) {
      take_away_dead_lock(file_);
      std::this_thread::sleep_for(kPause);
    } else if (err == EEXIST) {
      throw Error(ErrorKind::busy,
                  "cannot lock " + in_quotes(file_.native()) + ": another process holds " +
                      in_quotes(lock_.native()),
                  "if no git or wafers process is running, remove that file");
    } else {
      throw Error::system(err, "cannot make " + in_quotes(lock_.native()));
    }
  }
  taken_ = true;
}

/// The errno where it can't be had.
int LockFile::try_to_take(const SharedMode& shared, std::string_view content) {
  if (!fd_) {
    fd_ = open_file(lock_.parent_path(), O_TMPFILE | O_RDWR, 0666);
    const int err = errno;
    if (fd_) {
      prepare(shared, content);
    } else if (!has_no_unnamed_files(err)) {
      return err;
    }
  }
  if (fd_) {
    const std::string unnamed = path_of_fd(fd_.get());
    const int result =
        ::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, lock_.c_str(), AT_SYMLINK_FOLLOW);
    return result == 0 ? 0 : errno;
  }
  fd_ = open_file(lock_, O_RDWR | O_CREAT | O_EXCL, 0666);
  if (!fd_) return errno;
  try {
    prepare(shared, content);
  } catch (const Error&) {
    ::unlink(lock_.c_str());
    throw;
  }
  return 0;
}

void LockFile::prepare(const SharedMode& shared, std::string_view content) {
  write_all(fd_.get(), content, lock_.native());
  shared.adjust(fd_.get(), lock_);
  mark(fd_.get());
}

LockFile::~LockFile() {
  if (taken_) ::unlink(lock_.c_str());
}

void LockFile::commit() {
  sync_file(fd_.get(), lock_.native());
  take_place(nullptr);
}

void LockFile::commit_unsynced(timespec modified) {
  const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, modified};
  take_place(times.data());
}

/// `times` are those of futimens(2).
void LockFile::take_place(const timespec* times) {
  // Empty directories may be left where the ref is to be; git removes them too.
  if (::rename(lock_.c_str(), file_.c_str()) != 0 &&
      (errno != EISDIR || !remove_empty_tree(file_) ||
       ::rename(lock_.c_str(), file_.c_str()) != 0)) {
    const int err = errno;
    throw Error::system(
        err, "cannot rename " + in_quotes(lock_.native()) + " to " + in_quotes(file_.native()));
  }
  taken_ = false;
  std::ignore = ::futimens(fd_.get(), times);  // what has no mark any more is an ordinary file
  fd_.reset();
}

void take_away_dead_lock(const fs::path& file) noexcept {
  const std::string lock = file.native() + ".lock";
  const UniqueFd fd = open_file(lock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat opened {};
  if (!fd || ::fstat(fd.get(), &opened) != 0 || !is_marked(opened)) return;
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return;
  // Its owner may have been done with it before the flock was ours. Now no other wafers process
  // touches what has this name as long as it is this file.
  struct stat named {};
  if (::lstat(lock.c_str(), &named) == 0 && is_same_file(named, opened)) ::unlink(lock.c_str());
}

bool remove_empty_tree(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_directory(error) || it->is_symlink(error) || !remove_empty_tree(it->path())) {
      errno = ENOTEMPTY;
      return false;
    }
  }
  return ::rmdir(directory.c_str()) == 0;
}

void remove_empty_parents(fs::path directory, const fs::path& top) {
  while (directory != top && directory.has_relative_path() && ::rmdir(directory.c_str()) == 0) {
    directory = directory.parent_path();
  }
}

}  // namespace wafers::git
