#include "git/lines/similarity.h"

#include <algorithm>

namespace wafers::git {

// hash_chars(). In text the CR of a CR LF doesn't count.
Signature::Signature(std::string_view content, Kind kind) : size_(content.size()) {
  constexpr std::uint32_t kHashBase = 107927;
  constexpr std::size_t kLongestRun = 64;
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::size_t length = 0;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(content[i]);
    const bool crlf = byte == '\r' && i + 1 < content.size() && content[i + 1] == '\n';
    if (crlf && kind == Kind::text) continue;
    const std::uint32_t before = first;
    first = (first << 7U) ^ (second >> 25U);
    second = (second << 7U) ^ (before >> 25U);
    first += byte;
    if (++length < kLongestRun && byte != '\n') continue;
    runs_.push_back({(first + second * 0x61) % kHashBase, length});
    first = second = 0;
    length = 0;
  }
  // What comes behind the last run is not looked at: so git has it up to 2.43.
  combine();
}

/// Sorts the runs and adds up those with one hash.
void Signature::combine() {
  std::sort(runs_.begin(), runs_.end(), [](const Run& a, const Run& b) { return a.hash < b.hash; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (kept > 0 && runs_[kept - 1].hash == runs_[i].hash) {
      runs_[kept - 1].bytes += runs_[i].bytes;
    } else {
      runs_[kept++] = runs_[i];
    }
  }
  runs_.resize(kept);
}

int Signature::score_of(const Signature& target) const {
  if (target.size_ == 0) return 0;
  std::uint64_t copied = 0;
  auto at = target.runs_.begin();
  for (const Run& run : runs_) {
    while (at != target.runs_.end() && at->hash < run.hash) ++at;
    if (at != target.runs_.end() && at->hash == run.hash) copied += std::min(run.bytes, at->bytes);
  }
  return static_cast<int>(copied * kMaxScore / std::max(size_, target.size_));
}

}  // namespace wafers::git
