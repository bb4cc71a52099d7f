// What `add` refuses: bases, branches, mountpoints and state directories that won't do. The message
// word by word, the exit status, and that nothing has changed.

#include <unistd.h>

#include <functional>

#include "base/text.h"
#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

const Words kAdd{"add", "a"};
const char* const kOtherBranch = "hint: choose another one with --branch\n";
const char* const kOtherPlace = "hint: choose another place with --at\n";

RunOptions with(const Words& environment) {
  return {.cwd = {}, .environment = environment, .input = {}};
}

/// Git's own configuration would refuse some of these values: they are written by hand.
void append_to(const fs::path& file, const std::string& text) {
  write_file(file, read_file(file) + text);
}

struct BaseCase {
  std::function<void(const World&)> spoil;
  int status;
  std::string err;
};

void git_config(const World& world, const std::string& text) {
  append_to(world / "base/.git/config", text);
}

void change_head(const World& world, const std::string& text) {
  write_file(world / "base/.git/HEAD", text);
}

TEST_CASE("repositories that can't be a base") {
  const std::string of = "wafers: the repository '{top}/base/.git' ";
  const std::string no_repository =
      "wafers: not a git repository (or any of the parent directories): '.'\n"
      "hint: go into a checkout, or name one with --from\n";
  const std::string index = "wafers: cannot read index '{top}/base/.git/index': ";
  const std::string index_hint = "hint: git fsck says more; git reset makes a new one\n";
  const std::string v1 = "[core]\nrepositoryformatversion = 1\n";
  const BaseCase wanted = GENERATE_COPY(values<BaseCase>({
      {[](const World& world) { change_head(world, "ref: refs/heads/none\n"); }, 1,
       "wafers: repository '{top}/base' has no commit yet that a wafer could be based on\n"
       "hint: make a first commit\n"},
      {[](const World& world) { change_head(world, "no ref\n"); }, 1, no_repository},
      {[](const World& world) { fs::remove_all(world / "base/.git/objects"); }, 1, no_repository},
      {[](const World& world) { git_config(world, "[core]\nbare = true\n"); }, 1,
       of + "is bare\nhint: wafers needs a checkout: git worktree add makes one\n"},
      {[=](const World& world) { git_config(world, v1 + "[extensions]\nobjectFormat = sha256\n"); },
       5, of + "names its objects with sha256; wafers works with SHA-1 repositories only\n"},
      {[=](const World& world) { git_config(world, v1 + "[extensions]\nrefStorage = reftable\n"); },
       5,
       of + "keeps its refs in the format 'reftable'; wafers works with the format 'files' only\n"},
      {[=](const World& world) { git_config(world, v1 + "[extensions]\nodd = true\n"); }, 5,
       of + "uses the extension 'odd', which wafers doesn't know\n"},
      {[](const World& world) { git_config(world, "[core]\nrepositoryformatversion = 2\n"); }, 5,
       of + "has format version 2, which wafers doesn't know\n"},
      {[](const World& world) {
         world.base().git({"update-index", "--split-index"});
       },
       5,
       "wafers: the index of '{top}/base' is split, which wafers can't read yet; git update-index "
       "--no-split-index joins it\n"},
      {[](const World& world) {
         world.base().git({"sparse-checkout", "set", "--cone", "--sparse-index", "none"});
       },
       5,
       "wafers: the index of '{top}/base' is sparse, which wafers can't read yet; git "
       "sparse-checkout reapply --no-sparse-index makes it full\n"},
      {[](const World& world) { write_file(world / "base/.git/index", "rubbish"); }, 1,
       index + "it is no index\n" + index_hint},
      {[](const World& world) {
         const fs::path file = world / "base/.git/index";
         write_file(file, read_file(file).substr(0, 100));
       },
       1, index + "a name doesn't end\n" + index_hint},
  }));
  const World world;
  wanted.spoil(world);
  check_refused(world, {kAdd, wanted.status, wanted.err});
}

TEST_CASE("a configuration that git can't read either") {
  const World world;
  git_config(world, "rubbish [\n");
  const std::string before = world.everything();
  const RunResult result = world.wafers(kAdd);
  CHECK(result.status == 1);
  CHECK(world.shortened(result.err)
            .starts_with("wafers: cannot read configuration file '{top}/base/.git/config': "));
  CHECK(changes(before, world.everything()) == "");
}

