#include "git/objects/pack_writer.h"

#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <new>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/objects/big_endian.h"
#include "git/objects/sha1.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeaderSize = 12;
/// Objects that wait to be compressed are kept in memory up to this many bytes.
constexpr std::size_t kMaxWaiting = 16UL * 1024 * 1024;
/// The disk is told to begin with its work after so many bytes.
constexpr std::uint64_t kWriteBack = 8UL * 1024 * 1024;

void append_be32(std::string& out, std::uint32_t value) {
  std::array<char, 4> bytes{};
  store_be32(bytes.data(), value);
  out.append(bytes.data(), bytes.size());
}

void append_oid(std::string& out, const Oid& oid) {
  out.append(oid.bytes.begin(), oid.bytes.end());
}

std::string pack_header(std::size_t count) {
  std::string header = "PACK";
  append_be32(header, 2);
  append_be32(header, static_cast<std::uint32_t>(count));
  return header;
}

/// Type and size: 4 bits of the size in the first byte, then 7 in each.
std::string entry_header(git_object_t type, std::uint64_t size) {
  std::string header;
  auto byte = static_cast<unsigned>(type) << 4U | static_cast<unsigned>(size & 0xFU);
  for (size >>= 4U; size != 0; size >>= 7U) {
    header += static_cast<char>(byte | 0x80U);
    byte = static_cast<unsigned>(size & 0x7FU);
  }
  header += static_cast<char>(byte);
  return header;
}

/// Makes zlib streams of what is in memory as a whole: libdeflate takes half of zlib's time for it.
class Compressor {
 public:
  explicit Compressor(int level)
      : compressor_(::libdeflate_alloc_compressor(level), ::libdeflate_free_compressor) {
    if (!compressor_) throw std::bad_alloc();
  }

  void append(std::string_view content, std::string& out) {
    const std::size_t start = out.size();
    const std::size_t bound = ::libdeflate_zlib_compress_bound(compressor_.get(), content.size());
    out.resize(start + bound);
    const std::size_t length = ::libdeflate_zlib_compress(
        compressor_.get(), content.data(), content.size(), out.data() + start, bound);
    // With as much room as the bound says there is no failure; but a commit hangs on it.
    if (length == 0) throw Error(ErrorKind::failed, "cannot compress object");
    out.resize(start + length);
  }

 private:
  std::unique_ptr<libdeflate_compressor, decltype(&::libdeflate_free_compressor)> compressor_;
};

/// Git's levels are zlib's: -1 is the default of the library, which is 6.
int level_of_library(int level) { return level < 0 ? 6 : level; }

/// An object as it stands in the pack.
std::string packed(const PackWriter::Object& object, int level) {
  thread_local Compressor compressor(level_of_library(level));  // all packs have the same level
  std::string out = entry_header(object.type, object.content.size());
  compressor.append(object.content, out);
  out.shrink_to_fit();
  return out;
}

std::uint32_t crc_of(std::string_view data) {
  return ::libdeflate_crc32(0, data.data(), data.size());
}

UniqueFd make_temporary(const fs::path& directory, const char* prefix, fs::path& path) {
  std::string name = directory / (std::string(prefix) + "XXXXXX");
  UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) {
    const int err = errno;
    const bool denied = err == EACCES || err == EROFS;
    throw Error::system(
        err, "cannot add a pack to " + in_quotes(directory.native()),
        denied ? "new objects go into the base repository: it must be writable" : "");
  }
  path = name;
  return fd;
}

/// The permissions that the umask leaves a read-only file; mkstemp(3) gives fewer.
void make_readable(int fd) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(fd, 0444U & ~mask);
}

}  // namespace

PackWriter::PackWriter(const fs::path& objects_dir, int level, SharedMode shared,
                       Durability durability, std::function<void(const Object&)> inspect)
    : directory_(objects_dir / "pack"),
      level_(level),
      shared_(shared),
      durability_(durability),
      inspect_(std::move(inspect)),
      queue_(kMaxWaiting, [this](const Object& object) { write_object(object); }) {}

PackWriter::~PackWriter() {
  queue_.cancel();
  forget();
}

void PackWriter::forget() noexcept {
  if (!pack_path_.empty()) ::unlink(pack_path_.c_str());
  if (!index_path_.empty()) ::unlink(index_path_.c_str());
  pack_path_.clear();
  index_path_.clear();
  fd_.reset();
  size_ = 0;
  written_back_ = 0;
  entries_.clear();
  known_.clear();
}

