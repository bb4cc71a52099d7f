#include "git/index/index_view.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "git/index/index_format.h"
#include "git/objects/big_endian.h"
#include "git/objects/byte_reader.h"
#include "git/objects/sha1.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

/// Ten million entries: an index of that size is a trap.
constexpr off_t kLargest = off_t{1} << 30;

/// A whole file in memory. Mapped where git alone writes it; a copy where the agent could cut it
/// off while we read, which ends who has it mapped by SIGBUS (mmap(2)).
class Mapping {
 public:
  Mapping(int fd, std::size_t size, IndexChecksum checksum) : size_(size) {
    if (size_ == 0) return;
    const bool copied = checksum == IndexChecksum::verified;
    address_ =
        copied ? ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
               : ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    errno_ = address_ == MAP_FAILED ? errno : 0;
    if (copied && errno_ == 0) fill_from(fd);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (size_ > 0 && address_ != MAP_FAILED) ::munmap(address_, size_);
  }
  int error() const noexcept { return errno_; }
  std::string_view view() const noexcept {
    return size_ == 0 || errno_ != 0 ? std::string_view()
                                     : std::string_view(static_cast<const char*>(address_), size_);
  }

 private:
  /// What is cut off meanwhile stays zero, and the checksum tells.
  void fill_from(int fd) {
    if (read_full(fd, static_cast<char*>(address_), size_) < 0) errno_ = errno;
  }

  void* address_ = nullptr;
  std::size_t size_;
  int errno_ = 0;
};

/// Texts that stay where they are: the names of an index of version 4, which are compressed.
class TextArena {
 public:
  /// `text` with a NUL behind it.
  std::string_view keep(std::string_view text) {
    if (left_ < text.size() + 1) {
      left_ = std::max(kBlock, text.size() + 1);
      at_ = blocks_.emplace_back(std::make_unique<char[]>(left_)).get();
    }
    char* const start = at_;
    std::memcpy(start, text.data(), text.size());
    start[text.size()] = '\0';
    at_ += text.size() + 1;
    left_ -= text.size() + 1;
    return {start, text.size()};
  }

 private:
  static constexpr std::size_t kBlock = 256UL * 1024;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace

struct IndexView::Content {
  Content(int fd, std::size_t size, IndexChecksum checksum) : mapping(fd, size, checksum) {}

  Mapping mapping;
  TextArena names;
  std::vector<IndexRecord> entries;
  IndexTime written;
  std::string_view cached_tree;
  bool has_split_index = false;
  bool has_sparse_dirs = false;
  bool has_untracked_cache = false;
  bool has_fsmonitor = false;
};

namespace {

/// Reads one index. Whatever the file holds, nothing outside of `data_` is looked at.
template <typename Content>
class Reader {
 public:
  Reader(Content& content, const fs::path& path)
      : content_(content), data_(content.mapping.view()), path_(path) {}

  void read(IndexChecksum checksum) {
    if (data_.size() < kIndexHeaderSize + kIndexHashSize || !data_.starts_with(kIndexSignature)) {
      throw damaged("it is no index");
    }
    version_ = load_be32(data_.data() + 4);
    if (version_ < 2 || version_ > 4) {
      throw damaged("its version " + std::to_string(version_) + " is unknown");
    }
    if (checksum == IndexChecksum::verified) verify_checksum();
    const std::uint32_t count = load_be32(data_.data() + 8);
    data_.remove_suffix(kIndexHashSize);
    at_ = kIndexHeaderSize;
    // No more than the file can hold: the count itself proves nothing.
    content_.entries.reserve(std::min<std::size_t>(count, data_.size() / kIndexEntrySize));
    for (std::uint32_t i = 0; i < count; ++i) read_entry();
    while (at_ < data_.size()) read_extension();
    // A split index begins with nameless entries, which replace some of the shared index.
    if (!ordered_ && !content_.has_split_index) throw damaged("its entries are out of order");
  }

 private:
  Error damaged(const std::string& why) const {
    return Error(ErrorKind::failed, "cannot read index " + in_quotes(path_.native()) + ": " + why,
                 "git fsck says more; git reset makes a new one");
  }

