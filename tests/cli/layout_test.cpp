// Every layout of a repository that git knows, as a base: either all commands find it again, or
// `add` refuses it.

#include <functional>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

/// Makes a checkout of the world's base, in one layout. Returns the directory to call `add` in.
using Layout = std::function<fs::path(const World&)>;

/// git with its repository and worktree said out loud.
Words elsewhere(const World& world, const Words& arguments) {
  Words all{"--git-dir=" + (world / "elsewhere/.git").native(),
            "--work-tree=" + (world / "worktree").native()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

/// `elsewhere/.git` with the worktree `worktree`, which knows nothing of that.
void make_elsewhere(const World& world) {
  GitRepo::init(world / "elsewhere");
  write_file(world / "worktree/README", "base\n");
  world.base().git(elsewhere(world, {"add", "README"}));
  world.base().git(elsewhere(world, {"commit", "-q", "-m", "base"}));
  fs::copy(world / "base/.gitignore", world / "elsewhere/.git/info/exclude",
           fs::copy_options::overwrite_existing);
}

void name_worktree(const World& world, const fs::path& worktree) {
  GitRepo(world / "elsewhere").git({"config", "core.worktree", worktree});
}

fs::path separate(const World& world) {
  world.base().git({"clone", "-q", "--separate-git-dir=" + (world / "separate.git ").native(), ".",
                    (world / "checkout").native()});
  return world / "checkout";
}

fs::path linked_symlink(const World& world) {
  fs::rename(world / "base/.git", world / "real.git");
  fs::create_directory_symlink(world / "real.git", world / "base/.git");
  return world / "base";
}

fs::path through_symlink(const World& world) {
  fs::create_directory_symlink(world / "base/src", world / "link");
  return world / "link";
}

fs::path submodule(const World& world) {
  const GitRepo super = GitRepo::init(world / "super");
  super.git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", world.base().path(),
             "deep/sub"});
  super.commit_all();
  return super / "deep/sub";
}

fs::path linked_to_bare(const World& world) {
  world.base().git({"clone", "-q", "--bare", ".", (world / "bare.git").native()});
  GitRepo(world / "bare.git").git({"worktree", "add", "-q", "-b", "side", world / "checkout"});
  return world / "checkout";
}

fs::path linked_to_hidden_bare(const World& world) {
  world.base().git({"clone", "-q", "--bare", ".", (world / "hub/.bare").native()});
  write_file(world / "hub/.git", "gitdir: ./.bare\n");
  GitRepo(world / "hub").git({"worktree", "add", "-q", "-b", "side", "checkout"});
  return world / "hub/checkout";
}

/// The layout of a submodule, made by hand.
fs::path worktree_with_way_back(const World& world) {
  make_elsewhere(world);
  name_worktree(world, "../../worktree");
  write_file(world / "worktree/.git", "gitdir: ../elsewhere/.git\n");
  return world / "elsewhere";
}

TEST_CASE("layouts from which a base is found again by every command") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const Layout layout = GENERATE(values<Layout>({
      separate,
      linked_symlink,
      through_symlink,
      submodule,
      linked_to_bare,
      linked_to_hidden_bare,
      worktree_with_way_back,
  }));
  const World world;
  const fs::path directory = layout(world);
  INFO("backend " << backend << ", directory " << directory);
  const RunOptions there{.cwd = directory};
  world.wafers_ok({"add", "a", "--backend", backend}, there);
  CHECK(world.inside("a", "test ! -e .git; cat README; echo more >> README") == "base\n");
  CHECK(world.json({"git-status", "a"})["entries"].size() == 1);
  CHECK(world.wafers_ok({"git-diff", "a", "--uncommitted", "--name-only"}) == "README\n");
  CHECK(world.listed("a")["base_moved"] == false);
  world.wafers_ok({"umount", "a"});
  world.wafers_ok({"git-commit", "a", "-m", "more"});
  CHECK(world.inside("a", "cat README") == "base\nmore\n");
  world.wafers_ok({"rm", "a"});
}

TEST_CASE("a worktree that doesn't lead back to its repository") {
  const World world;
  make_elsewhere(world);
  name_worktree(world, world / "worktree");
  const std::string named =
      "core.worktree of '{top}/elsewhere/.git' names '{top}/worktree', which ";
  const std::string remedy = "echo 'gitdir: " + (world / "elsewhere/.git").native() + "' > " +
                             (world / "worktree/.git").native();
  const Words add{"add", "a", "--from", world / "elsewhere"};
  const auto said = [&](const std::string& problem) {
    return "wafers: " + world.shortened(named + problem) + "\n";
  };
  check_refused(
      world, {add, 5, said("doesn't lead back to that repository; " + remedy + " makes it do so")});
  const RunResult doctor = world.wafers({"doctor"}, {.cwd = world / "elsewhere"});
  CHECK_THAT(doctor.out, Catch::Matchers::Contains(remedy));
  run_ok({"sh", "-c", remedy});
  world.wafers_ok(add);
  world.wafers_ok({"git-status", "a"});
  world.wafers_ok({"rm", "a"});

  fs::remove(world / "worktree/.git");
  name_worktree(world, world / "base");
  check_refused(world, {add, 5,
                        "wafers: core.worktree of '{top}/elsewhere/.git' names '{top}/base', which "
                        "belongs to the repository '{top}/base/.git'\n"});
}

TEST_CASE("GIT_DIR and GIT_WORK_TREE that name something else than the directory") {
  const World world;
  make_elsewhere(world);
  const std::string git_dir = (world / "elsewhere/.git").native();
  const std::string worktree = (world / "worktree").native();
  const auto with = [](const fs::path& directory, const Words& environment) {
    return RunOptions{.cwd = directory, .environment = environment};
  };
  const std::string else_here =
      ", and not what is found from here: wafers goes by directories alone\n"
      "hint: unset GIT_DIR GIT_WORK_TREE, or name a checkout with --from";
  const Words both{"GIT_DIR=" + git_dir, "GIT_WORK_TREE=" + worktree};
  const Refusal other{{"add", "a"},
                      5,
                      "wafers: GIT_DIR names '{top}/elsewhere/.git' and GIT_WORK_TREE names "
                      "'{top}/worktree'" +
                          else_here +
                          "; to make that one be found: echo 'gitdir: {top}/elsewhere/.git' > "
                          "{top}/worktree/.git\n"};
  check_refused(world, other, with(world / "worktree", both));
  check_refused(world, other, with(world / "base", both));
  check_refused(
      world, {{"add", "a"}, 5, "wafers: GIT_DIR names '{top}/elsewhere/.git'" + else_here + "\n"},
      with(world / "base", {"GIT_DIR=" + git_dir}));
  check_refused(
      world, {{"add", "a"}, 5, "wafers: GIT_WORK_TREE names '{top}/worktree'" + else_here + "\n"},
      with(world / "base", {"GIT_WORK_TREE=" + worktree}));

  // As in a hook, and where a checkout is named.
  world.wafers_ok({"add", "a"},
                  with(world / "base", {"GIT_DIR=.git", "GIT_INDEX_FILE=.git/index"}));
  world.wafers_ok({"add", "b", "--from", world / "base"}, with(world / "worktree", both));
  CHECK(world.listed("b")["base_repo"] == (world / "base").native());
}

}  // namespace
}  // namespace wafers::test
