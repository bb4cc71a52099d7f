// What `rm --force` keeps of a view's uncommitted work.

#include <filesystem>
#include <regex>

#include "base/text.h"
#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

Words salvaged_refs(const World& world) {
  Words refs;
  for (const std::string& ref :
       split(world.base().git_line({"for-each-ref", "--format=%(refname)", "refs/wafers"}), '\n')) {
    if (!ref.empty()) refs.push_back(ref);
  }
  return refs;
}

TEST_CASE("rm --force keeps uncommitted work as a commit, and says how to bring it back") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const bool mounted = GENERATE(true, false);
  CAPTURE(backend, mounted);
  const World world;
  world.add("a", backend);
  world.inside("a", "echo done > done");
  world.wafers_ok({"git-commit", "a", "-m", "done"});
  const std::string tip = world.base().git_line({"rev-parse", "wafers/a"});
  world.inside("a",
               "echo 2 > README; rm src/old.c; mkdir -p d/e; echo n > 'd/e/n w'; chmod +x d/e/*; "
               "ln -s README l; touch built.o");
  // The same in a plain checkout.
  world.base().git({"worktree", "add", "-q", "--detach", (world / "plain").native(), tip});
  const GitRepo plain(world / "plain");
  REQUIRE(run({"sh", "-c",
               "echo 2 > README; rm src/old.c; mkdir -p d/e; echo n > 'd/e/n w'; chmod +x d/e/*; "
               "ln -s README l; touch built.o; git add -A"},
              {.cwd = plain.path(), .environment = {}, .input = {}})
              .ok());
  const std::string wanted(trimmed(plain.git({"write-tree"})));
  if (!mounted) world.wafers_ok({"umount", "a"});

  const std::string told = world.wafers_ok({"rm", "--force", "a"});
  const Words refs = salvaged_refs(world);
  REQUIRE(refs.size() == 1);
  CHECK(std::regex_match(refs[0], std::regex("refs/wafers/removed/a/[0-9]{8}T[0-9]{6}Z")));
  CHECK(world.base().git_line({"rev-parse", refs[0] + "^{tree}"}) == wanted);
  CHECK(world.base().git_line({"rev-parse", refs[0] + "^@"}) == tip);
  CHECK(world.base().git_line({"rev-parse", "wafers/a"}) == tip);
  CHECK_FALSE(fs::exists(world / "state/a"));

  CHECK_THAT(told, Contains("Its uncommitted work is kept: " + refs[0] + "\n"));
  const std::string key = "To bring it back: ";
  const std::string command = told.substr(told.find(key) + key.size());
  REQUIRE(run({"sh", "-c", command}, {.cwd = "/", .environment = {}, .input = {}}).ok());
  world.add("b", backend, {"--branch", "wafers/a-removed"});
  CHECK(world.inside("b", "cat README 'd/e/n w'; ls src") == "2\nn\nmain.c\n");
}

TEST_CASE("what is staged is kept beside what the view has") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo staged > README");
  world.wafers_ok({"git-add", "a", "--", "README"});
  world.inside("a", "echo later > README");
  world.wafers_ok({"rm", "--force", "a"});
  const Words refs = salvaged_refs(world);
  REQUIRE(refs.size() == 1);
  CHECK(world.base().git({"show", refs[0] + ":README"}) == "later\n");
  CHECK(world.base().git({"show", refs[0] + "^2:README"}) == "staged\n");
  CHECK(world.base().git_line({"rev-parse", refs[0] + "^1"}) ==
        world.base().git_line({"rev-parse", "wafers/a"}));
  CHECK(world.base().git_line({"rev-parse", refs[0] + "^2^"}) ==
        world.base().git_line({"rev-parse", "wafers/a"}));
}

TEST_CASE("rm --force of a clean wafer, or with --no-salvage, keeps nothing") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "touch built.o");
  CHECK(world.wafers_ok({"rm", "--force", "a"}) == "Removed wafer a (branch wafers/a is kept)\n");
  world.add("b", any_backend());
  world.inside("b", "echo 2 > README");
  CHECK(world.wafers_ok({"rm", "--force", "--no-salvage", "b"}) ==
        "Removed wafer b (branch wafers/b is kept)\n");
  CHECK(salvaged_refs(world).empty());
}