  std::string_view take(std::size_t size) {
    if (data_.size() - at_ < size) throw damaged("it ends too early");
    at_ += size;
    return data_.substr(at_ - size, size);
  }

  void verify_checksum() const {
    const std::string_view stored = data_.substr(data_.size() - kIndexHashSize);
    const Oid expected = Oid::from_bytes(stored);
    if (expected.is_zero()) return;  // index.skipHash
    Sha1 hash;
    hash.update(data_.substr(0, data_.size() - kIndexHashSize));
    if (hash.finish() != expected) throw damaged("its checksum is wrong");
  }

  void read_entry() {
    const std::size_t start = at_;
    const std::string_view fixed = take(kIndexEntrySize);
    std::uint32_t flags = load_be16(fixed.data() + kIndexFlagsAt);
    if ((flags & kIndexExtended) != 0) {
      if (version_ < 3) throw damaged("an entry has flags that its version doesn't have");
      const std::uint32_t more = load_be16(take(2).data());
      if ((more & ~(kIndexSkipWorktree | kIndexIntentToAdd)) != 0) {
        throw damaged("an entry has unknown flags");
      }
      flags |= more << kIndexSecondWord;
    }
    check_mode(load_be32(fixed.data() + kIndexModeAt));
    const IndexRecord* const previous =
        content_.entries.empty() ? nullptr : &content_.entries.back();
    const std::string_view above = previous != nullptr ? previous->path() : std::string_view();
    const std::string_view path =
        version_ == 4 ? compressed_name(above) : padded_name(flags, start);
    const IndexRecord record(fixed.data(), path, flags);
    const bool in_order = previous == nullptr || above < path ||
                          (above == path && previous->stage() < record.stage());
    ordered_ = ordered_ && in_order && !path.empty();
    content_.entries.push_back(record);
  }

  void check_mode(std::uint32_t mode) const {
    const std::uint32_t type = mode & kIndexTypeMask;
    if (type != kIndexTypeFile && type != kIndexTypeLink && type != kIndexTypeGitlink &&
        type != kIndexTypeTree) {
      throw damaged("an entry has an unknown mode");
    }
  }

  /// Versions 2 and 3: 1 to 8 zeros bring the entry to a multiple of 8 bytes.
  std::string_view padded_name(std::uint32_t flags, std::size_t start) {
    std::size_t length = flags & kIndexNameMask;
    if (length == kIndexNameMask) length = data_.find('\0', at_) - at_;
    if (length > data_.size() - at_) throw damaged("a name doesn't end");
    const std::string_view name = take(length);
    if (name.find('\0') != std::string_view::npos) throw damaged("a name has a NUL");
    const std::string_view padding = take(8 - (at_ - start) % 8);
    if (padding.front() != '\0') throw damaged("a name doesn't end");
    return name;
  }

  /// Version 4: how much to cut off the previous name, and what to put in its place.
  std::string_view compressed_name(std::string_view previous) {
    const std::size_t cut = read_varint();
    if (cut > previous.size()) throw damaged("a name is malformed");
    const std::size_t end = data_.find('\0', at_);
    if (end == std::string_view::npos) throw damaged("a name doesn't end");
    name_.assign(previous.substr(0, previous.size() - cut));
    name_ += take(end - at_);
    take(1);
    return content_.names.keep(name_);
  }

  std::size_t read_varint() {
    std::string_view rest = data_.substr(at_);
    const auto value = take_varint(rest);
    if (!value) throw damaged("a number is malformed");
    at_ = data_.size() - rest.size();
    return *value;
  }

  void read_extension() {
    const std::string_view header = take(8);
    const std::string_view name = header.substr(0, 4);
    const std::string_view body = take(load_be32(header.data() + 4));
    if (name == "TREE") {
      content_.cached_tree = body;
    } else if (name == "link") {
      content_.has_split_index = true;
    } else if (name == "sdir") {
      content_.has_sparse_dirs = true;
    } else if (name == "UNTR") {
      content_.has_untracked_cache = true;
    } else if (name == "FSMN") {
      content_.has_fsmonitor = true;
    } else if (name[0] < 'A' || name[0] > 'Z') {
      // Those in upper case may be ignored; without these the entries would be misunderstood.
      throw damaged("it uses the extension " + in_quotes(name) + ", which wafers doesn't know");
    }
  }

