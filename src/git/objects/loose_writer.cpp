#include "git/objects/loose_writer.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kOutputPiece = 64UL * 1024;
/// Descriptors kept open until their files' data is known to be written.
constexpr std::size_t kMaxUnsettled = 128;

Error zlib_error(int code) {
  return Error(ErrorKind::failed, std::string("cannot compress object: ") + ::zError(code));
}

/// Makes a new file, with the umask's permissions of a read-only file.
UniqueFd make_temporary(const fs::path& directory, fs::path& path) {
  static std::mt19937_64 random{std::random_device{}()};
  while (true) {
    std::array<char, 20> suffix{};
    std::snprintf(suffix.data(), suffix.size(), "%016llx",
                  static_cast<unsigned long long>(random()));
    path = directory / (std::string("tmp_obj_") + suffix.data());
    UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0444);
    if (fd) return fd;
    const int err = errno;
    if (err == EEXIST) continue;
    std::string hint;
    if (err == EACCES || err == EROFS) {
      hint = "new objects go into the base repository: it must be writable";
    }
    throw Error::system(err, "cannot add an object to " + in_quotes(directory.native()), hint);
  }
}

bool is_one_file_system(const fs::path& a, const fs::path& b) {
  struct stat in_a {};
  struct stat in_b {};
  return ::stat(a.c_str(), &in_a) == 0 && ::stat(b.c_str(), &in_b) == 0 &&
         in_a.st_dev == in_b.st_dev;
}

}  // namespace

std::string object_header(std::string_view type, std::uint64_t size) {
  std::string header = std::string(type) + " " + std::to_string(size);
  header += '\0';
  return header;
}

LooseWriter::LooseWriter(fs::path objects_dir, int level, SharedMode shared, Durability durability)
    : objects_dir_(std::move(objects_dir)),
      level_(level),
      shared_(shared),
      durability_(durability) {
  // These journal metadata in order: once the data of a file is written back, whatever makes a
  // later change durable makes the file so, too, and that is the fsync of the ref that is moved at
  // last. Elsewhere (btrfs, network, refs in another file system) each object gets its own fsync.
  struct statfs info {};
  ordered_ = ::statfs(objects_dir_.c_str(), &info) == 0 &&
             (info.f_type == EXT4_SUPER_MAGIC || info.f_type == XFS_SUPER_MAGIC ||
              info.f_type == TMPFS_MAGIC) &&
             is_one_file_system(objects_dir_, objects_dir_.parent_path());
}

LooseWriter::~LooseWriter() {
  for (const Staged& staged : staged_) ::unlink(staged.path.c_str());
}

fs::path LooseWriter::path_of(const Oid& oid) const {
  const std::string hex = oid.hex();
  return objects_dir_ / hex.substr(0, 2) / hex.substr(2);
}

LooseWriter::Stream::Stream(LooseWriter& writer)
    : writer_(writer),
      output_(kOutputPiece, '\0'),
      fd_(make_temporary(writer.objects_dir_, path_)) {}

/// What the other constructor has made is complete: where this one fails, the destructor runs.
LooseWriter::Stream::Stream(LooseWriter& writer, std::string_view type, std::uint64_t size)
    : Stream(writer) {
  if (const int code = ::deflateInit(&zlib_, writer.level_); code != Z_OK) throw zlib_error(code);
  deflate_piece(object_header(type, size), Z_NO_FLUSH);
}

LooseWriter::Stream::~Stream() {
  ::deflateEnd(&zlib_);
  if (fd_) ::unlink(path_.c_str());
}

void LooseWriter::Stream::write(std::string_view content) {
  while (!content.empty()) {
    // zlib counts in 32 bits.
    const std::string_view piece = content.substr(0, std::size_t{1} << 30U);
    deflate_piece(piece, Z_NO_FLUSH);
    content.remove_prefix(piece.size());
  }
}

void LooseWriter::Stream::deflate_piece(std::string_view piece, int flush) {
  // zlib takes its input by a pointer to what is not const, and doesn't write there.
  zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
  zlib_.avail_in = static_cast<uInt>(piece.size());
  int code = Z_OK;
  do {
    zlib_.next_out = reinterpret_cast<Bytef*>(output_.data());
    zlib_.avail_out = static_cast<uInt>(output_.size());
    code = ::deflate(&zlib_, flush);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) throw zlib_error(code);
    write_all(fd_.get(), std::string_view(output_).substr(0, output_.size() - zlib_.avail_out),
              path_.native());
  } while (zlib_.avail_out == 0);
}

void LooseWriter::Stream::finish(const Oid& oid) {
  deflate_piece({}, Z_FINISH);
  writer_.stage(Staged{oid, path_, std::move(fd_)});
}

void LooseWriter::add(const Oid& oid, std::string_view type, std::string_view content) {
  Stream stream(*this, type, content.size());
  stream.write(content);
  stream.finish(oid);
}

void LooseWriter::stage(Staged staged) {
  const Staged& last = staged_.emplace_back(std::move(staged));
  // The disk works while the next object is compressed.
  if (durability_ == Durability::disk && ordered_) {
    begin_write_back(last.fd.get(), last.path.native());
  }
  if (++unsettled_ >= kMaxUnsettled) settle();
}

/// Waits until the data of all staged files is on the disk, and closes them.
void LooseWriter::settle() {
  for (Staged& staged : staged_) {
    if (!staged.fd) continue;
    if (durability_ == Durability::disk &&
        !(ordered_ && wait_for_write_back(staged.fd.get(), staged.path.native()))) {
      sync_file(staged.fd.get(), staged.path.native());
    }
    staged.fd.reset();
  }
  unsettled_ = 0;
}

void LooseWriter::give_name(const Staged& staged) {
  const fs::path path = path_of(staged.oid);
  shared_.adjust(staged.path);
  if (::rename(staged.path.c_str(), path.c_str()) == 0) return;
  if (errno == ENOENT) {
    shared_.make_directories(path.parent_path());
    if (::rename(staged.path.c_str(), path.c_str()) == 0) return;
  }
  throw_errno("cannot add object", path.native());
}

void LooseWriter::publish() {
  settle();
  // In the order of writing: a tree never gets its name before what it holds. Where it fails
  // half-way, the rest is still ours to remove.
  std::reverse(staged_.begin(), staged_.end());
  while (!staged_.empty()) {
    give_name(staged_.back());
    staged_.pop_back();
  }
}

}  // namespace wafers::git
