#include "git/refs/ref_files.h"

#include <array>
#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

/// refs.c: is_per_worktree_ref().
bool is_per_worktree(std::string_view name) {
  constexpr std::array<std::string_view, 3> kPrefixes{"refs/worktree/", "refs/bisect/",
                                                      "refs/rewritten/"};
  for (const std::string_view prefix : kPrefixes) {
    if (name.starts_with(prefix)) return true;
  }
  return !name.starts_with("refs/");
}

}  // namespace

RefFiles::RefFiles(fs::path git_dir, fs::path common_dir, Logging logging, SharedMode shared)
    : git_dir_(std::move(git_dir)),
      common_dir_(std::move(common_dir)),
      logging_(logging),
      shared_(shared) {}

const fs::path& RefFiles::base_of(const std::string& name) const {
  return is_per_worktree(name) ? git_dir_ : common_dir_;
}

std::optional<RefValue> RefFiles::read(const std::string& name) const {
  const fs::path path = path_of(name);
  std::error_code error;
  const fs::path link = fs::read_symlink(path, error);
  if (!error) {
    if (auto value = symbolic_ref(link.native())) return value;
  }
  // Loose before packed: git writes packed-refs first and removes the loose file after.
  if (const std::optional<std::string> content = read_file(path)) {
    if (auto value = parse_ref(*content)) return value;
    throw Error(ErrorKind::failed, "cannot read ref " + in_quotes(name) + ": " +
                                       in_quotes(path.native()) + " is malformed");
  }
  const std::optional<Oid> packed = read_packed(name);
  if (!packed) return std::nullopt;
  return RefValue{std::string(), *packed};
}

std::optional<Oid> RefFiles::read_packed(const std::string& name) const {
  const std::optional<std::string> content = read_file(packed_refs());
  return content ? find_packed_ref(*content, name) : std::nullopt;
}

FollowedRef RefFiles::follow(const std::string& name) const {
  auto found = follow_ref(name, [this](const std::string& ref) { return read(ref); });
  if (found) return *std::move(found);
  throw Error(ErrorKind::failed, "cannot read ref " + in_quotes(name) + ": too many symbolic refs");
}

std::optional<Oid> RefFiles::resolve(const std::string& name) const { return follow(name).oid; }

/// A ref that has `name` as a directory, if any.
std::optional<std::string> RefFiles::ref_below(const std::string& name) const {
  std::error_code error;
  for (fs::recursive_directory_iterator it(path_of(name), error), end; !error && it != end;
       it.increment(error)) {
    if (it->is_directory(error) || it->path().extension() == ".lock") continue;
    return it->path().lexically_relative(base_of(name)).native();
  }
  const std::string content = read_file(common_dir_ / "packed-refs").value_or(std::string());
  const std::size_t at = content.find(" " + name + "/");
  if (at == std::string::npos) return std::nullopt;
  return content.substr(at + 1, content.find('\n', at) - at - 1);
}

/// The ref that can't exist at the same time as `name`, if it does.
std::optional<std::string> RefFiles::conflict_of(const std::string& name) const {
  for (std::size_t slash = name.find('/', 5); slash != std::string::npos;
       slash = name.find('/', slash + 1)) {
    std::string above = name.substr(0, slash);
    if (read(above)) return above;
  }
  return ref_below(name);
}

}  // namespace wafers::git
