#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "git/objects/object.h"

namespace wafers::git {

/// Where new objects go.
enum class Writes {
  to_database,  ///< into the repository, for a commit
  to_memory,    ///< kept by this process only, for a status
};

/// Objects of one repository: read from its database (loose, packs, alternates) and from what was
/// written in memory. One thread at a time. All functions throw Error(failed), with libgit2's own
/// message. What a partial clone lacks is fetched when it is asked for, as git does.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  virtual std::vector<TreeEntry> read_tree(const Oid& tree) = 0;
  virtual std::string read_blob(const Oid& blob) = 0;
  /// Calls `use` with the blob's content, which is not copied for that: it may be large.
  virtual void with_blob(const Oid& blob, const std::function<void(std::string_view)>& use) = 0;
  /// Whether the object is there, without asking a remote. As git does, one that is counts as
  /// freshly used then, so that a concurrent `git gc` leaves it.
  virtual bool holds(const Oid& oid) = 0;
  /// Size in bytes without inflating the whole object.
  virtual std::uint64_t object_size(const Oid& oid) = 0;
  /// Hash only; nothing is stored.
  virtual Oid hash_blob(std::string_view content) = 0;
  virtual Oid write_blob(std::string_view content) = 0;
  /// Hashes exactly `size` bytes read from `fd`, in pieces: memory stays bounded however large the
  /// file. With Writes::to_database they are stored, else the blob can't be read. Throws where the
  /// file ends early or grew.
  /// Where the caller knows which blob this one `replaces`, the two can be compared on the way for
  /// what a commit tells of them.
  virtual Oid write_blob_from(int fd, std::uint64_t size, const Oid& replaces = {}) = 0;
  /// `entries` in any order; sorted as git does. No entries give the empty tree.
  virtual Oid write_tree(std::vector<TreeEntry> entries) = 0;
  /// After this all objects written are in the database and would survive a crash of this process.
  virtual void flush() = 0;
  /// Has those of `wanted` that a partial clone lacks fetched by one call of git, where they would
  /// be one by one. Does nothing in another repository; and where that fails, the reading of one
  /// hears of it.
  virtual void prefetch(const std::vector<Oid>& wanted) = 0;
};

}  // namespace wafers::git
