#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "git/repository/repository.h"
#include "git/text/attributes.h"

namespace wafers::git {

struct AttributesFile {
  std::string path;
  Oid blob;
};

/// The `.gitattributes` files of `tree` in all directories that `paths` lie in. A symlink of that
/// name is none, as for git.
std::vector<AttributesFile> attributes_files(ObjectStore& objects, const Oid& tree,
                                             const std::vector<std::string>& paths);

/// The attributes of files anywhere in a tree or worktree. Can be used by several threads at once.
class FileAttributes {
 public:
  /// The content of a directory's `.gitattributes` file, "" where there is none. `directory` is ""
  /// or ends in '/'.
  using Rules = std::function<std::string(const std::string& directory)>;
  /// Asks `rules` once for each directory that is looked into, one thread at a time.
  FileAttributes(const Repository& repository, Rules rules);

  Attributes of(std::string_view path);

 private:
  using Scope = std::shared_ptr<const AttributeScope>;
  Scope scope_of(const std::string& directory);

  Rules rules_;
  std::mutex mutex_;
  std::map<std::string, Scope> scopes_;
};

/// Those that `paths` would have in a checkout of `tree`.
FileAttributes attributes_in_tree(const Repository& repository, ObjectStore& objects,
                                  const Oid& tree, const std::vector<std::string>& paths);

}  // namespace wafers::git
