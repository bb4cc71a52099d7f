// `wafers git-commit --amend`, `-s` and `--date`, beside git in a plain copy.

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

constexpr const char* kShown = "--format=%T%n%an <%ae>%n%ad%n%B";

struct Twin {
  Twin() {
    world.in_base("git clone -q . ../copy");
    world.add("a", any_backend());
  }
  /// Both do the same in their files, and commit with the same options.
  void commit(const std::string& work, const Words& options) const {
    world.inside("a", work);
    Words words{"git-commit", "a"};
    words.insert(words.end(), options.begin(), options.end());
    world.wafers_ok(words);
    std::string quoted;
    for (const std::string& option : options) quoted += " '" + option + "'";
    world.in_copy(work + "; git add -A; GIT_EDITOR=: git commit -q" + quoted);
    CAPTURE(quoted);
    CHECK(world.base().git({"log", kShown, "main..wafers/a"}) ==
          world.in_copy(std::string("git log '") + kShown + "' origin/main..HEAD"));
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  }
  World world;
};

const std::string kDate = "2020-02-02T02:02:02 +0100";

TEST_CASE("commits are signed off, dated and amended as git does") {
  const Twin twin;
  const World& world = twin.world;
  twin.commit("echo 1 > f", {"-m", "one", "-s", "--date", kDate});
  twin.commit("echo 2 > f; echo n > n", {"--amend", "--date", kDate});
  twin.commit("true", {"--amend", "-m", "new words", "-s"});
  twin.commit("true", {"--amend", "-s"});  // not twice
  twin.commit("echo 3 > f", {"-m", "two", "--date", "@1600000000 +0000"});
  twin.commit("rm n", {"--amend", "--author", "Somebody <s@example.com>", "--date", kDate});
  CHECK(world.base().git({"rev-list", "--count", "main..wafers/a"}) == "2\n");
  CHECK_THAT(world.base().git({"reflog", "-1", "wafers/a"}), Contains("commit (amend): two"));
  CHECK(world.listed("a")["last_commit"].get<std::string>() + "\n" ==
        world.base().git({"rev-parse", "wafers/a"}));
}

TEST_CASE("what is staged, and some paths, are amended alone") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 1 > f");
  world.wafers_ok({"git-commit", "a", "-m", "one"});
  world.inside("a", "echo 2 > f; echo 1 > g; echo 1 > h");
  world.wafers_ok({"git-add", "a", "--", "g"});
  world.wafers_ok({"git-commit", "a", "--amend"});
  CHECK(world.base().git({"show", "--format=%s", "--name-only", "wafers/a"}) == "one\n\nf\ng\n");
  CHECK(world.base().git({"show", "wafers/a:f"}) == "1\n");
  world.wafers_ok({"git-commit", "a", "--amend", "--", "h"});
  CHECK(world.base().git({"show", "--format=%s", "--name-only", "wafers/a"}) == "one\n\nf\ng\nh\n");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M f\n");
  const auto document = world.json({"git-commit", "a", "--amend", "-m", "all"});
  CHECK(document["parent"].get<std::string>() + "\n" == world.base().git({"rev-parse", "main"}));
  CHECK(document["files_changed"] == 3);
}

TEST_CASE("what can't be amended is left alone") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 1 > f");
  check_refused(world,
                {{"git-commit", "a", "--amend"},
                 3,
                 "wafers: branch 'wafers/a' has no commit of its own that could be amended: its "
                 "last one is the base commit\n"});
  world.wafers_ok({"git-commit", "a", "-m", "one"});
  world.inside("a", "rm f");
  CHECK(world.wafers({"git-commit", "a", "--amend"}).status == 1);  // it would be empty
  world.wafers_ok({"git-commit", "a", "--amend", "--allow-empty"});
  const RunResult undated =
      world.wafers({"git-commit", "a", "--allow-empty", "-m", "x", "--date", "never"});
  CHECK(undated.status == 1);
  CHECK_THAT(undated.err, Contains("invalid date format in --date: 'never'"));
  world.base().git({"branch", "-q", "-f", "wafers/a", "main"});
  CHECK(world.wafers({"git-commit", "a", "--amend", "--allow-empty"}).status == 3);
}

TEST_CASE("-a commits what is staged and tracked, as git does") {
  const Twin twin;
  const World& world = twin.world;
  twin.commit("mkdir d; echo 1 > d/f; echo 1 > g; echo 1 > h; ln -s g link", {"-m", "base"});
  const std::string work =
      "echo 2 > g; rm h; rm d/f; rmdir d; echo now a file > d; rm link; echo file > link\n"
      "rm README; mkdir README; echo in > README/in; echo new > new; echo staged > staged";
  world.inside("a", work);
  world.in_copy(work + "; git add staged; git commit -q -a -m all");
  world.wafers_ok({"git-add", "a", "--", "staged"});
  world.wafers_ok({"git-commit", "a", "-a", "-m", "all"});
  const auto same = [&] {
    CHECK(world.base().git_line({"rev-parse", "wafers/a^{tree}"}) + "\n" ==
          world.in_copy("git rev-parse 'HEAD^{tree}'"));
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
          world.in_copy("git status --porcelain"));
  };
  same();
  for (const char* more : {"rm g", "echo 3 > link"}) {
    world.inside("a", more);
    world.wafers_ok({"git-commit", "a", "-am", "one"});
    world.in_copy(std::string(more) + "; git commit -q -am one");
    same();
  }
  CHECK(world.wafers({"git-commit", "a", "-a", "-m", "nothing"}).status == 1);
  CHECK(world.wafers({"git-commit", "a", "-a", "-m", "x", "--", "new"}).status == 2);
}

}  // namespace
}  // namespace wafers::test
