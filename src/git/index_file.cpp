#include "git/index_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "git/big_endian.h"
#include "git/index_format.h"
#include "git/sha1.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

/// A file in memory, read only. git replaces its index by rename, so what is mapped stays as it is.
class Mapping {
 public:
  Mapping(int fd, std::size_t size) : size_(size) {
    if (size_ == 0) return;
    address_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    errno_ = address_ == MAP_FAILED ? errno : 0;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (size_ > 0 && errno_ == 0) ::munmap(address_, size_);
  }
  int error() const noexcept { return errno_; }
  std::string_view view() const noexcept {
    return size_ == 0 ? std::string_view()
                      : std::string_view(static_cast<const char*>(address_), size_);
  }

 private:
  void* address_ = nullptr;
  std::size_t size_;
  int errno_ = 0;
};

/// Reads one index. Whatever the file holds, nothing outside of `data_` is looked at.
class Reader {
 public:
  Reader(std::string_view data, const fs::path& path) : data_(data), path_(path) {}

  void read(IndexFile& index, IndexFile::Checksum checksum) {
    if (data_.size() < kIndexHeaderSize + kIndexHashSize || !data_.starts_with(kIndexSignature)) {
      throw damaged("it is no index");
    }
    version_ = load_be32(data_.data() + 4);
    if (version_ < 2 || version_ > 4) {
      throw damaged("its version " + std::to_string(version_) + " is unknown");
    }
    if (checksum == IndexFile::Checksum::verified) verify_checksum();
    const std::uint32_t count = load_be32(data_.data() + 8);
    data_.remove_suffix(kIndexHashSize);
    at_ = kIndexHeaderSize;
    // No more than the file can hold: the count itself proves nothing.
    index.entries.reserve(std::min<std::size_t>(count, data_.size() / kIndexEntrySize));
    for (std::uint32_t i = 0; i < count; ++i) read_entry(index.entries);
    while (at_ < data_.size()) read_extension(index);
    // A split index begins with nameless entries, which replace some of the shared index.
    if (!ordered_ && !index.has_split_index) throw damaged("its entries are out of order");
  }

 private:
  Error damaged(const std::string& why) const {
    return Error(ErrorKind::failed,
                 "cannot read index " + wafers::quoted(path_.native()) + ": " + why,
                 "git fsck says more; git reset makes a new one");
  }

  std::string_view take(std::size_t size) {
    if (data_.size() - at_ < size) throw damaged("it ends too early");
    at_ += size;
    return data_.substr(at_ - size, size);
  }

  void verify_checksum() const {
    const std::string_view stored = data_.substr(data_.size() - kIndexHashSize);
    Oid expected;
    std::memcpy(expected.bytes.data(), stored.data(), stored.size());
    if (expected.is_zero()) return;  // index.skipHash
    Sha1 hash;
    hash.update(data_.substr(0, data_.size() - kIndexHashSize));
    if (hash.finish() != expected) throw damaged("its checksum is wrong");
  }

  void read_entry(std::vector<IndexEntry>& entries) {
    const std::size_t start = at_;
    const std::string_view fixed = take(kIndexEntrySize);
    const std::uint32_t flags = load_be16(fixed.data() + 60);
    std::uint32_t more_flags = 0;
    if ((flags & kIndexExtended) != 0) {
      if (version_ < 3) throw damaged("an entry has flags that its version doesn't have");
      more_flags = load_be16(take(2).data());
      if ((more_flags & ~(kIndexSkipWorktree | kIndexIntentToAdd)) != 0) {
        throw damaged("an entry has unknown flags");
      }
    }
    IndexEntry entry;
    read_stat(fixed, entry.stat);
    entry.mode = mode_of(load_be32(fixed.data() + 24));
    std::memcpy(entry.oid.bytes.data(), fixed.data() + 40, Oid::kSize);
    entry.stage = static_cast<int>((flags >> kIndexStageShift) & 3U);
    entry.assume_valid = (flags & kIndexAssumeValid) != 0;
    entry.skip_worktree = (more_flags & kIndexSkipWorktree) != 0;
    entry.intent_to_add = (more_flags & kIndexIntentToAdd) != 0;
    const std::string_view previous = entries.empty() ? std::string_view() : entries.back().path;
    entry.path = version_ == 4 ? compressed_name(previous) : padded_name(flags, start);
    const bool in_order = entries.empty() || previous < entry.path ||
                          (previous == entry.path && entries.back().stage < entry.stage);
    ordered_ = ordered_ && in_order && !entry.path.empty();
    entries.push_back(std::move(entry));
  }

  static void read_stat(std::string_view fixed, IndexStat& stat) {
    const auto field = [&](std::size_t offset) { return load_be32(fixed.data() + offset); };
    stat = {field(0),  field(4),  field(8),  field(12), field(16),
            field(20), field(28), field(32), field(36)};
  }

