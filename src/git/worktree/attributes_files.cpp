#include "git/worktree/attributes_files.h"

#include <cstddef>
#include <set>
#include <utility>

#include "git/worktree/rule_files.h"

namespace wafers::git {
namespace {

constexpr const char* kAttributesFile = ".gitattributes";

/// With its trailing '/', or "".
std::string directory_of(std::string_view path) {
  return std::string(path.substr(0, path.rfind('/') + 1));
}

/// All directories above `paths`, each with a trailing '/'.
std::set<std::string> directories_of(const std::vector<std::string>& paths) {
  std::set<std::string> directories;
  for (const std::string& path : paths) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      directories.insert(path.substr(0, slash + 1));
    }
  }
  return directories;
}

}  // namespace

std::vector<AttributesFile> attributes_files(ObjectStore& objects, const Oid& tree,
                                             const std::vector<std::string>& paths) {
  const std::set<std::string> directories = directories_of(paths);
  std::vector<AttributesFile> files;
  std::vector<std::pair<std::string, Oid>> todo;
  if (!tree.is_zero()) todo.emplace_back("", tree);
  while (!todo.empty()) {
    const auto [prefix, oid] = std::move(todo.back());
    todo.pop_back();
    for (const TreeEntry& entry : objects.read_tree(oid)) {
      const std::string path = prefix + entry.name;
      if (entry.mode == FileMode::tree && directories.contains(path + "/")) {
        todo.emplace_back(path + "/", entry.oid);
      } else if (entry.name == kAttributesFile && is_regular(entry.mode)) {
        files.push_back({path, entry.oid});
      }
    }
  }
  return files;
}

FileAttributes::FileAttributes(const Repository& repository, Rules rules)
    : rules_(std::move(rules)) {
  scopes_[""] =
      AttributeScope::root(attributes_file(repository), info_file(repository, "attributes"),
                           rules_(""), letter_case(repository));
}

Attributes FileAttributes::of(std::string_view path) {
  const std::string directory = directory_of(path);
  Scope scope;
  {
    const std::lock_guard lock(mutex_);
    scope = scope_of(directory);
  }
  return scope->of_file(path.substr(directory.size()));
}

FileAttributes::Scope FileAttributes::scope_of(const std::string& directory) {
  std::size_t known = directory.size();  // the length of the deepest one that was asked for before
  while (!scopes_.contains(directory.substr(0, known))) {
    known = known < 2 ? 0 : directory.rfind('/', known - 2) + 1;
  }
  Scope scope = scopes_.at(directory.substr(0, known));
  while (known < directory.size()) {
    const std::size_t slash = directory.find('/', known);
    const std::string name = directory.substr(known, slash - known);
    known = slash + 1;
    const std::string path = directory.substr(0, known);
    scope = scopes_[path] = AttributeScope::child(scope, name, rules_(path));
  }
  return scope;
}

FileAttributes attributes_in_tree(const Repository& repository, ObjectStore& objects,
                                  const Oid& tree, const std::vector<std::string>& paths) {
  std::map<std::string, std::string> contents;
  for (const AttributesFile& file : attributes_files(objects, tree, paths)) {
    contents[directory_of(file.path)] = objects.read_blob(file.blob);
  }
  return {repository, [contents = std::move(contents)](const std::string& directory) {
            const auto found = contents.find(directory);
            return found == contents.end() ? std::string() : found->second;
          }};
}

}  // namespace wafers::git
