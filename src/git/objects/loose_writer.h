#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "git/objects/object.h"
#include "git/objects/shared_mode.h"

namespace wafers::git {

/// How hard it is made sure that objects survive a crash of the machine.
enum class Durability {
  none,  ///< core.fsync=none
  disk,  ///< on the disk before they get their names
};

/// "blob 12\0": what git hashes and stores before an object's content.
std::string object_header(std::string_view type, std::uint64_t size);

/// Writes loose objects of one object directory. Files get temporary names first (`tmp_obj_*`,
/// which git itself cleans away where we die) and their real ones together in publish(), when all
/// their data is on the disk: as git's core.fsyncMethod=batch, an object is never there and empty
/// after a crash. All functions throw Error(failed).
///
/// Not by libgit2, whose git_odb_write() syncs each object for itself, in 6 ms here.
class LooseWriter {
 public:
  LooseWriter(std::filesystem::path objects_dir, int level, SharedMode shared,
              Durability durability);
  LooseWriter(const LooseWriter&) = delete;
  LooseWriter& operator=(const LooseWriter&) = delete;
  ~LooseWriter();  ///< what was not published is removed

  /// An object whose name is known only when all of it has been written.
  class Stream {
   public:
    Stream(LooseWriter& writer, std::string_view type, std::uint64_t size);
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream();  ///< without finish(), removes what was written
    void write(std::string_view content);
    void finish(const Oid& oid);

   private:
    explicit Stream(LooseWriter& writer);
    void deflate_piece(std::string_view piece, int flush);
    LooseWriter& writer_;
    std::string output_;
    std::filesystem::path path_;
    UniqueFd fd_;
    z_stream zlib_{};
  };

  void add(const Oid& oid, std::string_view type, std::string_view content);
  void publish();
  bool has_unpublished() const noexcept { return !staged_.empty(); }

 private:
  struct Staged {
    Oid oid;
    std::filesystem::path path;
    UniqueFd fd;  ///< none where its data has been written back
  };
  std::filesystem::path path_of(const Oid& oid) const;
  void stage(Staged staged);
  void settle();
  void give_name(const Staged& staged);

  std::filesystem::path objects_dir_;
  int level_;
  SharedMode shared_;
  Durability durability_;
  bool ordered_ = false;  ///< the file system keeps the order of changes over a crash
  std::vector<Staged> staged_;
  std::size_t unsettled_ = 0;
};

}  // namespace wafers::git
