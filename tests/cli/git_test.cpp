#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("git-status for people, programs and both") {
  const World world;
  world.add("a", any_backend());
  CHECK(world.wafers_ok({"git-status", "a"}) ==
        "On branch wafers/a\nnothing to commit, working tree clean\n");
  world.inside("a", "echo 2 > README; rm src/old.c; echo x > 'new file'; touch src/built.o");
  CHECK(world.wafers_ok({"git-status", "a"}) ==
        "On branch wafers/a\n M README\n D src/old.c\n?? \"new file\"\n");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
        " M README\n D src/old.c\n?? \"new file\"\n");
  const auto entries = world.json({"git-status", "a"})["entries"];
  REQUIRE(entries.size() == 3);
  CHECK(entries[0] == nlohmann::json{{"path", "README"}, {"status", "M"}});
  CHECK(entries[1] == nlohmann::json{{"path", "src/old.c"}, {"status", "D"}});
  CHECK(entries[2] == nlohmann::json{{"path", "new file"}, {"status", "?"}});
}

TEST_CASE("git-commit says what it did, as git does") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README; echo x > new");
  const std::string said = world.wafers_ok({"git-commit", "a", "-m", "subject", "-m", "- body"});
  const std::string id = world.base().git_line({"rev-parse", "--short", "wafers/a"});
  CHECK(said ==
        "[wafers/a " + id + "] subject\n 2 files changed, 2 insertions(+), 1 deletion(-)\n");
  CHECK(world.base().git_line({"log", "-1", "--format=%B", "wafers/a"}) == "subject\n\n- body\n");
  CHECK(world.base().git_line({"reflog", "-1", "--format=%gs", "wafers/a"}) == "commit: subject");
}

TEST_CASE("who commits and when is what the environment says, and the reflog tells of it") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README");
  world.wafers_ok(
      {"git-commit", "a", "-m", "subject", "-m", "body"},
      {.cwd = {},
       .environment = {"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@x",
                       "GIT_AUTHOR_DATE=2001-02-03T04:05:06+0130", "GIT_COMMITTER_NAME=C",
                       "GIT_COMMITTER_EMAIL=c@x", "GIT_COMMITTER_DATE=1234567890 -0700"},
       .input = {}});
  CHECK(world.base().git_line({"log", "-1", "--date=raw", "--format=%an|%ae|%ad|%cn|%ce|%cd",
                               "wafers/a"}) == "A|a@x|981167706 +0130|C|c@x|1234567890 -0700");
  CHECK(world.base().git({"reflog", "--date=raw", "--format=%gn|%gd|%gs", "wafers/a", "-1"}) ==
        "C|wafers/a@{1234567890 -0700}|commit: subject\n");
}

TEST_CASE("nothing to commit") {
  const World world;
  world.add("a", any_backend());
  const RunResult result = world.wafers({"git-commit", "a", "-m", "x"});
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("nothing to commit"));
  CHECK(world.json({"git-commit", "a", "-m", "x"})["error"]["kind"] == "failed");
  world.wafers_ok({"git-commit", "a", "-m", "x", "--allow-empty"});
}

TEST_CASE("only what is named is committed") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README; echo 2 > src/main.c; echo -x > -x");
  world.wafers_ok({"git-commit", "a", "-m", "x", "--", "src", "-x"});
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M README\n");
  CHECK(world.wafers_ok({"git-diff", "a", "--name-only"}) == "-x\nsrc/main.c\n");
  CHECK(world.wafers_ok({"git-diff", "a", "--all", "--name-only", "--", "src"}) == "src/main.c\n");
}

TEST_CASE("a message from a file or from standard input") {
  const World world;
  world.add("a", any_backend());
  write_file(world / "message", "from a file\n");
  world.wafers_ok({"git-commit", "a", "--allow-empty", "-F", (world / "message").native()});
  CHECK(world.base().git_line({"log", "-1", "--format=%s", "wafers/a"}) == "from a file");
  world.wafers_ok({"git-commit", "a", "--allow-empty", "-F", "-"},
                  {.cwd = {}, .environment = {}, .input = "from stdin\n"});
  CHECK(world.base().git_line({"log", "-1", "--format=%s", "wafers/a"}) == "from stdin");
  world.wafers_ok(
      {"git-commit", "a", "--allow-empty", "-m", "x", "--author", "An Other <o@x.org>"});
  CHECK(world.base().git_line({"log", "-1", "--format=%an %ae", "wafers/a"}) == "An Other o@x.org");
}

TEST_CASE("a branch that moved outside is not overwritten") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README");
  const std::string tree = world.base().head_tree();
  const std::string outside =
      world.base().git_line({"commit-tree", tree, "-p", "HEAD", "-m", "outside"});
  world.base().git({"update-ref", "refs/heads/wafers/a", outside});
  const std::string before = world.everything();
  CHECK(world.wafers({"git-commit", "a", "-m", "x"}).status == 3);
  CHECK(changes(before, world.everything()) == "");
  CHECK(world.json({"git-commit", "a", "-m", "x"})["error"]["kind"] == "refused");
}

TEST_CASE("a commit that was cut off after the branch had moved is our own") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README");
  const std::string first = world.json({"git-commit", "a", "-m", "first"}).at("commit");
  // As if the command had died before it could write down the new tip.
  const auto file = world / "state/a/metadata";
  auto record = nlohmann::json::parse(read_file(file));
  record["pending_commit"] = first;
  record["last_commit"] = world.base().head();
  write_file(file, record.dump());
  world.inside("a", "echo 3 > README");
  const auto second = world.json({"git-commit", "a", "-m", "second"});
  CHECK(second.at("parent") == first);
  // Without that note it is somebody else's.
  record["pending_commit"] = "";
  write_file(file, record.dump());
  world.inside("a", "echo 4 > README");
  CHECK(world.wafers({"git-commit", "a", "-m", "third"}).status == 3);
}

TEST_CASE("git-diff's patch applies, and has colours on request") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README; printf 'a\\0b' > binary; rm src/old.c");
  const std::string patch = world.wafers_ok({"git-diff", "a", "--uncommitted"});
  CHECK_THAT(patch, !Contains("\x1B["));
  world.base().git({"apply", "--check", "-"}, {.cwd = {}, .environment = {}, .input = patch});
  CHECK_THAT(world.wafers_ok({"git-diff", "a", "--uncommitted", "--color", "always"}),
             Contains("\x1B["));
  CHECK(world.wafers_ok({"git-diff", "a", "--uncommitted", "--color=never"}) == patch);
  CHECK_THAT(world.wafers_ok({"git-diff", "a", "--uncommitted", "--stat"}),
             Contains("3 files changed"));
}

}  // namespace
}  // namespace wafers::test