TEST_CASE("places that are no checkout") {
  const World world;
  fs::create_directory(world / "plain");
  world.base().git({"init", "-q", "--bare", (world / "bare").native()});
  const auto from = [&](const char* where) { return Words{"add", "a", "--from", world / where}; };
  const std::string none = "wafers: not a git repository (or any of the parent directories): ";
  const std::string part =
      " is no worktree, but a repository or a part of one\n"
      "hint: name a directory inside a checkout\n";
  const std::vector<Refusal> cases{
      {from("plain"), 1,
       none + "'{top}/plain'\nhint: go into a checkout, or name one with --from\n"},
      {from("base/README"), 1,
       "wafers: '{top}/base/README' is no directory\nhint: --from names any directory of a "
       "checkout\n"},
      {from("missing"), 1,
       "wafers: cannot find '{top}/missing': No such file or directory (ENOENT)\n"},
      {from("bare"), 1, "wafers: '{top}/bare'" + part},
      {from("base/.git"), 1, "wafers: '{top}/base/.git'" + part},
      {from("base/.git/refs"), 1, "wafers: '{top}/base/.git'" + part},
  };
  for (const Refusal& wanted : cases) check_refused(world, wanted);
}

TEST_CASE("a base that is not clean") {
  const World world;
  const GitRepo& base = world.base();
  const std::string head = base.git_line({"rev-parse", "--short", "HEAD"});
  const auto refusal = [&](const std::string& entries) {
    return Refusal{kAdd, 3,
                   "wafers: the base '{top}/base' is not clean:\n" + entries +
                       "hint: commit or stash the changes, say --with-changes to take them along, "
                       "or --assume-clean to have them in the view as if they were part of " +
                       head + "\n"};
  };
  const auto check_and_clean = [&](const std::string& entries) {
    check_refused(world, refusal(entries));
    base.git({"reset", "-q", "--hard"});
    base.git({"clean", "-fdq"});
  };
  base.write("README", "changed\n");
  base.write("new\nfile", "new\n");
  check_and_clean("   M README\n  ?? \"new\\nfile\"\n");
  base.git({"rm", "-q", "README"});
  base.write("dir/new", "new\n");
  check_and_clean("  D  README\n  ?? dir/\n");
  base.git({"mv", "README", "READ"});
  check_and_clean("  A  READ\n  D  README\n");
  fs::permissions(base / "README", fs::perms::owner_all);
  check_and_clean("   M README\n");
  for (const char* name : {"1", "2", "3", "4", "5", "6"}) base.write(name, "new\n");
  check_and_clean("  ?? 1\n  ?? 2\n  ?? 3\n  ?? 4\n  ?? 5\n");
  world.add("a", any_backend());  // and the twin: clean again
}

TEST_CASE("a state directory in the wrong place") {
  const World world;
  check_refused(world,
                {kAdd, 3,
                 "wafers: the state directory '{top}/base/state' lies inside the base "
                 "'{top}/base'\nhint: set WAFERS_STATE_DIR to a directory outside of it\n"},
                with({"WAFERS_STATE_DIR=state"}));
  check_refused(world,
                {kAdd, 3,
                 "wafers: the base '{top}/base' lies inside the state directory: wafers can't be "
                 "nested\n"},
                with({"WAFERS_STATE_DIR=" + (world / ".").native()}));
  write_file(world / "file", "x");
  check_refused(world,
                {kAdd, 1,
                 "wafers: cannot make the state directory '{top}/file/state': Not a directory "
                 "(ENOTDIR)\nhint: set WAFERS_STATE_DIR to a directory that you can write to\n"},
                with({"WAFERS_STATE_DIR=" + (world / "file/state").native()}));
  check_refused(world,
                {kAdd, 1,
                 "wafers: cannot tell where to keep state: $HOME is not set\n"
                 "hint: set WAFERS_STATE_DIR to a directory of your own\n"},
                with({"WAFERS_STATE_DIR=", "XDG_STATE_HOME=not/absolute", "HOME"}));
  if (::geteuid() == 0) return;  // may write everywhere
  fs::create_directory(world / "closed");
  fs::permissions(world / "closed", fs::perms(0555));
  check_refused(world,
                {kAdd, 1,
                 "wafers: cannot make the state directory '{top}/closed/state': Permission denied "
                 "(EACCES)\nhint: set WAFERS_STATE_DIR to a directory that you can write to\n"},
                with({"WAFERS_STATE_DIR=" + (world / "closed/state").native()}));
}

