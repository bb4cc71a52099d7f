#pragma once

#include <string>
#include <string_view>

#include "git/wildmatch.h"

namespace wafers::git {

/// One pattern of an ignore or attributes file (dir.c: parse_path_pattern, match_basename,
/// match_pathname).
class PathPattern {
 public:
  PathPattern(std::string_view text, LetterCase letters);

  bool negative() const noexcept { return negative_; }
  bool directory_only() const noexcept { return directory_only_; }

  /// Whether it matches an entry: `path` from the directory of the file that holds the pattern,
  /// `name` its last component. Does not look at directory_only().
  bool matches(std::string_view path, std::string_view name) const;

 private:
  bool equal(std::string_view a, std::string_view b) const;

  bool negative_ = false;
  bool directory_only_ = false;
  bool name_only_ = false;  ///< has no '/': matches at any depth
  LetterCase letters_;
  std::string prefix_;  ///< what comes before the first wildcard
  std::string suffix_;  ///< of "*suffix"
  enum class Rest { nothing, suffix, wild } rest_ = Rest::nothing;
  Wildmatch wild_;
};

}  // namespace wafers::git
