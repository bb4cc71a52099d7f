#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "git/text/wildmatch.h"

namespace wafers::git {

/// One pattern of an ignore or attributes file (dir.c: parse_path_pattern, match_basename,
/// match_pathname). Small, since a hostile file can have millions: 64 bytes and a text of more than
/// 15 bytes, which is not kept where it is longer than any path (kLongestText).
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
  std::string_view prefix() const { return std::string_view(text_).substr(0, prefix_size_); }
  std::string_view suffix() const { return std::string_view(text_).substr(prefix_size_ + 1); }

  std::string text_;             ///< what comes before the first wildcard, or "*suffix"
  std::size_t prefix_size_ = 0;  ///< of what comes before the first wildcard
  std::unique_ptr<const Wildmatch> wild_;
  enum class Rest : std::uint8_t { nothing, suffix, wild, no_match } rest_ = Rest::nothing;
  LetterCase letters_;
  bool negative_ = false;
  bool directory_only_ = false;
  bool name_only_ = false;  ///< has no '/': matches at any depth
};

}  // namespace wafers::git
