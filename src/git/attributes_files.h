#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "git/attributes.h"
#include "git/repository.h"

namespace wafers::git {

struct AttributesFile {
  std::string path;
  Oid blob;
};

/// The `.gitattributes` files of `tree` in all directories that `paths` lie in. A symlink of that
/// name is none, as for git.
std::vector<AttributesFile> attributes_files(ObjectStore& objects, const Oid& tree,
                                             const std::vector<std::string>& paths);

/// The attributes that `paths` would have in a checkout of `tree`.
class TreeAttributes {
 public:
  TreeAttributes(const Repository& repository, ObjectStore& objects, const Oid& tree,
                 const std::vector<std::string>& paths);

  /// Of one of those paths.
  Attributes of(const std::string& path);

 private:
  using Scope = std::shared_ptr<const AttributeScope>;
  /// `directory` is "" or ends in '/'.
  Scope scope_of(const std::string& directory);

  std::map<std::string, std::string> contents_;  ///< by directory
  std::map<std::string, Scope> scopes_;
};

}  // namespace wafers::git
