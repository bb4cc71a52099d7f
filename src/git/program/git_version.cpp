#include "git/program/git_version.h"

#include <charconv>
#include <system_error>

namespace wafers::git {

std::optional<GitVersion> parse_git_version(std::string_view printed) {
  constexpr std::string_view kPrefix = "git version ";
  if (!printed.starts_with(kPrefix)) return std::nullopt;
  printed.remove_prefix(kPrefix.size());
  const char* const end = printed.data() + printed.size();
  GitVersion version;
  const auto major = std::from_chars(printed.data(), end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  if (minor.ec != std::errc()) return std::nullopt;
  return version;
}

}  // namespace wafers::git
