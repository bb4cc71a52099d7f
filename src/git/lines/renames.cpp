#include "git/lines/renames.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "git/objects/change_letter.h"
#include "git/repository/config.h"
#include "git/text/ascii.h"

namespace wafers::git {
namespace {

constexpr int kMinimumScore = Signature::kMaxScore / 2;  // 50 %
/// For files whose last part of the name no other file has.
constexpr int kMinimumBasenameScore = kMinimumScore + kMinimumScore / 2;

std::string_view basename_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// What is changed or gone: where a new file may come from.
struct Source {
  const FilePair::Side* side = nullptr;
  bool stays = false;  ///< changed, not gone: it can only be copied
  int used = 0;        ///< by how many new files; one more if it stays
  std::optional<Signature> signature;
};

struct Target {
  FilePair* pair = nullptr;
  bool found = false;
  std::optional<Signature> signature;
};

/// A source for a target, and how good it is.
struct Candidate {
  int score = -1;
  bool same_basename = false;
  std::size_t source = 0, target = 0;

  bool better_than(const Candidate& other) const noexcept {
    return score != other.score ? score > other.score : same_basename && !other.same_basename;
  }
};

class RenameFinder {
 public:
  using KindOf =
      std::function<Signature::Kind(const FilePair::Side& side, const std::string& content)>;

  RenameFinder(ObjectStore& objects, const RenameOptions& options, const KindOf& kind_of)
      : objects_(objects), options_(options), kind_of_(kind_of) {}

  void find(std::vector<FilePair>& pairs) {
    originals_ = pairs;
    collect(pairs);
    if (targets_.empty() || sources_.empty()) return;
    match_identical();
    if (!copies()) match_basenames();
    match_similar();
    std::erase_if(pairs, [this](const FilePair& pair) {
      return pair.letter == 'D' && used_sources_.contains(pair.before.path);
    });
    give_letters(pairs);
  }

 private:
  bool copies() const noexcept { return options_.search == RenameSearch::copies; }

  void collect(std::vector<FilePair>& pairs) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (pairs[i].letter == 'A') {
        targets_.push_back({.pair = &pairs[i], .found = false, .signature = {}});
      } else if (pairs[i].letter == 'D') {
        sources_.push_back({&originals_[i].before, false, 0, {}});
      } else if (copies()) {
        sources_.push_back({&originals_[i].before, true, 1, {}});
      }
    }
  }

  void record(Target& target, Source& source) {
    ++source.used;
    target.found = true;
    target.pair->before = *source.side;
    target.pair->letter = 'R';
    ++used_sources_[source.side->path];
    if (source.stays) stay_.insert(source.side->path);
  }

  /// find_identical_files(): a source that no file has taken yet, with the same last name.
  void match_identical() {
    std::multimap<Oid, Source*> by_content;  // equal keys stay in the order of their insertion
    for (Source& source : sources_) by_content.emplace(source.side->oid, &source);
    for (Target& target : targets_) {
      const FilePair::Side& wanted = target.pair->after;
      Source* best = nullptr;
      int best_score = -1;
      int looked_at = 0;
      constexpr int kMost = 100;
      const auto [first, last] = by_content.equal_range(wanted.oid);
      for (auto at = first; at != last && best_score < 2 && looked_at < kMost; ++at) {
        Source& source = *at->second;
        if (!same_type(source.side->mode, wanted.mode)) continue;
        if (source.used > 0 && !copies()) continue;
        const int score = (source.used == 0 ? 1 : 0) +
                          (basename_of(source.side->path) == basename_of(wanted.path) ? 1 : 0);
        if (score > best_score) {
          best = &source;
          best_score = score;
        }
        ++looked_at;
      }
      if (best != nullptr) record(target, *best);
    }
  }

  /// find_basename_matches(): most files that are moved and edited keep their last name.
  void match_basenames() {
    std::map<std::string_view, std::vector<Source*>> sources;
    std::map<std::string_view, std::vector<Target*>> targets;
    for (Source& source : sources_) {
      if (source.used == 0) sources[basename_of(source.side->path)].push_back(&source);
    }
    for (Target& target : targets_) {
      if (!target.found) targets[basename_of(target.pair->after.path)].push_back(&target);
    }
    for (Source& source : sources_) {
      if (source.used > 0) continue;
      const std::string_view name = basename_of(source.side->path);
      const auto found = targets.find(name);
      if (found == targets.end() || found->second.size() > 1 || sources[name].size() > 1) continue;
      Target& target = *found->second.front();
      if (score_of(source, target, kMinimumBasenameScore) >= kMinimumBasenameScore) {
        record(target, source);
      }
    }
  }

