// Words where fingers expect them: short options and what git's mean, beginnings of options, and
// what is told of mistyped ones.

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

/// A wafer and a plain copy of the base in which git does the same.
class Twin {
 public:
  Twin() {
    world.in_base(
        "printf 'a\\nb\\nc\\nd\\ne\\nf\\ng\\nh\\n' > f; echo 1 > 'two words'; echo 1 > gone\n"
        "seq 20 > moved; git add -A; git commit -qm more; git clone -q . ../copy");
    world.add("a", any_backend());
    const std::string work =
        "printf 'a\\nb\\nc\\nD\\ne\\nf\\n  g\\nh\\n' > f; echo 2 > 'two words'; rm gone\n"
        "mv moved 'new place'; printf 'x\\ny\\n' > \"n\xC3\xB6w\"";
    world.inside("a", work);
    in_copy(work);
  }

  std::string in_copy(const std::string& script) const {
    return run_ok({"sh", "-euc", script}, {.cwd = world / "copy", .environment = {}, .input = {}});
  }

  World world;
};

TEST_CASE("git-diff takes what is staged, numbers, context and blanks as git does") {
  const Twin twin;
  const auto same = [&](const Words& ours, const std::string& git) {
    Words words{"git-diff", "a"};
    words.insert(words.end(), ours.begin(), ours.end());
    CAPTURE(git);
    CHECK(twin.world.wafers_ok(words) == twin.in_copy("git " + git));
  };
  CHECK(twin.world.wafers_ok({"git-diff", "a", "--staged"}).empty());
  twin.world.wafers_ok({"git-add", "a", "--", "f", "gone", "moved", "new place"});
  twin.in_copy("git add f gone moved 'new place'");
  same({"--staged"}, "diff --staged --binary");
  same({"--cached", "--numstat"}, "diff --staged --numstat");
  same({"--staged", "-U0"}, "diff --staged -U0 --binary");
  same({"--staged", "--unified=1", "-w"}, "diff --staged -U1 -w --binary");
  twin.in_copy("git add -A");
  same({"--uncommitted", "--numstat"}, "diff --cached --numstat");
  same({"--uncommitted", "-w", "--", "f"}, "diff --cached -w -- f");
  check_refused(twin.world,
                {{"git-diff", "a", "-Ux"},
                 2,
                 "wafers: git-diff: -U wants a number of lines right behind it, as in -U10, not "
                 "'x'\n" +
                     see_help("git-diff")});
  CHECK(twin.world.wafers({"git-diff", "a", "--staged", "--all"}).status == 2);
  CHECK(twin.world.wafers({"git-diff", "a", "--stat", "--numstat"}).status == 2);
}

TEST_CASE("git-status -s and -z print what git's do") {
  const Twin twin;
  const auto compare = [&] {
    CHECK(twin.world.wafers_ok({"git-status", "a", "-s"}) == twin.in_copy("git status -s"));
    CHECK(twin.world.wafers_ok({"git-status", "a", "-z"}) == twin.in_copy("git status -z"));
  };
  compare();
  twin.world.wafers_ok({"git-add", "a", "--", "gone", "moved", "new place"});
  twin.in_copy("git add gone moved 'new place'");
  compare();
}

TEST_CASE("names and places for scripts") {
  const World world;
  CHECK(world.wafers_ok({"ls", "-q"}).empty());
  world.add("b", any_backend());
  world.add("a", any_backend(), {"--at", (world / "v").native()});
  CHECK(world.wafers_ok({"ls", "-q"}) == "a\nb\n");
  CHECK(world.wafers_ok({"path", "a"}) == (world / "v").native() + "\n");
  CHECK(world.wafers_ok({"exec", "b", "-e", "X=1", "-w", "src", "--", "sh", "-c",
                         "echo $X; basename \"$PWD\""}) == "1\nsrc\n");
  world.inside("b", "echo work > work");
  world.wafers_ok({"rm", "-f", "a", "b"});
  CHECK(world.wafers_ok({"ls", "-q"}).empty());
  CHECK(world.wafers({"path", "a"}).status == 1);
}

TEST_CASE("git-push -f overwrites, and -n does nothing") {
  const World world;
  world.in_base("git init -q --bare ../remote; git remote add origin ../remote");
  world.add("a", any_backend());
  world.inside("a", "echo 1 > f");
  world.wafers_ok({"git-commit", "a", "-m", "one"});
  world.wafers_ok({"git-push", "a", "-n"});
  CHECK(world.in_base("git ls-remote origin").empty());
  world.in_base("git push -q origin $(git commit-tree -m other HEAD^{tree}):refs/heads/wafers/a");
  CHECK_FALSE(world.wafers({"git-push", "a"}).ok());
  world.wafers_ok({"git-push", "a", "-f"});
  CHECK(world.in_base("git -C ../remote rev-parse wafers/a") ==
        world.in_base("git rev-parse wafers/a"));
}

