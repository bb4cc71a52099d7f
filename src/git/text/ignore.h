#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "git/text/wildmatch.h"

namespace wafers::git {

/// The ignore rules in force in one directory, as gitignore(5) and git's dir.c have them: patterns
/// of the directory's own ignore file, then of each directory above, then info/exclude, then
/// core.excludesFile; the last matching pattern of the first list that has a match decides.
///
/// A walker makes the root scope and then one child scope for each directory that it enters; scopes
/// are immutable, and a child holds on to its parent. Nothing here reads the file system: the
/// caller knows which version of an ignore file is in the merged view.
///
/// Not by libgit2: 1.5.1 dies of SIGSEGV where an ignore file says `b*` and `!\/` and is asked for
/// `bx/f`, and judged 19 of 1,611 random paths otherwise than git. These files come from trees that
/// are not trusted.
class IgnoreScope {
 public:
  enum class Verdict { undecided, ignored, included };

  /// The scope of the root directory. Contents of files that don't exist are empty.
  static std::shared_ptr<const IgnoreScope> root(std::string_view excludes_file,
                                                 std::string_view info_exclude,
                                                 std::string_view gitignore, LetterCase letters);

  /// The scope of this directory's child `name`. Where that directory itself is ignored, everything
  /// below it is (a file below an excluded directory can't be re-included), and `gitignore` is not
  /// looked at, as git doesn't either.
  static std::shared_ptr<const IgnoreScope> child(const std::shared_ptr<const IgnoreScope>& parent,
                                                  std::string_view name,
                                                  std::string_view gitignore);

  /// Whether git would leave the *untracked* entry `name` of this directory alone.
  bool is_ignored(std::string_view name, bool is_directory) const;

  /// Whether this directory itself lies in an ignored one, so that every name in it is ignored.
  bool all_ignored() const noexcept { return all_ignored_; }

 private:
  struct PatternList;
  IgnoreScope() = default;
  static Verdict verdict(const PatternList& list, std::string_view path, std::string_view name,
                         bool is_directory);

  std::shared_ptr<const IgnoreScope> parent_;
  std::string path_;  ///< from the root with a trailing '/', "" for the root
  std::shared_ptr<const PatternList> own_;
  std::vector<std::shared_ptr<const PatternList>> global_;  ///< root only: strongest first
  LetterCase letters_ = LetterCase::sensitive;
  bool all_ignored_ = false;
};

/// Whether everything that the rules of the file `before` ignore is sure to be ignored by those of
/// `after` as well, whatever other files say: `after` has all of its patterns in their order, and
/// what it has besides excludes. False where that can't be told so simply.
bool ignores_no_less(std::string_view before, std::string_view after);

}  // namespace wafers::git