  FileMode mode_of(std::uint32_t mode) const {
    constexpr std::uint32_t kType = 0170000;
    switch (mode & kType) {
      case 0100000:
        return (mode & 0100U) != 0 ? FileMode::executable : FileMode::regular;
      case 0120000:
        return FileMode::symlink;
      case 0160000:
        return FileMode::gitlink;
      case 0040000:
        return FileMode::tree;
      default:
        throw damaged("an entry has an unknown mode");
    }
  }

  /// Versions 2 and 3: 1 to 8 zeros bring the entry to a multiple of 8 bytes.
  std::string padded_name(std::uint32_t flags, std::size_t start) {
    std::size_t length = flags & kIndexNameMask;
    if (length == kIndexNameMask) length = data_.find('\0', at_) - at_;
    if (length > data_.size() - at_) throw damaged("a name doesn't end");
    std::string name(take(length));
    if (name.find('\0') != std::string::npos) throw damaged("a name has a NUL");
    take(8 - (at_ - start) % 8);
    return name;
  }

  /// Version 4: how much to cut off the previous name, and what to put in its place.
  std::string compressed_name(std::string_view previous) {
    std::size_t cut = read_varint();
    if (cut > previous.size()) throw damaged("a name is malformed");
    const std::size_t end = data_.find('\0', at_);
    if (end == std::string_view::npos) throw damaged("a name doesn't end");
    std::string name(previous.substr(0, previous.size() - cut));
    name += take(end - at_);
    take(1);
    return name;
  }

  /// varint.c: decode_varint().
  std::size_t read_varint() {
    constexpr std::size_t kTooBig = std::size_t{1} << 40U;
    auto byte = static_cast<std::uint8_t>(take(1)[0]);
    std::size_t value = byte & 0x7FU;
    while ((byte & 0x80U) != 0) {
      byte = static_cast<std::uint8_t>(take(1)[0]);
      value = ((value + 1) << 7U) + (byte & 0x7FU);
      if (value > kTooBig) throw damaged("a number is too big");
    }
    return value;
  }

  void read_extension(IndexFile& index) {
    const std::string_view header = take(8);
    const std::string_view name = header.substr(0, 4);
    const std::string_view content = take(load_be32(header.data() + 4));
    if (name == "TREE") {
      index.cached_tree = cached_root(content, index.entries.size());
    } else if (name == "link") {
      index.has_split_index = true;
    } else if (name == "sdir") {
      index.has_sparse_dirs = true;
    } else if (name[0] < 'A' || name[0] > 'Z') {
      // Those in upper case may be ignored; without these the entries would be misunderstood.
      throw damaged("it uses the extension " + wafers::quoted(name) +
                    ", which wafers doesn't know");
    }
  }

  /// The first record is the root's: "" NUL, entry count (-1: invalid), subtrees, LF, object name.
  static std::optional<Oid> cached_root(std::string_view content, std::size_t entries) {
    const std::size_t line_end = content.find('\n');
    if (!content.starts_with('\0') || line_end == std::string_view::npos ||
        content.size() - line_end - 1 < Oid::kSize) {
      return std::nullopt;
    }
    std::size_t count = 0;
    const char* const first = content.data() + 1;
    const auto [end, error] = std::from_chars(first, content.data() + line_end, count);
    if (error != std::errc() || *end != ' ' || count != entries) return std::nullopt;
    Oid oid;
    std::memcpy(oid.bytes.data(), content.data() + line_end + 1, Oid::kSize);
    return oid;
  }

  std::string_view data_;
  const fs::path& path_;
  std::size_t at_ = 0;
  std::uint32_t version_ = 0;
  bool ordered_ = true;
};

}  // namespace

std::optional<IndexFile> IndexFile::read(const fs::path& path, Checksum checksum) {
  const std::string doing = "cannot read index " + wafers::quoted(path.native());
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    const int err = errno;
    if (err == ENOENT) return std::nullopt;
    throw Error::system(err, doing);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) {
    const int err = errno;
    throw Error::system(err, doing);
  }
  if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::failed, doing + ": it is no regular file");
  const Mapping mapping(fd.get(), static_cast<std::size_t>(info.st_size));
  if (mapping.error() != 0) throw Error::system(mapping.error(), doing);
  IndexFile index;
  index.mtime_seconds = info.st_mtim.tv_sec;
  index.mtime_nanoseconds = info.st_mtim.tv_nsec;
  Reader(mapping.view(), path).read(index, checksum);
  return index;
}

const IndexEntry* IndexFile::find(std::string_view path) const {
  auto at = std::lower_bound(
      entries.begin(), entries.end(), path,
      [](const IndexEntry& entry, std::string_view wanted) { return entry.path < wanted; });
  if (at == entries.end() || at->path != path || at->stage != 0) return nullptr;
  return &*at;
}

}  // namespace wafers::git
