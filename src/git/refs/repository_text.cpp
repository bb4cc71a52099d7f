#include "git/refs/repository_text.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>

#include "base/text.h"

namespace wafers::git {
namespace {

/// So many refs git reads in a row, the last one included (refs-internal.h: SYMREF_MAXDEPTH).
constexpr int kMaxDepth = 5;
constexpr std::size_t kDigits = 2 * Oid::kSize;
constexpr std::string_view kSymbolic = "ref:";

}  // namespace

std::optional<RefValue> symbolic_ref(std::string_view target) {
  const std::string_view name = trimmed(target);
  if (!name.starts_with("refs/") || name.find("..") != std::string_view::npos) return std::nullopt;
  return RefValue{std::string(name), Oid{}};
}

std::optional<RefValue> parse_ref(std::string_view content) {
  if (content.starts_with(kSymbolic)) return symbolic_ref(content.substr(kSymbolic.size()));
  // What follows the object name is ignored, as git does.
  const std::string_view rest = content.substr(std::min(kDigits, content.size()));
  const std::optional<Oid> oid = Oid::from_hex(content.substr(0, kDigits));
  const bool separated =
      rest.empty() || std::string_view(" \t\r\n").find(rest[0]) != std::string_view::npos;
  if (!oid || !separated) return std::nullopt;
  return RefValue{std::string(), *oid};
}

std::optional<Oid> find_packed_ref(std::string_view packed_refs, std::string_view name) {
  const std::string wanted = " " + std::string(name) + "\n";
  for (std::size_t at = packed_refs.find(wanted); at != std::string_view::npos;
       at = packed_refs.find(wanted, at + 1)) {
    const bool starts_line =
        at == kDigits || (at > kDigits && packed_refs[at - kDigits - 1] == '\n');
    if (starts_line) return Oid::from_hex(packed_refs.substr(at - kDigits, kDigits));
  }
  return std::nullopt;
}

std::optional<FollowedRef> follow_ref(
    std::string name, const std::function<std::optional<RefValue>(const std::string&)>& read) {
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    std::optional<RefValue> value = read(name);
    if (!value) return FollowedRef{std::move(name), std::nullopt};
    if (value->target.empty()) return FollowedRef{std::move(name), value->oid};
    name = std::move(value->target);
  }
  return std::nullopt;
}

bool is_head(std::string_view content) {
  constexpr std::size_t kDigitsOfSha256 = 64;
  const std::string_view name = content.substr(0, kDigitsOfSha256);
  const bool is_sha256 =
      name.size() == kDigitsOfSha256 &&
      std::ranges::all_of(name, [](unsigned char c) { return std::isxdigit(c); });
  return is_sha256 || parse_ref(content);
}

std::string_view path_in(std::string_view content) {
  while (content.ends_with('\n') || content.ends_with('\r')) content.remove_suffix(1);
  return content;
}

std::optional<std::string_view> git_file_target(std::string_view content) {
  constexpr std::string_view kPrefix = "gitdir: ";
  if (!content.starts_with(kPrefix)) return std::nullopt;
  return path_in(content.substr(kPrefix.size()));
}

}  // namespace wafers::git
