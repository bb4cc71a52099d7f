#include "cli/world.h"
#include "support/catch.h"

// Files of the base that git was told not to look at: skip-worktree and assume-unchanged.

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

const Words kMarks = {"--skip-worktree", "--assume-unchanged"};

/// Marks the base's README and changes it there.
void make_private(const World& world, const std::string& mark) {
  world.base().git({"update-index", mark, "README"});
  world.base().write("README", "secret\n");
}

std::string status_of(const World& world) {
  return world.wafers_ok({"git-status", "a", "--porcelain"});
}

TEST_CASE("a local change that git was told to ignore is not the agent's") {
  for (const std::string& backend : working_backends()) {
    for (const std::string& mark : kMarks) {
      INFO(backend << " " << mark);
      const World world;
      make_private(world, mark);
      world.add("a", backend);
      CHECK(world.inside("a", "touch README; echo n > new; cat README") == "secret\n");
      CHECK(status_of(world) == "?? new\n");
      CHECK(world.wafers_ok({"git-diff", "a", "--uncommitted"}).find("secret") ==
            std::string::npos);
      world.wafers_ok({"git-commit", "a", "-m", "new"});
      CHECK(world.base().git_line({"diff", "--name-only", "main", "wafers/a"}) == "new");
      const auto secret = world.base().git({"hash-object", "README"});
      CHECK(world.base().try_git({"cat-file", "-e", secret.substr(0, 40)}).status != 0);
      CHECK(status_of(world).empty());

      // Written anew, its directory moved away and back: still nothing of the agent's.
      world.inside("a", "rm README; echo secret > README");
      CHECK(status_of(world).empty());
      CHECK(world.wafers({"git-commit", "a", "-m", "nothing"}).status == 1);
      CHECK(world.wafers({"git-add", "a", "--", "README"}).status == 0);
      CHECK(status_of(world).empty());
      world.wafers_ok({"rm", "a"});
    }
  }
}

TEST_CASE("a marked file that the agent changes is committed as it is") {
  for (const std::string& backend : working_backends()) {
    for (const std::string& mark : kMarks) {
      INFO(backend << " " << mark);
      const World world;
      make_private(world, mark);
      world.add("a", backend);
      world.inside("a", "echo more >> README");
      CHECK(status_of(world) == " M README\n");
      world.wafers_ok({"git-commit", "a", "-m", "more"});
      CHECK(world.base().git({"show", "wafers/a:README"}) == "secret\nmore\n");

      // Back to what the view showed: what was committed is taken back.
      world.inside("a", "echo secret > README");
      world.wafers_ok({"git-commit", "a", "-m", "back"});
      CHECK(world.base().git_line({"diff", "--name-only", "main", "wafers/a"}).empty());
      world.inside("a", "rm README");
      CHECK(status_of(world) == " D README\n");
      world.inside("a", "ln -s secret README");
      CHECK(status_of(world) == " T README\n");
    }
  }
}

TEST_CASE("a mode that the agent gives a marked file is committed without its content") {
  const World world;
  make_private(world, "--skip-worktree");
  world.add("a", any_backend());
  world.inside("a", "chmod +x README");
  CHECK(status_of(world) == " M README\n");
  world.wafers_ok({"git-commit", "a", "-m", "mode"});
  CHECK(world.base().git({"diff", "--raw", "main", "wafers/a"}).starts_with(":100644 100755"));
  CHECK(world.base().git_line({"diff", "--numstat", "main", "wafers/a"}) == "0\t0\tREADME");
}

TEST_CASE("a hook that stages everything leaves marked files alone") {
  for (const std::string& backend : working_backends()) {
    for (const std::string& mark : kMarks) {
      for (const Words& what : {Words{}, Words{"new", "src"}, Words{"staged"}}) {
        const bool staged = what == Words{"staged"};
        INFO(backend << " " << mark << " " << what.size() << " " << staged);
        const World world;
        make_private(world, mark);
        world.base().git({"update-index", mark, "src/old.c"});
        std::filesystem::remove(world.base() / "src/old.c");
        const auto hook = world.base() / ".git/hooks/pre-commit";
        write_file(hook, "#!/bin/sh\ngit add -u; git diff --exit-code\n");
        std::filesystem::permissions(hook, std::filesystem::perms::owner_all);
        world.add("a", backend);
        world.inside("a", "touch README; echo n > new; echo 2 > src/main.c");
        if (staged) world.wafers_ok({"git-add", "a", "--", "."});
        Words commit = {"git-commit", "a", "--verify", "-m", "all", "--"};
        if (!staged) commit.insert(commit.end(), what.begin(), what.end());
        world.wafers_ok(commit);
        CHECK(world.base().git_line({"diff", "--name-only", "main", "wafers/a"}) ==
              "new\nsrc/main.c");
      }
    }
  }
}

TEST_CASE("marked files below a directory that is made anew") {
  for (const std::string& backend : working_backends()) {
    for (const std::string& mark : kMarks) {
      INFO(backend << " " << mark);
      const World world;
      world.base().git({"update-index", mark, "src/main.c", "src/old.c"});
      world.base().write("src/main.c", "secret\n");
      std::filesystem::remove(world.base() / "src/old.c");
      world.add("a", backend);
      // src/old.c was never there; src/main.c is the same as before.
      world.inside("a", "rm -r src; mkdir src; echo secret > src/main.c");
      CHECK(status_of(world).empty());
      world.inside("a", "rm src/main.c");
      CHECK(status_of(world) == " D src/main.c\n");
    }
  }
}

}  // namespace
}  // namespace wafers::test
