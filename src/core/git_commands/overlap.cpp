#include "core/git_commands/overlap.h"

#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/git_commands/wafer_git.h"
#include "git/diff/diff.h"

namespace wafers {
namespace {

std::vector<Wafer> chosen(const Store& store, const std::vector<std::string>& names) {
  std::vector<Wafer> wafers;
  if (names.empty()) {
    for (Wafer& wafer : store.list().wafers) {
      if (wafer.stage == WaferStage::ready) wafers.push_back(std::move(wafer));
    }
    return wafers;
  }
  const std::set<std::string> each(names.begin(), names.end());
  for (const std::string& name : each) wafers.push_back(store.load(name));
  return wafers;
}

std::set<std::string> changed_by(const Wafer& wafer, const WaferGit& git) {
  const auto objects = git.repository.objects(git::Writes::to_memory);
  std::set<std::string> paths = uncommitted_paths(wafer, git, *objects);
  for (git::TreeChange& change : git::changed_paths(*objects, git.base_tree, git.tip_tree)) {
    paths.insert(std::move(change.path));
  }
  return paths;
}

/// The wafers of one repository.
struct Group {
  std::filesystem::path checkout;
  std::map<std::string, std::vector<std::string>> changed;  ///< by path, the names of wafers
};

}  // namespace

OverlapResult find_overlaps(const Store& store, const std::vector<std::string>& names) {
  OverlapResult result;
  std::map<std::filesystem::path, Group> groups;  // by the directory that worktrees share
  for (const Wafer& wafer : chosen(store, names)) {
    try {
      const WaferGit git = open_wafer_git(wafer);
      Group& group = groups[git.repository.common_dir()];
      if (group.checkout.empty()) group.checkout = wafer.checkout;
      for (const std::string& path : changed_by(wafer, git)) {
        group.changed[path].push_back(wafer.name);
      }
    } catch (const Error& error) {
      result.warnings.push_back("wafer " + in_quotes(wafer.name) +
                                " is left out: " + error.message());
    }
  }
  result.several_repositories = groups.size() > 1;
  for (auto& [common_dir, group] : groups) {
    for (auto& [path, wafers] : group.changed) {
      if (wafers.size() < 2) continue;
      result.overlaps.push_back(
          {.repository = group.checkout, .path = path, .wafers = std::move(wafers)});
    }
  }
  return result;
}

}  // namespace wafers
