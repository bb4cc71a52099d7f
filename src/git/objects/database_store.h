#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "git/objects/blob_hasher.h"
#include "git/objects/handle.h"
#include "git/objects/line_difference.h"
#include "git/objects/loose_writer.h"
#include "git/objects/memory_odb.h"
#include "git/objects/object_store.h"
#include "git/objects/pack_writer.h"
#include "git/objects/promisor.h"

namespace wafers::git {

/// The ObjectStore that Repository::objects() gives out.
class DatabaseStore final : public ObjectStore {
 public:
  struct Settings {
    std::filesystem::path objects_dir;
    /// Another object directory to read from; what is there is neither written nor touched. May be
    /// empty.
    std::filesystem::path also_read;
    int level = 1;  ///< of zlib
    SharedMode shared;
    Durability durability = Durability::disk;
    Promisor promisor;  ///< of what is missing
  };
  DatabaseStore(Settings settings, Writes writes);

  std::vector<TreeEntry> read_tree(const Oid& tree) override;
  std::string read_blob(const Oid& blob) override;
  void with_blob(const Oid& blob, const std::function<void(std::string_view)>& use) override;
  bool holds(const Oid& oid) override;
  std::uint64_t object_size(const Oid& oid) override;
  Oid hash_blob(std::string_view content) override;
  Oid write_blob(std::string_view content) override;
  Oid write_blob_from(int fd, std::uint64_t size, const Oid& replaces) override;
  Oid write_tree(std::vector<TreeEntry> entries) override;
  void flush() override;
  void prefetch(const std::vector<Oid>& wanted) override;

  Oid write_commit(std::string content);
  /// An object as libgit2 holds it, without a copy. Throws Error(failed) where it is missing, can't
  /// be read, or is of another type.
  OdbObjectHandle read(const Oid& oid, git_object_t type);
  /// For diff.cpp: everything that this store can read.
  git_odb* odb() const noexcept { return odb_.get(); }
  /// What is not in memory any more can be read from the database.
  void make_readable(const Oid& oid);
  /// How two blobs differ, where that was found out when the second was written. For any thread.
  std::optional<LineDifference> known_difference(const Oid& before, const Oid& after) const;

 private:
  Oid write(std::string content, git_object_t type, const Oid& replaces = {});
  void compare(const PackWriter::Object& object);
  Oid hash_file(int fd, std::uint64_t size);
  Oid store_file(int fd, std::uint64_t size, const Oid& replaces);
  bool is_packing();
  void pack_pending(git_object_t type);
  bool is_there(const Oid& oid) const;
  bool fetch(const std::vector<Oid>& missing);
  [[noreturn]] void throw_missing(const std::string& doing) const;

  Settings settings_;
  Writes writes_;
  MemoryOdb memory_;  ///< must outlive odb_
  OdbHandle odb_;
  LooseWriter loose_;
  OdbHandle packed_over_;  ///< for the threads of pack_: what objects replace
  mutable std::mutex mutex_;
  std::map<std::pair<Oid, Oid>, LineDifference> differences_;
  PackWriter pack_;  ///< after what its threads use
  std::optional<BlobHasher> hasher_;
  std::string fetch_failure_;  ///< asked once, a remote that can't be reached is left alone
};

/// A tree object's content as entries. Throws Error(failed) where it is malformed.
std::vector<TreeEntry> parse_tree(std::string_view content, const Oid& tree);

}  // namespace wafers::git
