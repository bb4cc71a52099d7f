#include "git/clean/private_index.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "git/index/index_view.h"
#include "git/objects/object.h"
#include "os/files.h"
#include "os/process.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPrivateMode = 0600;

/// Less is read, or written, within a millisecond or two, and most files that git has to read are
/// racy ones, which it will put right itself at its next refresh.
constexpr std::uint64_t kWorthIt = 512UL * 1024;

/// What tells one state of an index from all others: its checksum, and when it was written, as that
/// may be left out (index.skipHash). The boot as well: what is remembered isn't synced to the disk.
std::string version_of(int fd, const struct stat& st) {
  std::array<char, Oid::kSize> checksum{};
  const off_t at = st.st_size - static_cast<off_t>(checksum.size());
  const ssize_t got = at < 0 ? 0 : ::pread(fd, checksum.data(), checksum.size(), at);
  const std::string hex = got == static_cast<ssize_t>(checksum.size())
                              ? Oid::from_bytes({checksum.data(), checksum.size()}).hex()
                              : "";
  return hex + "-" + std::to_string(st.st_mtim.tv_sec) + "-" + std::to_string(st.st_mtim.tv_nsec) +
         "-" + boot_id();
}

ino_t inode_of(const fs::path& path) noexcept {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? st.st_ino : 0;
}

/// How much git would have to read with the one index that it needn't with the other.
std::uint64_t bytes_saved(const IndexView& before, const IndexView& after) {
  std::uint64_t bytes = 0;
  if (before.entries().size() != after.entries().size()) return bytes;
  for (std::size_t i = 0; i < after.entries().size(); ++i) {
    const IndexStat was = before.entries()[i].stat();
    const IndexStat is = after.entries()[i].stat();
    if (was != is || was.mtime_seconds >= before.written().seconds) bytes += is.size;
  }
  return bytes;
}

}  // namespace

PrivateIndex::PrivateIndex(const Repository& repository, fs::path path, fs::path memory)
    : index_(repository.git_dir() / "index"),
      path_(std::move(path)),
      memory_(std::move(memory)),
      repository_(identity_of(repository.git_dir())) {
  take(Memory::believed);
}

void PrivateIndex::take(Memory memory) {
  const UniqueFd fd = open_file(index_, O_RDONLY | O_NONBLOCK);
  if (!fd && errno == ENOENT) return;
  struct stat st {};
  if (!fd || ::fstat(fd.get(), &st) != 0) throw_errno("cannot read index", index_.native());
  version_ = version_of(fd.get(), st);
  // A second name does for a copy: git never writes into an index, it replaces it.
  is_remembered_ = memory == Memory::believed && ::link(remembered().c_str(), path_.c_str()) == 0;
  if (!is_remembered_) copy(fd.get(), st);
  taken_ = inode_of(path_);
}

void PrivateIndex::copy(int fd, const struct stat& st) const {
  std::error_code error;
  fs::copy_file(path_of_fd(fd), path_, error);
  if (error) throw Error::system(error.value(), "cannot copy index " + in_quotes(index_.native()));
  // An entry that is as new as its index proves nothing: the copy mustn't look newer.
  const std::array<timespec, 2> times{st.st_atim, st.st_mtim};
  if (::utimensat(AT_FDCWD, path_.c_str(), times.data(), 0) != 0) {
    throw_errno("cannot set the time of", path_.native());
  }
}

bool PrivateIndex::is_refreshed() const noexcept { return inode_of(path_) != taken_; }

bool PrivateIndex::forget() {
  if (!is_remembered_) return false;
  ::unlink(path_.c_str());
  take(Memory::forgotten);
  return true;
}

IndexView PrivateIndex::open() {
  try {
    auto view = IndexView::open(path_, IndexChecksum::trusted);
    return view ? *std::move(view) : IndexView::empty();
  } catch (const Error&) {
    if (forget()) return open();
    IndexView::open(index_, IndexChecksum::trusted);  // says the same of the index, by its name
    throw;
  }
}

bool PrivateIndex::knows(const std::string& fact) const {
  return learnt_.contains(fact) || (!version_.empty() && fs::exists(noted(fact)));
}

void PrivateIndex::remember() const noexcept {
  if (version_.empty()) return;
  try {
    const bool large = fs::file_size(path_) >= kWorthIt;
    const bool keeps_index = is_refreshed() && (large || saves_reading());
    if (!keeps_index && (!large || learnt_.empty())) return;
    fs::create_directory(memory_);
    if (keeps_index) fs::rename(path_, remembered());
    write_facts();
    forget_earlier_indexes();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): as said
  }
}

void PrivateIndex::write_facts() const {
  for (const std::string& fact : learnt_) {
    open_or_throw(noted(fact), O_WRONLY | O_CREAT, kPrivateMode);
  }
}

void PrivateIndex::forget_earlier_indexes() const {
  const std::string of_this = repository_ + "-" + version_;
  for (const auto& entry : fs::directory_iterator(memory_)) {
    const std::string name = entry.path().filename();
    const bool of_repository = name == repository_ || name.starts_with(repository_ + "-");
    if (of_repository && !name.starts_with(of_this)) fs::remove(entry.path());
  }
}

bool PrivateIndex::saves_reading() const {
  const auto before = IndexView::open(index_, IndexChecksum::trusted);
  const auto after = IndexView::open(path_, IndexChecksum::trusted);
  return before && after && bytes_saved(*before, *after) >= kWorthIt;
}

}  // namespace wafers::git
