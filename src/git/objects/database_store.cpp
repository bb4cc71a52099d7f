#include "git/objects/database_store.h"

#include <git2/sys/odb_backend.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/objects/library.h"
#include "os/files.h"

namespace wafers::git {
namespace {

constexpr std::size_t kPiece = 128UL * 1024;
/// Objects waiting for flush() are kept in memory up to this many bytes.
constexpr std::size_t kMaxPending = 16UL * 1024 * 1024;
/// So many objects of one flush() go into a pack, as git keeps the pack of a fetch
/// (fetch.unpackLimit).
constexpr std::size_t kUnpackLimit = 100;
/// Larger blobs are streamed into a loose object, so that memory stays bounded.
constexpr std::uint64_t kLargestInMemory = 1024UL * 1024;

std::string describe(const Oid& oid, git_object_t type) {
  return std::string(git_object_type2string(type)) + " " + oid.hex();
}

/// Calls `use` with each piece of the next `size` bytes of `fd`, which must end there.
template <typename Use>
void for_each_piece(int fd, std::uint64_t size, Use use) {
  std::string buffer(std::min<std::uint64_t>(size + 1, kPiece), '\0');
  std::uint64_t left = size;
  while (true) {
    const ssize_t got = read_some(fd, buffer.data(), buffer.size());
    if (got < 0) throw_errno("cannot read file");
    if (got == 0 && left == 0) return;
    if (got == 0 || static_cast<std::uint64_t>(got) > left) {
      throw Error(ErrorKind::failed, "cannot read file: its size changed meanwhile");
    }
    use(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
    left -= static_cast<std::uint64_t>(got);
  }
}

/// tree-walk.c: canon_mode().
FileMode canonical_mode(std::uint32_t mode) {
  constexpr std::uint32_t kType = 0170000;
  if ((mode & kType) == 0100000) {
    return (mode & 0100U) != 0 ? FileMode::executable : FileMode::regular;
  }
  if ((mode & kType) == 0120000) return FileMode::symlink;
  if ((mode & kType) == 0040000) return FileMode::tree;
  return FileMode::gitlink;
}

}  // namespace

std::vector<TreeEntry> parse_tree(std::string_view content, const Oid& tree) {
  const auto malformed = [&] {
    return Error(ErrorKind::failed, "cannot read tree " + tree.hex() + ": it is malformed");
  };
  std::vector<TreeEntry> entries;
  while (!content.empty()) {
    std::uint32_t mode = 0;
    std::size_t at = 0;
    for (; at < content.size() && content[at] != ' '; ++at) {
      if (content[at] < '0' || content[at] > '7' || at > 6) throw malformed();
      mode = mode * 8 + static_cast<std::uint32_t>(content[at] - '0');
    }
    const std::size_t end = content.find('\0', at);
    if (at == 0 || end == std::string_view::npos || content.size() - end - 1 < Oid::kSize) {
      throw malformed();
    }
    TreeEntry& entry = entries.emplace_back();
    entry.mode = canonical_mode(mode);
    entry.name = content.substr(at + 1, end - at - 1);
    if (entry.name.empty() || entry.name.find('/') != std::string::npos) throw malformed();
    entry.oid = Oid::from_bytes(content.substr(end + 1));
    content.remove_prefix(end + 1 + Oid::kSize);
  }
  return entries;
}

DatabaseStore::DatabaseStore(Settings settings, Writes writes)
    : settings_(std::move(settings)),
      writes_(writes),
      loose_(settings_.objects_dir, settings_.level, settings_.shared, settings_.durability),
      pack_(settings_.objects_dir, settings_.level, settings_.shared, settings_.durability,
            [this](const PackWriter::Object& object) { compare(object); }) {
  ensure_library();
  // libgit2 never looks for packs where their directory wasn't there when it opened the database
  // (odb_pack.c: git_odb_backend_pack()); git makes it with the first pack.
  if (writes_ == Writes::to_database) {
    settings_.shared.make_directories(settings_.objects_dir / "pack");
  }
  check(git_odb_open(Out(odb_), settings_.objects_dir.c_str()), "cannot open object database");
  if (!settings_.also_read.empty()) {
    check(git_odb_add_disk_alternate(odb_.get(), settings_.also_read.c_str()),
          "cannot open object database");
  }
  memory_.attach_to(odb_.get());
}

void DatabaseStore::throw_missing(const std::string& doing) const {
  if (fetch_failure_.empty()) throw_library_error(doing, {});
  throw Error(ErrorKind::failed, doing + ": " + fetch_failure_, settings_.promisor.hint());
}

/// Without looking for new packs.
bool DatabaseStore::is_there(const Oid& oid) const {
  const git_oid raw = to_library(oid);
  return git_odb_exists_ext(odb_.get(), &raw, GIT_ODB_LOOKUP_NO_REFRESH) == 1;
}

/// Whether it is worth looking again.
bool DatabaseStore::fetch(const std::vector<Oid>& missing) {
  if (settings_.promisor.empty() || !fetch_failure_.empty()) return false;
  fetch_failure_ = settings_.promisor.fetch(missing);
  return fetch_failure_.empty();
}

void DatabaseStore::prefetch(const std::vector<Oid>& wanted) {
  if (settings_.promisor.empty()) return;
  std::vector<Oid> missing;
  for (const Oid& oid : wanted) {
    if (!pack_.contains(oid) && !is_there(oid)) missing.push_back(oid);
  }
  if (!missing.empty() && fetch(missing)) check(git_odb_refresh(odb_.get()), "cannot read packs");
}

void DatabaseStore::make_readable(const Oid& oid) {
  if (memory_.find(oid) != nullptr) return;
  if (loose_.has_unpublished()) loose_.publish();
  if (pack_.contains(oid)) pack_.publish();
}

OdbObjectHandle DatabaseStore::read(const Oid& oid, git_object_t type) {
  make_readable(oid);
  const git_oid raw = to_library(oid);
  const std::string doing = "cannot read " + describe(oid, type);
  OdbObjectHandle object;
  int result = git_odb_read(Out(object), odb_.get(), &raw);
  if (result == GIT_ENOTFOUND && fetch({oid})) {
    result = git_odb_read(Out(object), odb_.get(), &raw);
  }
  if (result == GIT_ENOTFOUND) throw_missing(doing);
  check(result, doing);
  if (git_odb_object_type(object.get()) != type) {
    throw Error(ErrorKind::failed,
                doing + ": it is a " + git_object_type2string(git_odb_object_type(object.get())));
  }
  return object;
}

std::vector<TreeEntry> DatabaseStore::read_tree(const Oid& tree) {
  const OdbObjectHandle object = read(tree, GIT_OBJECT_TREE);
  const auto* data = static_cast<const char*>(git_odb_object_data(object.get()));
  return parse_tree({data, git_odb_object_size(object.get())}, tree);
}

void DatabaseStore::with_blob(const Oid& blob, const std::function<void(std::string_view)>& use) {
  const OdbObjectHandle object = read(blob, GIT_OBJECT_BLOB);
  const auto* data = static_cast<const char*>(git_odb_object_data(object.get()));
  use({data, git_odb_object_size(object.get())});
}

std::string DatabaseStore::read_blob(const Oid& blob) {
  std::string copy;
  with_blob(blob, [&](std::string_view content) { copy = content; });
  return copy;
}

std::uint64_t DatabaseStore::object_size(const Oid& oid) {
  make_readable(oid);
  const git_oid raw = to_library(oid);
  const std::string doing = "cannot read object " + oid.hex();
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  int result = git_odb_read_header(&size, &type, odb_.get(), &raw);
  if (result == GIT_ENOTFOUND && fetch({oid})) {
    result = git_odb_read_header(&size, &type, odb_.get(), &raw);
  }
  if (result == GIT_ENOTFOUND) throw_missing(doing);
  check(result, doing);
  return size;
}

Oid DatabaseStore::hash_blob(std::string_view content) {
  git_oid oid;
  check(git_odb_hash(&oid, content.data(), content.size(), GIT_OBJECT_BLOB), "cannot hash");
  return from_library(oid);
}

/// Packs are not looked for anew.
bool DatabaseStore::holds(const Oid& oid) {
  if (memory_.find(oid) != nullptr || pack_.contains(oid)) return true;
  const git_oid raw = to_library(oid);
  if (writes_ == Writes::to_memory || !settings_.also_read.empty()) {
    return git_odb_exists_ext(odb_.get(), &raw, GIT_ODB_LOOKUP_NO_REFRESH) == 1;
  }
  const std::size_t count = git_odb_num_backends(odb_.get());
  for (std::size_t i = 0; i < count; ++i) {
    git_odb_backend* backend = nullptr;
    check(git_odb_get_backend(&backend, odb_.get(), i), "cannot look at object database");
    if (backend->freshen != nullptr && backend->freshen(backend, &raw) == 0) return true;
  }
  return false;
}

Oid DatabaseStore::write(std::string content, git_object_t type, const Oid& replaces) {
  git_oid raw;
  check(git_odb_hash(&raw, content.data(), content.size(), type), "cannot hash");
  const Oid oid = from_library(raw);
  if (holds(oid)) return oid;
  // Trees are few, and read again soon.
  if (type == GIT_OBJECT_BLOB && is_packing()) {
    pack_.add({oid, type, std::move(content), replaces});
  } else {
    memory_.add(oid, type, std::move(content));
  }
  return oid;
}

/// Whether there is so much that it goes into a pack, which begins with what is there already.
bool DatabaseStore::is_packing() {
  if (writes_ == Writes::to_memory) return false;
  if (!pack_.empty()) return true;
  if (memory_.order().size() < kUnpackLimit && memory_.bytes() < kMaxPending) return false;
  check(git_odb_open(Out(packed_over_), settings_.objects_dir.c_str()),
        "cannot open object database");
  pack_pending(GIT_OBJECT_BLOB);
  return true;
}

/// In a thread of the pack, which has the content in its hands: later both would have to be read.
/// What can't be read here is told where it is needed.
void DatabaseStore::compare(const PackWriter::Object& object) {
  if (object.replaces.is_zero()) return;
  const git_oid raw = to_library(object.replaces);
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (git_odb_read_header(&size, &type, packed_over_.get(), &raw) != 0) return;
  if (size > kLargestInMemory || type != GIT_OBJECT_BLOB) return;
  OdbObjectHandle before;
  if (git_odb_read(Out(before), packed_over_.get(), &raw) != 0) return;
  const auto difference = line_difference(
      {static_cast<const char*>(git_odb_object_data(before.get())), size}, object.content);
  const std::lock_guard lock(mutex_);
  differences_.try_emplace({object.replaces, object.oid}, difference);
}

std::optional<LineDifference> DatabaseStore::known_difference(const Oid& before,
                                                              const Oid& after) const {
  const std::lock_guard lock(mutex_);
  const auto found = differences_.find({before, after});
  return found == differences_.end() ? std::nullopt : std::optional(found->second);
}

Oid DatabaseStore::write_blob(std::string_view content) {
  if (writes_ == Writes::to_memory || content.size() <= kLargestInMemory) {
    return write(std::string(content), GIT_OBJECT_BLOB);
  }
  const Oid oid = hash_blob(content);
  if (!holds(oid)) loose_.add(oid, "blob", content);
  return oid;
}

Oid DatabaseStore::write_commit(std::string content) {
  return write(std::move(content), GIT_OBJECT_COMMIT);
}

Oid DatabaseStore::write_tree(std::vector<TreeEntry> entries) {
  std::sort(entries.begin(), entries.end(), tree_order_less);
  std::string content;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const TreeEntry& entry = entries[i];
    const bool valid = !entry.name.empty() && entry.name.find('/') == std::string::npos &&
                       entry.name.find('\0') == std::string::npos &&
                       entry.mode != FileMode::absent && !entry.oid.is_zero();
    if (!valid || (i > 0 && entries[i - 1].name == entry.name)) {
      throw Error(ErrorKind::failed, "cannot write a tree with the entry " + in_quotes(entry.name));
    }
    const std::string mode = to_octal(entry.mode);
    content += mode.substr(mode[0] == '0' ? 1 : 0);
    content += ' ';
    content += entry.name;
    content += '\0';
    content.append(entry.oid.bytes.begin(), entry.oid.bytes.end());
  }
  return write(std::move(content), GIT_OBJECT_TREE);
}

Oid DatabaseStore::hash_file(int fd, std::uint64_t size) {
  if (!hasher_) hasher_.emplace();
  hasher_->begin(size);
  for_each_piece(fd, size, [&](std::string_view piece) { hasher_->update(piece); });
  return hasher_->finish();
}

Oid DatabaseStore::store_file(int fd, std::uint64_t size, const Oid& replaces) {
  if (size <= kLargestInMemory) {
    std::string content;
    content.reserve(static_cast<std::size_t>(size));
    for_each_piece(fd, size, [&](std::string_view piece) { content += piece; });
    return write(std::move(content), GIT_OBJECT_BLOB, replaces);
  }
  if (!hasher_) hasher_.emplace();
  hasher_->begin(size);
  LooseWriter::Stream stream(loose_, "blob", size);
  for_each_piece(fd, size, [&](std::string_view piece) {
    hasher_->update(piece);
    stream.write(piece);
  });
  const Oid oid = hasher_->finish();
  if (!holds(oid)) stream.finish(oid);
  return oid;
}

Oid DatabaseStore::write_blob_from(int fd, std::uint64_t size, const Oid& replaces) {
  return writes_ == Writes::to_database ? store_file(fd, size, replaces) : hash_file(fd, size);
}

/// Moves what is in memory into the pack.
void DatabaseStore::pack_pending(git_object_t type) {
  for (auto& [oid, content] : memory_.take(type)) pack_.add({oid, type, std::move(content), Oid{}});
}

void DatabaseStore::flush() {
  if (writes_ == Writes::to_memory) return;
  if (!pack_.empty() || memory_.order().size() >= kUnpackLimit) {
    for (const git_object_t type : {GIT_OBJECT_BLOB, GIT_OBJECT_TREE, GIT_OBJECT_COMMIT}) {
      pack_pending(type);
    }
    loose_.publish();  // blobs: the pack has the trees that hold them
    pack_.publish();
    return;
  }
  for (const Oid& oid : memory_.order()) {
    const MemoryOdb::Object* object = memory_.find(oid);
    loose_.add(oid, git_object_type2string(object->type), object->content);
  }
  loose_.publish();
  memory_.clear();
}

}  // namespace wafers::git