TEST_CASE("a commit that no ref leads to any more is kept by rm --force") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README");
  world.wafers_ok({"git-commit", "a", "-m", "work"});
  const std::string tip = world.base().git_line({"rev-parse", "wafers/a"});
  world.base().git({"branch", "-q", "-D", "wafers/a"});
  CHECK(world.wafers({"rm", "a"}).status == 3);
  world.wafers_ok({"rm", "--force", "a"});
  const Words refs = salvaged_refs(world);
  REQUIRE(refs.size() == 1);
  CHECK(world.base().git_line({"rev-parse", refs[0]}) == tip);
}

TEST_CASE("who has no name has his work kept all the same") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README");
  world.base().git({"config", "user.useConfigOnly", "true"});
  const RunOptions nameless{
      .cwd = world.base().path(),
      .environment = {"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME",
                      "GIT_COMMITTER_EMAIL", "EMAIL", "GIT_CONFIG_GLOBAL=/dev/null"},
      .input = {}};
  REQUIRE(world.wafers({"git-commit", "a", "-m", "x"}, nameless).status == 1);
  world.wafers_ok({"rm", "--force", "a"}, nameless);
  CHECK(salvaged_refs(world).size() == 1);
}

TEST_CASE("what no commit can have is not removed by force alone") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.add("a", backend);
  std::string what;
  SECTION("a repository of its own") {
    world.inside("a",
                 "git init -q inner && cd inner && echo x > f && git add f && "
                 "git -c user.name=n -c user.email=e commit -q -m x");
    what = "inner";
  }
  SECTION("a fifo in the place of a file") {
    world.inside("a", "rm README && mkfifo README");
    what = "README";
  }
  const RunResult refused = world.wafers({"rm", "--force", "a"});
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, Contains("cannot keep the uncommitted work of wafer 'a': ") &&
                              Contains("hint: 'wafers rm --force --no-salvage a' throws it away"));
  CHECK_THAT(refused.err, Contains(what));
  CHECK(world.listed("a")["status"] == "mounted");
  CHECK(salvaged_refs(world).empty());
  world.wafers_ok({"rm", "--force", "--no-salvage", "a"});
}

TEST_CASE("without room for it in the repository nothing is removed") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README");
  // Files of no more than 0 bytes are as good as a full disk, for root too.
  const RunResult refused =
      run({"sh", "-c", "(ulimit -f 0; \"$0\" rm --force a; echo $?) 2>&1 | cat", WAFERS_PROGRAM},
          {.cwd = world.base().path(),
           .environment = {"WAFERS_STATE_DIR=" + world.state().native()},
           .input = {}});
  CHECK_THAT(refused.out, Contains("cannot keep the uncommitted work of wafer 'a'") &&
                              EndsWith("throws it away\n3\n"));
  CHECK(world.inside("a", "cat README") == "2\n");
  CHECK(salvaged_refs(world).empty());
  for (const auto& entry : fs::directory_iterator(world.base() / ".git/objects")) {
    CHECK_FALSE(entry.path().filename().native().starts_with("tmp_"));
  }
}

TEST_CASE("of many wafers each keeps its own work, and JSON names where") {
  const World world;
  world.wafers_ok({"add", "a", "b", "c", "--backend", any_backend()});
  world.inside("a", "echo a > README");
  world.inside("c", "echo c > README");
  const auto document = world.json({"rm", "--all", "--force"});
  CHECK(document["removed"] == Words{"a", "b", "c"});
  CHECK(document["salvaged"].size() == 2);
  for (const std::string name : {"a", "c"}) {
    const std::string ref = document["salvaged"][name];
    CHECK_THAT(ref, Contains("refs/wafers/removed/" + name + "/"));
    CHECK(world.base().git({"show", ref + ":README"}) == name + "\n");
  }
  // A second one in the same second has a ref of its own.
  for (int i = 0; i < 2; ++i) {
    world.add("a", any_backend());
    world.inside("a", "echo again > README");
    world.wafers_ok({"rm", "--force", "a"});
  }
  CHECK(salvaged_refs(world).size() == 4);
}

}  // namespace
}  // namespace wafers::test
