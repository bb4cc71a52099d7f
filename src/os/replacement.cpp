#include "os/replacement.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "os/files.h"
#include "os/remove_tree.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnique = "XXXXXX";

/// Makes a file of our own; gives `path` its name where that is a unique one. What has the name
/// already, what a killed process left, or a fifo or a link that was put there, goes.
UniqueFd make_file(fs::path& path, mode_t mode) {
  constexpr int kTries = 10;
  for (int tries = 1;; ++tries) {
    std::string name = path.native();
    UniqueFd fd(
        name.ends_with(kUnique)
            ? ::mkostemp(name.data(), O_CLOEXEC)
            : ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    const int err = errno;
    if (fd) {
      path = name;
      return fd;
    }
    if (err != EEXIST || tries == kTries) {
      throw Error::system(err, "cannot make " + in_quotes(path.native()));
    }
    remove_tree(path);
  }
}

}  // namespace

Replacement::Replacement(fs::path path, std::string_view suffix, mode_t mode)
    : path_(std::move(path)), temporary_(path_.native() + std::string(suffix)), mode_(mode) {}

Replacement::Replacement(Replacement&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      mode_(other.mode_) {}

Replacement::~Replacement() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void Replacement::write(std::string_view content, Sync sync) {
  const UniqueFd fd = make_file(temporary_, mode_);
  write_all(fd.get(), content, temporary_.native());
  if (sync == Sync::yes) sync_where_possible(fd.get(), temporary_.native());
}

void Replacement::take_place() {
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw_errno("cannot replace", path_.native());
  }
  temporary_.clear();
}

}  // namespace wafers
