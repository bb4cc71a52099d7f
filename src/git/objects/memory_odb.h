#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "git/objects/handle.h"
#include "git/objects/object.h"

namespace wafers::git {

/// Objects that are in memory only, seen by libgit2 as one more part of an object database. Its own
/// git_mempack gives its objects to libgit2's pack builder alone (git/objects/pack_writer.h).
class MemoryOdb {
 public:
  struct Object {
    git_object_t type = GIT_OBJECT_INVALID;
    std::string content;
  };

  MemoryOdb() = default;
  MemoryOdb(const MemoryOdb&) = delete;
  MemoryOdb& operator=(const MemoryOdb&) = delete;

  /// Makes libgit2 look here first. This must live as long as `odb`.
  void attach_to(git_odb* odb);

  void add(const Oid& oid, git_object_t type, std::string content);
  const Object* find(const Oid& oid) const;
  void clear();
  /// Takes the objects of one type out, in the order in which they came.
  std::vector<std::pair<Oid, std::string>> take(git_object_t type);

  /// In the order in which they came.
  const std::vector<Oid>& order() const noexcept { return order_; }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::map<Oid, Object> objects_;
  std::vector<Oid> order_;
  std::size_t bytes_ = 0;
};

}  // namespace wafers::git
