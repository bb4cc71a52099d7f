#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wafers::git {

/// `path` as git prints it: as it is, or in double quotes with C escapes (quote.c). With
/// `quote_high` (core.quotePath, git's default) bytes of 0x80 and above are escaped in octal too.
std::string quote_path(std::string_view path, bool quote_high = true);

/// As quote_path(), and also in quotes where the path holds a space, as `git status --porcelain`
/// does.
std::string quote_status_path(std::string_view path, bool quote_high = true);

/// One author or committer. Name and email are cleaned as git's ident.c does.
struct Identity {
  std::string name;
  std::string email;
  std::int64_t seconds = 0;  ///< since the epoch, UTC
  int offset_minutes = 0;    ///< east of UTC
};

/// Removes what git removes from a name or email (crud at both ends, '<', '>', LF).
std::string clean_identity_part(std::string_view part);

/// "Name <email>" as `git commit --author` takes it. nullopt where it has not that form, or where
/// nothing is left of the name once it is cleaned (git refuses that too); the email may be empty.
std::optional<Identity> parse_author(std::string_view text);

struct Date {
  std::int64_t seconds = 0;
  int offset_minutes = 0;
};
/// "@<seconds> <+hhmm>" or "<seconds> <+hhmm>", as git reads it from GIT_AUTHOR_DATE. nullopt for
/// what is written in another way, which may be a date nevertheless.
std::optional<Date> parse_raw_date(std::string_view text);

/// commit.cleanup / --cleanup: `whitespace` is what git does without an editor. `scissors` is the
/// same here: without an editor git cuts nothing off.
enum class Cleanup { verbatim, whitespace, strip, scissors };
std::string clean_message(std::string_view message, Cleanup cleanup, char comment_char = '#');

/// What core.commentChar = auto stands for: the first of git's candidates that begins no line of
/// the message. nullopt where each of them does.
std::optional<char> unused_comment_char(std::string_view message);

/// Makes UTF-8 of a commit object as git does (commit.c: verify_utf8): a byte that is none is taken
/// for Latin-1. Returns whether there was nothing to do.
bool ensure_utf8(std::string& text);

/// The first paragraph of a message as one line, as `git log --format=%s`.
std::string subject_of(std::string_view message);

/// Whether git refuses to have `name` as one component of a path: empty, ".", "..", ".git" in any
/// letter case, and under protect_hfs / protect_ntfs its disguises (path.c: verify_path;
/// "git~1", ".git.", ".git::$INDEX_ALLOCATION", ignorable Unicode characters).
struct PathProtection {
  bool hfs = false;
  bool ntfs = true;
};
bool is_forbidden_component(std::string_view name, const PathProtection& protection);

/// Whether git refuses a *symlink* of that name besides: `.gitmodules` and its disguises.
bool is_forbidden_symlink(std::string_view name, const PathProtection& protection);

}  // namespace wafers::git
