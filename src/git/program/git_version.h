#pragma once

#include <compare>
#include <optional>
#include <string_view>

namespace wafers::git {

struct GitVersion {
  int major = 0;
  int minor = 0;

  auto operator<=>(const GitVersion&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// What `git version` prints ("git version 2.39.5", with whatever a distribution has behind it);
/// nullopt where it isn't that.
std::optional<GitVersion> parse_git_version(std::string_view printed);

}  // namespace wafers::git