TEST_CASE("where the state directory is, by the environment") {
  const World world;
  const std::string home = (world / "home").native();
  const std::string state = (world / "xdg").native();
  const auto state_of_add = [&](const Words& environment) {
    const auto added =
        nlohmann::json::parse(world.wafers_ok({"add", "a", "--json"}, with(environment)));
    world.wafers_ok({"rm", "a"}, with(environment));
    return world.shortened(added["wafers"][0]["upperdir"]);
  };
  CHECK(state_of_add({"WAFERS_STATE_DIR=", "XDG_STATE_HOME=" + state, "HOME=" + home}) ==
        "{top}/xdg/wafers/a/upper");
  CHECK(state_of_add({"WAFERS_STATE_DIR=", "XDG_STATE_HOME=", "HOME=" + home}) ==
        "{top}/home/.local/state/wafers/a/upper");
  CHECK(state_of_add({"WAFERS_STATE_DIR=../own", "XDG_STATE_HOME=" + state}) ==
        "{top}/own/a/upper");
}

TEST_CASE("branches that can't be had") {
  const World world;
  const GitRepo& base = world.base();
  base.git({"branch", "behind"});
  base.write("README", "2\n");
  base.commit_all();
  const std::string head = base.git_line({"rev-parse", "--short", "HEAD"});
  base.git({"worktree", "add", "-q", "-b", "elsewhere", (world / "side").native()});
  base.git({"branch", "topic"});
  base.git({"symbolic-ref", "refs/heads/alias", "refs/heads/main"});
  base.git({"branch", "rebased"});
  write_file(base / ".git/rebase-merge/head-name", "refs/heads/rebased\n");
  world.add("a", any_backend());
  world.add("t", any_backend(), {"--branch", "topic"});
  const auto add_on = [](const std::string& branch) {
    return Words{"add", "b", "--branch", branch};
  };
  const std::string invalid = "wafers: invalid branch name ";
  std::vector<Refusal> cases{
      {add_on("main"), 3,
       std::string("wafers: branch 'main' is checked out in '{top}/base'\n") + kOtherBranch},
      {add_on("elsewhere"), 3,
       std::string("wafers: branch 'elsewhere' is checked out in '{top}/side'\n") + kOtherBranch},
      {add_on("rebased"), 3,
       std::string("wafers: branch 'rebased' is checked out in '{top}/base'\n") + kOtherBranch},
      {add_on("alias"), 3,
       std::string("wafers: branch 'alias' is a symbolic ref to 'refs/heads/main'\n") +
           kOtherBranch},
      {add_on("behind"), 3,
       "wafers: branch 'behind' exists and does not descend from the base's HEAD " + head +
           "\nhint: say --base behind to start from where it is; fast-forward it with: git -C "
           "{top}/base fetch . HEAD:refs/heads/behind; or "
           "choose another one with --branch\n"},
      {add_on("wafers/a"), 3,
       std::string("wafers: branch 'wafers/a' belongs to wafer 'a'\n") + kOtherBranch},
      {add_on("topic"), 3,
       std::string("wafers: branch 'topic' belongs to wafer 't'\n") + kOtherBranch},
      {add_on("wafers/a/deeper"), 1,
       "wafers: cannot create 'refs/heads/wafers/a/deeper': 'refs/heads/wafers/a' exists\n"},
      {add_on("wafers"), 1,
       "wafers: cannot create 'refs/heads/wafers': 'refs/heads/wafers/a' exists\n"},
      {{"add", "a", "--branch", "other"},
       1,
       "wafers: wafer 'a' exists already\n"
       "hint: choose another name, or remove it with 'wafers rm a'\n"},
      {{"add", "b", "a"},
       1,
       "wafers: wafer 'a' exists already\n"
       "hint: choose another name, or remove it with 'wafers rm a'\n"},
      // The second one of these takes the first one's branch.
      {{"add", "b", "c", "--branch", "x{name}/../x"}, 2, invalid + "'xb/../x'\n"},
  };
  for (const char* name : {"a..b", "-x", "HEAD", "a b", "a~1", "a.lock", ".a", "a.", "a//b", "/a",
                           "a/", "a@{1}", "a\\b", "a:b", "a?", "a*", "a["}) {
    cases.push_back(
        {add_on(name), 2, invalid + "'" + (name == std::string("a\\b") ? "a\\\\b" : name) + "'\n"});
  }
  for (const Refusal& wanted : cases) check_refused(world, wanted);
}

