#include "core/git_commands/diff.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/git_commands/stage.h"
#include "core/git_commands/wafer_git.h"
#include "git/diff/diff.h"
#include "git/program/git_program.h"
#include "git/worktree/attributes_files.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

struct Trees {
  git::Oid before, after;
};

/// The two sides of `request`; what of the view is not in the repository goes to `objects`.
Trees trees_of(const Wafer& wafer, const WaferGit& git, git::ObjectStore& objects, DiffRange range,
               const std::vector<std::string>& paths) {
  Trees trees;
  const bool from_tip = range == DiffRange::tip_to_view || range == DiffRange::tip_to_staged;
  trees.before = from_tip ? git.tip_tree : git.base_tree;
  trees.after = range == DiffRange::tip_to_staged ? git.index_tree : git.tip_tree;
  std::vector<std::string> unmatched = paths;
  if (range == DiffRange::tip_to_view || range == DiffRange::base_to_view) {
    // Where paths are given, the rest of the tree is what is staged.
    Snapshot snapshot =
        take_snapshot(snapshot_input(wafer, git, objects, SnapshotPurpose::diff, paths));
    if (paths.empty()) remember_seen(wafer, snapshot);
    require_committable(snapshot);
    trees.after = snapshot.tree;
    unmatched = std::move(snapshot.unmatched_paths);
    objects.flush();
  }
  std::erase_if(unmatched, [&](const std::string& path) {
    return tree_has(objects, trees.before, path) || tree_has(objects, trees.after, path);
  });
  require_matched(unmatched);
  return trees;
}

/// Trees can hold names that lead elsewhere: git itself refuses to check them out.
bool stays_below(const fs::path& path) {
  return std::none_of(path.begin(), path.end(),
                      [](const fs::path& name) { return name == "." || name == ".."; });
}

void write_attributes_files(git::ObjectStore& objects, const Trees& trees, const fs::path& where) {
  std::vector<std::string> paths;
  for (git::TreeChange& change : git::changed_paths(objects, trees.before, trees.after)) {
    paths.push_back(std::move(change.path));
  }
  for (const git::AttributesFile& file : git::attributes_files(objects, trees.after, paths)) {
    if (!stays_below(file.path)) continue;
    fs::create_directories((where / file.path).parent_path());
    std::ofstream out(where / file.path, std::ios::binary);
    objects.with_blob(file.blob, [&](std::string_view rules) { out << rules << std::flush; });
    if (!out) {
      throw Error(ErrorKind::failed, "cannot write " + in_quotes((where / file.path).native()));
    }
  }
}

/// git(1): the list is separated by colons, and an entry may be quoted as in C.
std::string quoted_entry(const fs::path& path) {
  std::string text = "\"";
  for (const char c : path.native()) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

std::vector<std::string> arguments_for(const DiffRequest& request, const Trees& trees,
                                       const std::vector<std::string>& paths) {
  std::vector<std::string> arguments{"--literal-pathspecs", "diff"};
  switch (request.style) {
    case DiffStyle::patch:
      arguments.emplace_back("--binary");
      break;
    case DiffStyle::stat:
      arguments.emplace_back("--stat");
      break;
    case DiffStyle::numstat:
      arguments.emplace_back("--numstat");
      break;
    case DiffStyle::name_only:
      arguments.emplace_back("--name-only");
      break;
    case DiffStyle::name_status:
      arguments.emplace_back("--name-status");
      break;
  }
  arguments.insert(arguments.end(), request.options.begin(), request.options.end());
  if (request.colour) arguments.push_back("--color=" + *request.colour);
  // What a program reads must be a patch that `git apply` takes, whatever people like to look at.
  if (!request.to_terminal) {
    if (!request.colour) arguments.emplace_back("--no-color");
    arguments.insert(arguments.end(),
                     {"--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/"});
  }
  arguments.insert(arguments.end(), {trees.before.hex(), trees.after.hex(), "--"});
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  return arguments;
}

}  // namespace

DiffProgram::DiffProgram(const Wafer& wafer, const DiffRequest& request)
    : scratch_(wafer.directory.parent_path(), kDiffPrefix) {
  const std::vector<std::string> paths = clean_paths(request.paths);
  const fs::path worktree = scratch_.path() / "worktree";
  const fs::path objects_dir = scratch_.path() / "objects";
  fs::create_directory(worktree);
  fs::create_directory(objects_dir);
  const WaferGit git = open_wafer_git(wafer);
  const auto objects = git.repository.objects_beside(objects_dir);
  const Trees trees = trees_of(wafer, git, *objects, request.range, paths);
  write_attributes_files(*objects, trees, worktree);
  shows_less_ = request.to_terminal && request.range == DiffRange::base_to_tip &&
                trees.before == trees.after && !uncommitted_paths(wafer, git, *objects).empty();

  command_ = git::git_command_in(worktree, arguments_for(request, trees, paths));
  const fs::path in_repository = git.repository.common_dir() / "objects";
  for (const std::string& assignment :
       {"GIT_DIR=" + git.repository.git_dir().native(), "GIT_WORK_TREE=" + worktree.native(),
        "GIT_OBJECT_DIRECTORY=" + objects_dir.native(),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES=" + quoted_entry(in_repository)}) {
    command_.environment.push_back(assignment);
  }
}

}  // namespace wafers