  Content& content_;
  std::string_view data_;
  const fs::path& path_;
  std::string name_;
  std::size_t at_ = 0;
  std::uint32_t version_ = 0;
  bool ordered_ = true;
};

}  // namespace

FileMode IndexRecord::mode() const {
  const std::uint32_t mode = load_be32(fixed_ + kIndexModeAt);
  switch (mode & kIndexTypeMask) {
    case kIndexTypeLink:
      return FileMode::symlink;
    case kIndexTypeGitlink:
      return FileMode::gitlink;
    case kIndexTypeTree:
      return FileMode::tree;
    default:
      return (mode & 0100U) != 0 ? FileMode::executable : FileMode::regular;
  }
}

Oid IndexRecord::oid() const { return Oid::from_bytes({fixed_ + kIndexOidAt, Oid::kSize}); }

IndexStat IndexRecord::stat() const {
  const auto field = [this](std::size_t offset) { return load_be32(fixed_ + offset); };
  return {field(0),  field(4),           field(8),           field(12), field(16),
          field(20), field(kIndexUidAt), field(kIndexGidAt), field(36)};
}

int IndexRecord::stage() const noexcept {
  return static_cast<int>((flags_ >> kIndexStageShift) & 3U);
}

bool IndexRecord::assume_valid() const noexcept { return (flags_ & kIndexAssumeValid) != 0; }

bool IndexRecord::skip_worktree() const noexcept {
  return (flags_ & (kIndexSkipWorktree << kIndexSecondWord)) != 0;
}

bool IndexRecord::intent_to_add() const noexcept {
  return (flags_ & (kIndexIntentToAdd << kIndexSecondWord)) != 0;
}

IndexEntry IndexRecord::entry() const {
  return {.path = std::string(path_),
          .mode = mode(),
          .oid = oid(),
          .stat = stat(),
          .stage = stage(),
          .assume_valid = assume_valid(),
          .skip_worktree = skip_worktree(),
          .intent_to_add = intent_to_add()};
}

IndexView::IndexView(std::unique_ptr<Content> content) : content_(std::move(content)) {}
IndexView::IndexView(IndexView&&) noexcept = default;
IndexView& IndexView::operator=(IndexView&&) noexcept = default;
IndexView::~IndexView() = default;

std::optional<IndexView> IndexView::open(const fs::path& path, IndexChecksum checksum) {
  const std::string doing = "cannot read index " + in_quotes(path.native());
  const UniqueFd fd = open_file(path, O_RDONLY | O_NONBLOCK);
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
  if (info.st_size > kLargest) throw Error(ErrorKind::failed, doing + ": it is larger than 1 GiB");
  auto content =
      std::make_unique<Content>(fd.get(), static_cast<std::size_t>(info.st_size), checksum);
  if (content->mapping.error() != 0) throw Error::system(content->mapping.error(), doing);
  content->written = {info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
  Reader(*content, path).read(checksum);
  return IndexView(std::move(content));
}

IndexView IndexView::empty() {
  return IndexView(std::make_unique<Content>(-1, 0, IndexChecksum::trusted));
}

std::span<const IndexRecord> IndexView::entries() const noexcept { return content_->entries; }

const IndexRecord* IndexView::find(std::string_view path) const {
  const auto& entries = content_->entries;
  const auto at = std::ranges::lower_bound(entries, path, std::ranges::less(), &IndexRecord::path);
  if (at == entries.end() || at->path() != path || at->stage() != 0) return nullptr;
  return &*at;
}

const IndexTime& IndexView::written() const noexcept { return content_->written; }
std::string_view IndexView::cached_tree() const noexcept { return content_->cached_tree; }
bool IndexView::has_split_index() const noexcept { return content_->has_split_index; }
bool IndexView::has_sparse_dirs() const noexcept { return content_->has_sparse_dirs; }
bool IndexView::has_untracked_cache() const noexcept { return content_->has_untracked_cache; }
bool IndexView::has_fsmonitor() const noexcept { return content_->has_fsmonitor; }

}  // namespace wafers::git
