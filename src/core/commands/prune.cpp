#include "core/commands/prune.h"

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "core/commands/discard.h"
#include "core/commands/remove.h"
#include "core/commands/unused_layers.h"
#include "git/program/git_program.h"
#include "git/refs/head.h"
#include "git/repository/repository.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSalvagedRefs = "refs/wafers/removed/";

std::string answer_of_git(const fs::path& worktree, const std::vector<std::string>& arguments) {
  const ProgramResult result = git::run_git(worktree, arguments);
  if (result.success()) return result.output;
  throw Error(ErrorKind::failed, "git " + arguments.front() + " in " +
                                     in_quotes(worktree.native()) + ": " +
                                     printable(trimmed(result.errors)));
}

/// When the work was salvaged, by the ref's name: a commit's date is what the environment says.
std::optional<std::uint64_t> time_in(const std::string& ref) {
  std::tm time{};
  const std::string name = ref.substr(ref.rfind('/') + 1);
  if (::strptime(name.c_str(), "%Y%m%dT%H%M%SZ", &time) == nullptr) return std::nullopt;
  return static_cast<std::uint64_t>(::timegm(&time));
}

/// Refs older than wafers.salvageExpire says.
std::vector<std::string> expired_refs(const fs::path& worktree) {
  const std::string expiry =
      answer_of_git(worktree, {"config", "--type=expiry-date", "--default", "30.days.ago", "--get",
                               "wafers.salvageExpire"});
  // "now" is the end of all time.
  const std::uint64_t before = std::strtoull(expiry.c_str(), nullptr, 10);
  std::vector<std::string> refs;
  for (std::string& ref : split(
           answer_of_git(worktree, {"for-each-ref", "--format=%(refname)", kSalvagedRefs}), '\n')) {
    const auto made = time_in(ref);
    if (made && *made < before) refs.push_back(std::move(ref));
  }
  return refs;
}

/// One checkout of each repository: of all wafers, and of where this process stands.
std::vector<fs::path> repositories(const Store::Listing& listing) {
  std::map<fs::path, fs::path> by_common_dir;
  const auto add = [&](const fs::path& checkout) {
    if (auto common_dir = git::read_base_files(checkout).common_dir) {
      by_common_dir.emplace(*std::move(common_dir), checkout);
    }
  };
  for (const Wafer& wafer : listing.wafers) add(wafer.checkout);
  try {
    add(git::Repository::open_here(".").worktree());
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): it stands in none
  }
  std::vector<fs::path> checkouts;
  checkouts.reserve(by_common_dir.size());
  for (const auto& [common_dir, checkout] : by_common_dir) checkouts.push_back(checkout);
  return checkouts;
}

class Pruning {
 public:
  Pruning(const Store& store, bool dry_run) : store_(store), dry_run_(dry_run) {}

  PruneResult run() {
    const Store::Listing listing = store_.list();
    prune_wafers(listing);
    const auto layers =
        dry_run_ ? unused_layers(store_) : take_away_unused_layers(store_, Keep::nothing);
    for (const fs::path& layer : layers) result_.layers.push_back(layer.native());
    for (const fs::path& checkout : repositories(listing)) {
      noting_failure([&] { prune_salvaged(checkout); });
    }
    return std::move(result_);
  }

 private:
  template <typename Work>
  void noting_failure(Work work) {
    try {
      work();
    } catch (const Error& error) {
      result_.warnings.push_back(error.message());
    }
  }

  void prune_wafers(const Store::Listing& listing) {
    std::vector<std::string> names;
    for (const Wafer& wafer : listing.wafers) {
      if (wafer.stage != WaferStage::ready) names.push_back(wafer.name);
    }
    if (dry_run_) {
      result_.wafers = std::move(names);
      return;
    }
    Remover remover(store_, names, {},
                    [&](std::string_view line) { result_.warnings.emplace_back(line); });
    for (const std::string& name : names) {
      noting_failure([&] {
        if (remover.remove_unfinished(name)) result_.wafers.push_back(name);
      });
    }
  }

  void prune_salvaged(const fs::path& checkout) {
    for (const std::string& ref : expired_refs(checkout)) {
      if (!dry_run_) answer_of_git(checkout, {"update-ref", "-d", ref});
      result_.salvaged.push_back(ref);
    }
  }

  const Store& store_;
  bool dry_run_;
  PruneResult result_;
};

}  // namespace

PruneResult prune(const Store& store, bool dry_run) { return Pruning(store, dry_run).run(); }

}  // namespace wafers
