#include "base/similar.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace wafers {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Rows of the table for one letter of `a` after the other: the one before the last, the last, and
  // the one that is made.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({changed, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::vector<std::string> similar_to(std::string_view word,
                                    const std::vector<std::string>& candidates) {
  constexpr std::size_t kLettersPerSlip = 3;
  constexpr std::size_t kLongest = 100;  // of a word that anybody has typed
  if (word.size() > kLongest) return {};
  std::size_t least = (word.size() + 1) / kLettersPerSlip;
  std::vector<std::string> similar;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance == 0 || distance > least) continue;
    if (distance < least) similar.clear();
    least = distance;
    similar.push_back(candidate);
  }
  return similar;
}

std::string did_you_mean(const std::vector<std::string>& words, const std::string& hint) {
  constexpr std::size_t kMost = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), kMost); ++i) {
    text += (i == 0 ? "did you mean " : " or ") + in_quotes(words[i]);
  }
  return text.empty() ? hint : text + "? " + hint;
}

}  // namespace wafers
