#include "git/lock_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/file.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPatience{1000};
constexpr milliseconds kPause{2};

}  // namespace

LockFile::LockFile(fs::path file, const SharedMode& shared)
    : file_(std::move(file)), lock_(file_.native() + ".lock") {
  const steady_clock::time_point deadline = steady_clock::now() + kPatience;
  while (true) {
    fd_.reset(::open(lock_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (fd_) break;
    const int err = errno;
    const bool late = steady_clock::now() > deadline;
    if (err == ENOENT && !late) {
      // Perhaps again: who removes a ref also removes the directories that it leaves empty.
      shared.make_directories(lock_.parent_path());
    } else if (err == EEXIST && !late) {
      std::this_thread::sleep_for(kPause);
    } else if (err == EEXIST) {
      throw Error(ErrorKind::busy,
                  "cannot lock " + wafers::quoted(file_.native()) + ": another process holds " +
                      wafers::quoted(lock_.native()),
                  "if no git or wafers process is running, remove that file");
    } else {
      throw Error::system(err, "cannot make " + wafers::quoted(lock_.native()));
    }
  }
  shared.adjust(lock_);
}

LockFile::~LockFile() {
  if (fd_) ::unlink(lock_.c_str());
}

void LockFile::write(std::string_view content) { write_all(fd_.get(), content, lock_.native()); }

void LockFile::commit() {
  sync_file(fd_.get(), lock_.native());
  // Empty directories may be left where the ref is to be; git removes them too.
  if (::rename(lock_.c_str(), file_.c_str()) != 0 &&
      (errno != EISDIR || !remove_empty_tree(file_) ||
       ::rename(lock_.c_str(), file_.c_str()) != 0)) {
    const int err = errno;
    throw Error::system(err, "cannot rename " + wafers::quoted(lock_.native()) + " to " +
                                 wafers::quoted(file_.native()));
  }
  fd_.reset();
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
