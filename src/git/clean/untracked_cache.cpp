#include "git/clean/untracked_cache.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>

#include "git/clean/bitmap.h"
#include "git/index/index_format.h"
#include "git/objects/blob_id.h"
#include "git/objects/byte_reader.h"
#include "git/repository/config.h"

namespace wafers::git {
namespace {

IndexStat take_stat(ByteReader& reader) {
  IndexStat stat;
  for (std::uint32_t* field :
       {&stat.ctime_seconds, &stat.ctime_nanoseconds, &stat.mtime_seconds, &stat.mtime_nanoseconds,
        &stat.dev, &stat.ino, &stat.uid, &stat.gid, &stat.size}) {
    *field = reader.be32();
  }
  return stat;
}

/// Where and when the cache is good at all.
struct Header {
  std::string_view places;  ///< each ends in a NUL; only the first one counts
  std::uint32_t flags = 0;
  Oid info_exclude;
  Oid excludes_file;
  std::string_view ignore_file_name;
};

Header take_header(ByteReader& reader) {
  Header header;
  header.places = reader.bytes(reader.varint());
  take_stat(reader);
  take_stat(reader);
  header.flags = reader.be32();
  header.info_exclude = reader.oid();
  header.excludes_file = reader.oid();
  header.ignore_file_name = reader.until('\0');
  return header;
}

bool is_of_place(const Header& header, const std::string& worktree) {
  struct utsname system {};
  ::uname(&system);
  const std::string here = "Location " + worktree + ", system " + system.sysname;
  return !header.places.empty() && ByteReader(header.places).until('\0') == here;
}

/// Of a file that isn't there git records a name of zeros.
bool is_same_outside(const Oid& recorded, std::string_view text) {
  if (recorded.is_zero()) return text.empty();
  return UntrackedCache::is_same_file(recorded, std::string(text));
}

bool is_switched_off(const Repository& repository) {
  if (std::getenv("GIT_DISABLE_UNTRACKED_CACHE") != nullptr) return true;
  const auto value = repository.config("core.untrackedCache");
  return value && parse_bool(*value) == false;
}

/// The directories, each before those in it.
class DirectoryReader {
 public:
  DirectoryReader(ByteReader& reader, std::vector<UntrackedCache::Directory>& directories)
      : reader_(reader), directories_(directories) {}

  void read_all() {
    const std::size_t count = reader_.varint();
    ByteReader::require(count > 0 && count <= reader_.left());
    directories_.reserve(count);
    read_one(0);
    ByteReader::require(directories_.size() == count);
    const Bitmap valid = Bitmap::take(reader_, count);
    const Bitmap check_only = Bitmap::take(reader_, count);
    const Bitmap has_ignore_file = Bitmap::take(reader_, count);
    for (std::size_t i = 0; i < count; ++i) {
      directories_[i].valid = valid.test(i);
      directories_[i].check_only = check_only.test(i);
      if (valid.test(i)) directories_[i].stat = take_stat(reader_);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (has_ignore_file.test(i)) directories_[i].ignore_file = reader_.oid();
    }
  }

 private:
  void read_one(int depth) {
    ByteReader::require(depth <= kIndexDeepest);
    const std::size_t number = directories_.size();
    directories_.emplace_back();
    const std::size_t untracked = reader_.varint();
    const std::size_t subdirectories = reader_.varint();
    directories_[number].untracked_count = untracked;
    directories_[number].name = reader_.until('\0');
    for (std::size_t i = 0; i < untracked; ++i) reader_.until('\0');
    for (std::size_t i = 0; i < subdirectories; ++i) {
      directories_[number].subdirectories.push_back(directories_.size());
      read_one(depth + 1);
    }
  }

  ByteReader& reader_;
  std::vector<UntrackedCache::Directory>& directories_;
};

}  // namespace

std::optional<UntrackedCache> UntrackedCache::read(const Repository& repository,
                                                   const IndexView& index,
                                                   std::string_view excludes_file,
                                                   std::string_view info_exclude) {
  // dir.h: show whole untracked directories, and no empty ones; or everything in them.
  constexpr std::uint32_t kNormal = 6;
  constexpr std::uint32_t kAll = 0;
  if (index.untracked_cache().empty() || is_switched_off(repository)) return std::nullopt;
  try {
    ByteReader reader(index.untracked_cache());
    const Header header = take_header(reader);
    if ((header.flags != kNormal && header.flags != kAll) ||
        header.ignore_file_name != ".gitignore" ||
        !is_of_place(header, repository.worktree().native()) ||
        !is_same_outside(header.info_exclude, info_exclude) ||
        !is_same_outside(header.excludes_file, excludes_file)) {
      return std::nullopt;
    }
    UntrackedCache cache;
    DirectoryReader(reader, cache.directories_).read_all();
    return cache;
  } catch (const Malformed&) {
    return std::nullopt;
  }
}

const UntrackedCache::Directory* UntrackedCache::find(const Directory& parent,
                                                      std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      parent.subdirectories, name, {}, [this](std::size_t number) { return at(number).name; });
  if (found == parent.subdirectories.end() || at(*found).name != name) return nullptr;
  return &at(*found);
}

bool UntrackedCache::is_same_file(const std::optional<Oid>& recorded,
                                  const std::optional<std::string>& content) {
  if (!recorded || !content) return !recorded && !content;
  return blob_id(*content) == *recorded || blob_id(*content + "\n") == *recorded;
}

}  // namespace wafers::git
