#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

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

TEST_CASE("git-add -f stages what is ignored, as git does") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.in_base(
      "printf '*.o\\nbuild/\\n' > .gitignore; git add -A; git commit -qm rules\n"
      "mkdir -p build/deep src/build; echo base > build/deep/f; echo base > build/g; echo b > b.o\n"
      "echo o > src/build/o; git clone -q . ../copy; cp -r build b.o ignored.o ../copy\n"
      "cp -r src/build ../copy/src");
  world.add("a", backend);
  const std::string work =
      "echo new > src/new.o; echo two > build/g; rm -f b.o; echo plain > plain";
  world.inside("a", work);
  world.in_copy(work);
  const auto both = [&](const Words& paths) {
    Words words{"git-add", "a", "-f", "--"};
    std::string quoted;
    for (const std::string& path : paths) {
      words.push_back(path);
      quoted += " '" + path + "'";
    }
    CAPTURE(quoted);
    world.wafers_ok(words);
    world.in_copy("git add -f --" + quoted);
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
          world.in_copy("git status --porcelain"));
  };
  CHECK_THAT(world.wafers({"git-add", "a", "--", "src/new.o"}).err, Contains("-f adds it"));
  both({"src/new.o"});
  both({"build/deep/f"});
  both({"src"});
  both({"."});
  CHECK(world.wafers({"git-add", "a", "-f", "--", "b.o"}).status == 2);  // it is gone
  world.wafers_ok({"git-commit", "a", "-m", "forced"});
  world.in_copy("git commit -qm forced");
  CHECK(world.base().git_line({"rev-parse", "wafers/a^{tree}"}) + "\n" ==
        world.in_copy("git rev-parse 'HEAD^{tree}'"));
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  // Tracked from now on, whatever the rules say.
  world.inside("a", "echo three > build/deep/f");
  world.in_copy("echo three > build/deep/f");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M build/deep/f\n");
}

TEST_CASE("git-add -p stages the hunks that one says yes to") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.in_base("seq 30 > f; seq 30 > g; git add -A; git commit -qm base; git clone -q . ../copy");
  world.add("a", backend);
  const std::string work =
      "sed -i 's/^3$/three/; s/^27$/27 or so/' f; echo more >> g; echo new > untracked";
  world.inside("a", work);
  const fs::path copy = world / "copy";
  world.in_copy(work);
  const auto both = [&](const std::string& answers, const Words& paths) {
    Words words{"git-add", "a", "-p", "--"};
    Words git{"git", "add", "-p", "--"};
    for (Words* all : {&words, &git}) all->insert(all->end(), paths.begin(), paths.end());
    REQUIRE(world.wafers(words, {.cwd = {}, .environment = {}, .input = answers}).ok());
    REQUIRE(run(git, {.cwd = copy, .environment = {}, .input = answers}).ok());
    CHECK(world.wafers_ok({"git-diff", "a", "--staged"}) == world.in_copy("git diff --cached"));
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
          world.in_copy("git status --porcelain"));
  };
  both("n\ny\n", {"f"});
  both("y\ny\n", {});
  CHECK(world.wafers({"git-add", "a", "-p", "--", "../f"}).status == 2);
  CHECK(world.wafers({"git-add", "a", "-p", "--json"}).status == 2);
  world.wafers_ok({"git-commit", "a", "-m", "all hunks"});
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == "?? untracked\n");
}

}  // namespace
}  // namespace wafers::test
