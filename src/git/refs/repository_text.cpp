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
constexpr std::string_view kBlanks = " \t\n\r";  // what git's isspace() takes

std::string_view without_leading_blanks(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
}

/// Blanks at the end of a file go, and what is left ends at its first NUL (refs/files-backend.c):
/// those before that belong to the text.
std::string_view as_git_reads(std::string_view content) {
  content = content.substr(0, content.find_last_not_of(kBlanks) + 1);
  return content.substr(0, content.find('\0'));
}

/// No name of a ref has blanks or control characters (git-check-ref-format(1)).
bool has_only_printable(std::string_view name) {
  return std::ranges::all_of(name, [](unsigned char c) { return c > ' ' && c != 0x7F; });
}

}  // namespace

std::optional<RefValue> symbolic_ref(std::string_view target) {
  const std::string_view name = without_leading_blanks(target);
  if (!name.starts_with("refs/") || name.find("..") != std::string_view::npos) return std::nullopt;
  if (!has_only_printable(name)) return std::nullopt;
  return RefValue{std::string(name), Oid{}};
}

std::optional<RefValue> parse_ref(std::string_view text) {
  const std::string_view content = as_git_reads(text);
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
  // Git asks for no more here: that it is no ref's name shows when it is read.
  const bool is_symbolic =
      content.starts_with(kSymbolic) &&
      without_leading_blanks(content.substr(kSymbolic.size())).starts_with("refs/");
  return is_sha256 || is_symbolic || parse_ref(content);
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