TEST_CASE("git-log and git-show are git's, of the wafer's branch") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 1 > f; mkdir d; echo 1 > d/f");
  world.wafers_ok({"git-commit", "a", "-m", "one"});
  world.inside("a", "echo 2 > d/f");
  world.wafers_ok({"git-commit", "a", "-m", "two"});
  const auto same = [&](const Words& ours, const std::string& git) {
    CAPTURE(git);
    CHECK(world.wafers_ok(ours) == world.in_base(git));
  };
  same({"git-log", "a"}, "git log wafers/a");
  same({"git-log", "a", "--oneline", "-n", "2", "--", "d/f"},
       "git log --oneline -n 2 wafers/a -- d/f");
  same({"git-log", "a", "--format=%s", "main..HEAD"}, "git log --format=%s main..wafers/a");
  same({"git-log", "a", "--format=%s", "^main", "HEAD~1"}, "git log --format=%s main..wafers/a~1");
  same({"git-show", "a", "--stat"}, "git show --stat wafers/a");
  same({"git-show", "a", "HEAD~1:d/f"}, "git show wafers/a~1:d/f");
  same({"git-show", "a", "main"}, "git show main");
  CHECK(world.inside("a", std::string("'") + WAFERS_PROGRAM + "' git-log --format=%s -n 1") ==
        "two\n");
  CHECK_THAT(world.wafers_ok({"git-log", "--help"}), Contains("by git itself"));
  CHECK(world.wafers({"git-log", "a", "--frob"}).status == 1);
  CHECK(world.wafers({"git-log"}).status == 2);
  world.base().git({"branch", "-q", "-D", "wafers/a"});
  CHECK_THAT(world.wafers({"git-log", "a"}).err, Contains("wafers: ") && Contains("hint: "));
}

TEST_CASE("the beginning of an option is enough, as long as it is that of one alone") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 1 > f");
  CHECK(world.wafers_ok({"git-diff", "a", "--unc", "--name-o"}) == "f\n");
  CHECK(world.wafers_ok({"git-diff", "a", "--unc", "--col=never", "--stat"}) ==
        world.wafers_ok({"git-diff", "a", "--uncommitted", "--stat"}));
  CHECK(world.wafers_ok({"git-status", "a", "--js"}).starts_with("{"));
  check_refused(world, {{"git-diff", "a", "--name"},
                        2,
                        "wafers: git-diff: option '--name' is ambiguous: it may be --name-only or "
                        "--name-status\n" +
                            see_help("git-diff")});
}

TEST_CASE("did you mean") {
  const World world;
  world.add("a1", any_backend());
  world.add("a2", any_backend());
  const std::string list = "'wafers ls' lists the wafers that there are\n";
  const std::vector<Refusal> cases{
      {{"git-statsu"},
       2,
       "wafers: unknown command 'git-statsu'\n"
       "hint: did you mean 'git-status'? see 'wafers help'\n"},
      {{"mout"},
       2,
       "wafers: unknown command 'mout'\nhint: did you mean 'mount'? see 'wafers help'\n"},
      {{"status"},
       2,
       "wafers: unknown command 'status'\n"
       "hint: did you mean 'git-status'? see 'wafers help'\n"},
      {{"diff"},
       2,
       "wafers: unknown command 'diff'\n"
       "hint: did you mean 'git-diff'? see 'wafers help'\n"},
      {{"list"}, 2, "wafers: unknown command 'list'\nhint: did you mean 'ls'? see 'wafers help'\n"},
      {{"remove", "a1"},
       2,
       "wafers: unknown command 'remove'\n"
       "hint: did you mean 'rm'? see 'wafers help'\n"},
      {{"rm", "a1", "--forec"},
       2,
       "wafers: rm: unknown option '--forec'\n"
       "hint: did you mean '--force'? see 'wafers help rm'\n"},
      {{"rm", "a3"},
       1,
       "wafers: there is no wafer 'a3'\n"
       "hint: did you mean 'a1' or 'a2'? " +
           list},
      {{"exec", "a", "--", "true"}, 125, "wafers: there is no wafer 'a'\nhint: " + list},
      {{"rm", "other"}, 1, "wafers: there is no wafer 'other'\nhint: " + list},
  };
  for (const Refusal& wanted : cases) check_refused(world, wanted);
}

TEST_CASE("wafers alone says what commands there are") {
  const World world;
  const RunResult alone = world.wafers({});
  CHECK(alone.status == 2);
  CHECK(alone.out == world.wafers_ok({"help"}));
  CHECK(alone.err.empty());
}

TEST_CASE("an option of git's that isn't there is answered with those that are") {
  const World world;
  CHECK_THAT(world.wafers({"git-status", "a", "--ahead-behind"}).err,
             Catch::Matchers::Contains("unknown option '--ahead-behind'\nhint: it takes ") &&
                 Catch::Matchers::Contains("--porcelain, "));
  CHECK_THAT(world.wafers({"git-commit", "a", "--fixup=x"}).err,
             Catch::Matchers::Contains("--amend, "));
}

TEST_CASE("where the name is forgotten, those that there are help") {
  const World world;
  for (const char* name : {"one", "two"}) world.add(name, any_backend());
  for (const char* command : {"git-commit", "exec", "umount", "rm", "git-sync"}) {
    CHECK_THAT(world.wafers({command}).err,
               Catch::Matchers::Contains("hint: there are one, two; "));
  }
}

}  // namespace
}  // namespace wafers::test