void PackWriter::begin() {
  shared_.make_directories(directory_);
  fd_ = make_temporary(directory_, "tmp_pack_", pack_path_);
  put(pack_header(0));  // the number of objects comes last
}

void PackWriter::put(std::string_view data) {
  write_all(fd_.get(), data, pack_path_.native());
  size_ += data.size();
}

void PackWriter::add(Object object) {
  if (!fd_) begin();
  known_.insert(object.oid);
  const std::size_t size = object.content.size();
  queue_.add(std::move(object), size);
}

void PackWriter::write_object(const Object& object) {
  inspect_(object);
  const std::string data = packed(object, level_);
  const std::uint32_t crc = crc_of(data);
  const std::lock_guard lock(mutex_);
  entries_.push_back({object.oid, crc, size_});
  put(data);
  if (durability_ == Durability::none || size_ - written_back_ < kWriteBack) return;
  // The disk works while the next objects are compressed.
  begin_write_back(fd_.get(), pack_path_.native());
  written_back_ = size_;
}

/// Writes the number of objects into the header and the checksum of it all behind the last one.
Oid PackWriter::finish_pack() {
  const std::string header = pack_header(entries_.size());
  if (::pwrite(fd_.get(), header.data(), header.size(), 0) != static_cast<ssize_t>(kHeaderSize)) {
    throw_errno("cannot write", pack_path_.native());
  }
  Sha1 hash;
  std::string buffer(128UL * 1024, '\0');
  for (std::uint64_t at = 0; at < size_;) {
    const ssize_t got = ::pread(fd_.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (got <= 0) {
      const int err = got == 0 ? EIO : errno;
      if (err == EINTR) continue;
      throw Error::system(err, "cannot read " + in_quotes(pack_path_.native()));
    }
    hash.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
    at += static_cast<std::uint64_t>(got);
  }
  const Oid checksum = hash.finish();
  std::string trailer;
  append_oid(trailer, checksum);
  put(trailer);
  return checksum;
}

/// gitformat-pack(5), "Version 2 pack-*.idx files".
std::string PackWriter::index_of(const Oid& checksum) {
  constexpr std::uint64_t kLargeOffset = std::uint64_t{1} << 31U;
  std::ranges::sort(entries_, {}, &Entry::oid);
  std::string out = "\377tOc";
  append_be32(out, 2);
  auto entry = entries_.begin();
  for (unsigned first = 0; first < 256; ++first) {
    while (entry != entries_.end() && entry->oid.bytes[0] <= first) ++entry;
    append_be32(out, static_cast<std::uint32_t>(entry - entries_.begin()));
  }
  for (const Entry& one : entries_) append_oid(out, one.oid);
  for (const Entry& one : entries_) append_be32(out, one.crc);
  std::string large;
  for (const Entry& one : entries_) {
    if (one.offset < kLargeOffset) {
      append_be32(out, static_cast<std::uint32_t>(one.offset));
      continue;
    }
    append_be32(out, static_cast<std::uint32_t>(kLargeOffset | large.size() / 8));
    append_be32(large, static_cast<std::uint32_t>(one.offset >> 32U));
    append_be32(large, static_cast<std::uint32_t>(one.offset));
  }
  out += large;
  append_oid(out, checksum);
  Sha1 hash;
  hash.update(out);
  append_oid(out, hash.finish());
  return out;
}

void PackWriter::sync(int fd, const fs::path& path) const {
  if (durability_ == Durability::disk) sync_file(fd, path.native());
}

void PackWriter::write_index(const std::string& content) {
  const UniqueFd fd = make_temporary(directory_, "tmp_idx_", index_path_);
  write_all(fd.get(), content, index_path_.native());
  make_readable(fd.get());
  sync(fd.get(), index_path_);
}

/// The pack first: what has an index is looked for in its pack.
void PackWriter::give_names(const Oid& checksum) {
  const fs::path name = directory_ / ("pack-" + checksum.hex());
  for (const auto& [path, suffix] : {std::pair(&pack_path_, ".pack"), {&index_path_, ".idx"}}) {
    shared_.adjust(*path);
    const fs::path final_name = name.native() + suffix;
    if (::rename(path->c_str(), final_name.c_str()) != 0) {
      throw_errno("cannot add pack", final_name.native());
    }
    path->clear();
  }
  if (durability_ == Durability::disk) sync_directory(directory_);
}

void PackWriter::publish() {
  if (!fd_) return;
  queue_.finish();
  const Oid checksum = finish_pack();
  make_readable(fd_.get());
  sync(fd_.get(), pack_path_);
  write_index(index_of(checksum));
  give_names(checksum);
  forget();
}

}  // namespace wafers::git
