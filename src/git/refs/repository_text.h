#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "git/objects/object.h"

namespace wafers::git {

// What the small files of a repository say (gitrepository-layout(5)), wherever they were read: by
// path, or in a view that shows them in part. None of these throws.

/// A ref as it is stored: with a target where it is symbolic, else with an object name.
struct RefValue {
  std::string target;  ///< below refs/
  Oid oid;
};
/// HEAD's content, or a loose ref's. nullopt where it is malformed, or would lead out of the
/// repository.
std::optional<RefValue> parse_ref(std::string_view content);

/// A symbolic ref's value, by what a symlink in its place says or what follows "ref:". As above.
std::optional<RefValue> symbolic_ref(std::string_view target);

/// What packed-refs, with this content, has for a ref.
std::optional<Oid> find_packed_ref(std::string_view packed_refs, std::string_view name);

/// What a ref comes to where it is a symbolic one, else itself.
struct FollowedRef {
  std::string name;
  std::optional<Oid> oid;  ///< absent where there is no ref of that name
};
/// Follows symbolic refs as far as git does; `read` is asked once for each. nullopt where there are
/// more. Throws what `read` throws.
std::optional<FollowedRef> follow_ref(
    std::string name, const std::function<std::optional<RefValue>(const std::string&)>& read);

/// Whether a HEAD of this content makes a directory a repository (setup.c: validate_headref()),
/// also of one that wafers doesn't serve.
bool is_head(std::string_view content);

/// The path that is all of a file such as `commondir`. It may end in a blank.
std::string_view path_in(std::string_view content);

/// Where a `.git` file points to, relative to its directory. nullopt where it is no such file.
std::optional<std::string_view> git_file_target(std::string_view content);

}  // namespace wafers::git
