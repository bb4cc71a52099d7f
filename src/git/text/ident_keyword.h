#pragma once

#include <string>
#include <string_view>

namespace wafers::git {

/// `$Id: ...$` in worktree content becomes `$Id$` (gitattributes(5), `ident`), in place: the
/// content may be large.
void collapse_ident(std::string& content);

/// `$Id$`, or git's own earlier expansion of it, becomes `$Id: <blob> $`. What another version
/// control system expanded (several words) stays. This is convert.c's ident_to_worktree; where git
/// streams a file it overlooks the keyword in "$$Id$", which makes no other blob of it.
std::string expand_ident(std::string_view content, std::string_view blob_hex);

}  // namespace wafers::git
