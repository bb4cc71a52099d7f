#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("what is staged is committed, and nothing else") {
  for (const std::string& backend : working_backends()) {
    INFO(backend);
    const World world;
    world.add("a", backend);
    world.inside("a", "echo 2 > README; echo 2 > src/main.c; rm src/old.c; echo n > new");
    CHECK(world.wafers_ok({"git-add", "a", "--", "README", "src/old.c"}).empty());
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
          "M  README\n M src/main.c\nD  src/old.c\n?? new\n");
    world.inside("a", "echo 3 > README");
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
          "MM README\n M src/main.c\nD  src/old.c\n?? new\n");
    world.wafers_ok({"git-commit", "a", "-m", "staged"});
    CHECK(world.base().git_line({"show", "wafers/a:README"}) == "2");
    CHECK(world.wafers_ok({"git-diff", "a", "--name-status"}) == "M\tREADME\nD\tsrc/old.c\n");
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
          " M README\n M src/main.c\n?? new\n");
    world.wafers_ok({"git-commit", "a", "-m", "the rest"});
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  }
}

TEST_CASE("git-add from inside, without a name") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README; echo n > new; '" WAFERS_PROGRAM "' git-add -- new");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M README\nA  new\n");
}

TEST_CASE("git-add and git-status tell programs what is staged") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README; seq 50 > src/new.c; mv src/main.c src/other.c");
  const auto staged =
      nlohmann::json::parse(world.wafers_ok({"git-add", "a", "--json", "--", "README", "src"}));
  CHECK(staged["tree"].get<std::string>().size() == 40);
  CHECK(staged["staged"] == nlohmann::json::array({{{"path", "README"}, {"status", "M"}},
                                                   {{"path", "src/main.c"}, {"status", "D"}},
                                                   {{"path", "src/new.c"}, {"status", "A"}},
                                                   {{"path", "src/other.c"}, {"status", "A"}}}));
  world.inside("a", "echo 3 > README; touch untracked");
  const auto entries = world.json({"git-status", "a"})["entries"];
  CHECK(
      entries ==
      nlohmann::json::array(
          {{{"path", "README"}, {"status", "M"}, {"staged", "M"}},
           {{"path", "src/new.c"}, {"status", "A"}, {"staged", "A"}},
           {{"path", "src/other.c"}, {"status", "R"}, {"staged", "R"}, {"old_path", "src/main.c"}},
           {{"path", "untracked"}, {"status", "?"}}}));
}

TEST_CASE("git reads the private index") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README; rm src/old.c; echo n > src/new.c");
  world.wafers_ok({"git-add", "a", "--", "README", "src/new.c"});
  world.inside("a", "echo 3 > src/main.c");
  // In the view, where alone git finds its files.
  const std::string status =
      world.inside("a", "GIT_DIR='" + (world.base() / ".git").native() +
                            "' GIT_WORK_TREE=$WAFERS_ROOT " + "GIT_INDEX_FILE='" +
                            (world.state() / "a/index").native() + "' git status --porcelain");
  CHECK(status == world.wafers_ok({"git-status", "a", "--porcelain"}));
  CHECK(status == "M  README\n M src/main.c\nA  src/new.c\n D src/old.c\n");
}

TEST_CASE("rm keeps what is only staged from being lost") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README");
  world.wafers_ok({"git-add", "a", "--", "README"});
  world.inside("a", "echo base > README");
  const RunResult refused = world.wafers({"rm", "a"});
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, Contains("MM README"));
  world.wafers_ok({"git-commit", "a", "-m", "staged"});
  CHECK(world.base().git_line({"show", "wafers/a:README"}) == "2");
}

TEST_CASE("what can't be staged") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README; touch new.o");
  const std::string before = world.everything();
  const auto refused = [&](const Words& arguments, int status, const std::string& message) {
    const RunResult result = world.wafers(arguments);
    CHECK(result.status == status);
    CHECK_THAT(result.err, Contains(message));
    CHECK(world.everything() == before);
  };
  refused({"git-add", "a"}, 2, "nothing specified, nothing added");
  refused({"git-add", "a", "--"}, 2, "nothing specified, nothing added");
  refused({"git-add", "a", "README"}, 2, "unexpected argument 'README'");
  refused({"git-add", "a", "--", "README", "none"}, 2, "path 'none' did not match any files");
  refused({"git-add", "a", "--", "/README"}, 2, "is absolute");
  refused({"git-add", "a", "--", "../x"}, 2, "leads out of the wafer");
  refused({"git-add", "a", "--", "README", "new.o"}, 1, "path 'new.o' is ignored");
  refused({"git-add", "none", "--", "x"}, 1, "there is no wafer 'none'");
  CHECK(world.json({"git-add", "a"})["error"]["kind"] == "usage");
}

}  // namespace
}  // namespace wafers::test