TEST_CASE("mountpoints that can't be had") {
  const World world;
  const auto add_at = [&](const fs::path& place) {
    return Words{"add", "b", "--at", world / place};
  };
  const auto place = [](const std::string& what) { return "wafers: mountpoint '{top}/" + what; };
  const std::string in_repository = ": git in the view would work on that one\n";
  world.add("a", any_backend(), {"--at", (world / "views/a").native()});
  write_file(world / "full/file", "x");
  fs::create_directory_symlink(world / "base", world / "link");
  fs::create_symlink("nowhere", world / "dangling");
  world.base().git({"init", "-q", "--bare", (world / "bare").native()});
  const std::string overlaps = " overlaps that of wafer 'a'\n";
  const std::string long_name(300, 'x');
  const std::vector<Refusal> cases{
      {add_at("base/view"), 3,
       place("base/view' lies inside the Git repository '{top}/base'") + in_repository +
           kOtherPlace},
      {add_at("base"), 3,
       place("base' lies inside the Git repository '{top}/base'") + in_repository + kOtherPlace},
      {add_at("link/view"), 3,
       place("base/view' lies inside the Git repository '{top}/base'") + in_repository +
           kOtherPlace},
      {add_at("base/.git/view"), 3,
       place("base/.git/view' lies inside the Git repository '{top}/base/.git'") + in_repository +
           kOtherPlace},
      {add_at("bare/view"), 3,
       place("bare/view' lies inside the Git repository '{top}/bare'") + in_repository +
           kOtherPlace},
      {{"add", "b", "--at", "view"},
       3,
       place("base/view' lies inside the Git repository '{top}/base'") + in_repository +
           kOtherPlace},
      {add_at("full"), 3, place("full' is not empty: it holds 'file'\n") + kOtherPlace},
      {add_at("full/file"), 3, place("full/file' is no directory\n") + kOtherPlace},
      {add_at("full/file/x"), 1,
       "wafers: cannot read the mountpoint '{top}/full/file/x': Not a directory (ENOTDIR)\n"},
      {add_at("views/a"), 3, place("views/a'") + overlaps + kOtherPlace},
      {add_at("views/a/src/b"), 3, place("views/a/src/b'") + overlaps + kOtherPlace},
      {add_at("views"), 3, place("views'") + overlaps + kOtherPlace},
      {add_at("."), 3, "wafers: mountpoint '{top}'" + overlaps + kOtherPlace},
      {add_at("state/x"), 3, place("state/x' lies inside the state directory\n") + kOtherPlace},
      {add_at("state/a/mnt"), 3,
       place("state/a/mnt' lies inside the state directory\n") + kOtherPlace},
      {add_at(long_name), 1,
       "wafers: cannot make mountpoint '{top}/" + long_name +
           "': File name too long (ENAMETOOLONG)\n"},
      // Each alone would do: together they want the same place.
      {{"add", "b", "c", "--at", (world / "views/{name}/../same").native()},
       3,
       "wafers: mountpoint '{top}/views/same' overlaps that of wafer 'b'\n" +
           std::string(kOtherPlace)},
  };
  for (const Refusal& wanted : cases) check_refused(world, wanted);
  if (::geteuid() == 0) return;
  fs::create_directory(world / "closed");
  fs::permissions(world / "closed", fs::perms(0555));
  check_refused(world, {add_at("closed/x"), 1,
                        "wafers: cannot make mountpoint '{top}/closed/x': Permission denied "
                        "(EACCES)\n"});
}

TEST_CASE("backends that can't be had") {
  const World world;
  fs::create_directory(world / "nothing");
  fs::create_directory(world / "git alone");
  const std::string git = run_ok({"sh", "-c", "command -v git"});
  fs::create_symlink(trimmed(git), world / "git alone/git");
  check_refused(world,
                {{"add", "a", "--backend", "fuse"},
                 5,
                 "wafers: backend 'fuse' does not work here: fuse-overlayfs is not installed\n"
                 "hint: install the package fuse-overlayfs\n"},
                with({"PATH=" + (world / "git alone").native()}));
  check_refused(world,
                {{"add", "a"}, 5, "wafers: cannot find the program git\nhint: install git\n"},
                with({"PATH=" + (world / "nothing").native()}));
  check_refused(world,
                {{"add", "a", "--backend", "namespace"},
                 5,
                 "wafers: backend 'namespace' does not work here: the helper program wafers-holder "
                 "is missing\nhint: reinstall wafers, or set WAFERS_HOLDER to its path\n"},
                with({"WAFERS_HOLDER=" + (world / "nothing/holder").native()}));
  if (::geteuid() == 0) return;
  check_refused(world,
                {{"add", "a", "--backend", "host"},
                 5,
                 "wafers: backend 'host' does not work here: the caller has no CAP_SYS_ADMIN "
                 "over its mount namespace\nhint: run wafers as root or in 'podman unshare', "
                 "or use the backend namespace\n"});
}

}  // namespace
}  // namespace wafers::test