  void match_similar() {
    const auto open_targets = std::count_if(targets_.begin(), targets_.end(),
                                            [](const Target& target) { return !target.found; });
    const auto open_sources = std::count_if(
        sources_.begin(), sources_.end(), [this](const Source& source) { return is_open(source); });
    const auto pairs = static_cast<std::size_t>(open_targets * open_sources);
    const std::size_t limit = options_.limit;
    if (limit != 0 && pairs > limit * limit) return;
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      if (!targets_[i].found) add_best_sources(i, candidates);
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.better_than(b); });
    take(candidates, /*used_too=*/false);
    if (copies()) take(candidates, /*used_too=*/true);
  }

  bool is_open(const Source& source) const noexcept { return copies() || source.used == 0; }

  /// record_if_better(): the best four, each in the place of the worst one so far.
  void add_best_sources(std::size_t target, std::vector<Candidate>& candidates) {
    constexpr std::size_t kKept = 4;
    std::array<Candidate, kKept> best{};
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      Source& source = sources_[i];
      if (!is_open(source)) continue;
      const Candidate candidate{
          score_of(source, targets_[target], kMinimumScore),
          basename_of(source.side->path) == basename_of(targets_[target].pair->after.path), i,
          target};
      std::size_t worst = 0;
      for (std::size_t k = 1; k < kKept; ++k) {
        if (best[worst].better_than(best[k])) worst = k;
      }
      if (candidate.better_than(best[worst])) best[worst] = candidate;
    }
    candidates.insert(candidates.end(), best.begin(), best.end());
  }

  void take(const std::vector<Candidate>& candidates, bool used_too) {
    for (const Candidate& candidate : candidates) {
      if (candidate.score < kMinimumScore) return;
      Target& target = targets_[candidate.target];
      Source& source = sources_[candidate.source];
      if (!target.found && (used_too || source.used == 0)) record(target, source);
    }
  }

  /// estimate_similarity(): symlinks and submodules are the same or something else.
  int score_of(Source& source, Target& target, int minimum) {
    const FilePair::Side& from = *source.side;
    const FilePair::Side& to = target.pair->after;
    if (!is_regular(from.mode) || !is_regular(to.mode)) return 0;
    const std::uint64_t a = objects_.object_size(from.oid);
    const std::uint64_t b = objects_.object_size(to.oid);
    const auto most = std::max(a, b);
    const auto difference = most - std::min(a, b);
    const auto room = static_cast<std::uint64_t>(Signature::kMaxScore - minimum);
    if (most * room < difference * Signature::kMaxScore) return 0;
    return signature(source.signature, from).score_of(signature(target.signature, to));
  }

  const Signature& signature(std::optional<Signature>& known, const FilePair::Side& side) {
    if (!known) {
      const std::string content = objects_.read_blob(side.oid);
      known.emplace(content, kind_of_(side, content));
    }
    return *known;
  }

  /// diff_resolve_rename_copy(): of several files with one source the last has it, and none where
  /// it stays.
  void give_letters(std::vector<FilePair>& pairs) {
    for (FilePair& pair : pairs) {
      if (pair.letter != 'R') continue;
      int& left = used_sources_[pair.before.path];
      if (--left > 0 || stay_.contains(pair.before.path)) pair.letter = 'C';
    }
  }

  ObjectStore& objects_;
  const RenameOptions& options_;
  const KindOf& kind_of_;
  std::vector<FilePair> originals_;  ///< targets get the sources' side
  std::vector<Source> sources_;
  std::vector<Target> targets_;
  std::map<std::string, int> used_sources_;
  std::set<std::string> stay_;  ///< of the used ones
};

}  // namespace

RenameOptions rename_options(const Repository& repository, const std::string& section) {
  const auto setting = [&](const std::string& name) {
    auto value = repository.config(section + name);
    return value ? value : repository.config("diff" + name);
  };
  RenameOptions options;
  const std::string search = setting(".renames").value_or("true");
  if (equal_ignoring_case(search, "copies") || equal_ignoring_case(search, "copy")) {
    options.search = RenameSearch::copies;
  } else if (!parse_bool(search).value_or(true)) {
    options.search = RenameSearch::off;
  }
  const std::string limit = setting(".renameLimit").value_or("");
  long number = 0;
  const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), number);
  if (error == std::errc() && end == limit.data() + limit.size()) {
    options.limit = number > 0 ? static_cast<std::size_t>(number) : 0;
  }
  return options;
}

std::vector<FilePair> find_renames(ObjectStore& objects, const std::vector<TreeChange>& changes,
                                   const RenameOptions& options,
                                   const RenameFinder::KindOf& kind_of) {
  std::vector<FilePair> pairs;
  pairs.reserve(changes.size());
  for (const TreeChange& change : changes) {
    pairs.push_back({{change.path, change.old_mode, change.old_oid},
                     {change.path, change.new_mode, change.new_oid},
                     letter_of(change)});
  }
  if (options.search != RenameSearch::off) RenameFinder(objects, options, kind_of).find(pairs);
  return pairs;
}

}  // namespace wafers::git
