#include <sys/stat.h>

#include <filesystem>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

/// A base with the submodule `sub` that has the file `f`, and the wafer `a`.
void add_with_submodule(const World& world, const std::string& backend) {
  const GitRepo submodule = GitRepo::init(world / "submodule");
  submodule.write("f", "1\n");
  submodule.commit_all();
  world.base().git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
                    submodule.path().native(), "sub"});
  world.base().commit_all("submodule");
  world.add("a", backend);
}

TEST_CASE("changes inside a submodule are told apart from what a commit can have") {
  for (const std::string& backend : working_backends()) {
    INFO(backend);
    const World world;
    add_with_submodule(world, backend);
    world.inside("a", "echo 2 >> sub/f");
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M sub\n");
    for (const Words& paths : {Words{}, Words{"--", "sub"}}) {
      Words commit = {"git-commit", "a", "-m", "x"};
      commit.insert(commit.end(), paths.begin(), paths.end());
      const RunResult refused = world.wafers(commit);
      CHECK(refused.status == 1);
      CHECK(refused.err ==
            "wafers: no changes to commit: submodule 'sub' has modified or untracked content\n"
            "hint: copy it into a checkout of the submodule and commit it there, or discard it\n");
    }
    const RunResult kept = world.wafers({"rm", "a"});
    CHECK(kept.status == 3);
    CHECK(kept.err ==
          "wafers: wafer 'a' holds work that is not committed:\n   M sub\n"
          "hint: copy it into a checkout of the submodule and commit it there, or throw it away "
          "with 'wafers rm --force --no-salvage a'\n");

    // With something that a commit can have, all is as ever.
    world.inside("a", "echo n > new");
    CHECK_THAT(world.wafers({"rm", "a"}).err, Contains("hint: commit it with 'wafers git-commit"));
    const RunResult committed = world.wafers({"git-commit", "a", "-m", "x"});
    CHECK(committed.status == 0);
    CHECK_THAT(committed.err, Contains("changes inside submodule 'sub' are not part of"));
  }
}

TEST_CASE("what a submodule ignores is its own and the user's to say, not the repository's above") {
  const auto& [where, ignored] = GENERATE(table<std::string, bool>({
      {"git config core.excludesFile", false},  // of the base
      {"HOME=$PWD/../home git config --global core.excludesFile", true},
      {"git -C sub config core.excludesFile", false},  // git heeds it: it is the agent's to write
  }));
  CAPTURE(where);
  const World world;
  add_with_submodule(world, any_backend());
  fs::create_directory(world / "home");
  write_file(world / "rules", "*.tmp\n");
  world.in_base(where + " '" + (world / "rules").native() + "'");
  world.inside("a", "echo work > sub/work.tmp");
  const RunOptions options{
      .cwd = {}, .environment = {"HOME=" + (world / "home").native()}, .input = {}};
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}, options) ==
        (ignored ? "" : " M sub\n"));
  CHECK(world.wafers({"rm", "a"}, options).status == (ignored ? 0 : 3));
}

TEST_CASE("how a submodule reads its rules is its own to say, too") {
  const bool own = GENERATE(false, true);
  CAPTURE(own);
  const World world;
  add_with_submodule(world, any_backend());
  world.in_base("echo '*.TMP' >> .git/modules/sub/info/exclude");
  world.in_base(std::string(own ? "git -C sub" : "git") + " config core.ignoreCase true");
  world.inside("a", "echo work > sub/work.tmp");
  const std::string expected = own ? "" : " M sub\n";
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == expected);
  world.in_base("echo work > sub/work.tmp");
  CHECK(world.in_base("git status --porcelain") == expected);
}

TEST_CASE("a submodule whose changes are not to be told of is clean") {
  const World world;
  add_with_submodule(world, any_backend());
  world.base().git({"config", "submodule.sub.ignore", "dirty"});
  world.inside("a", "echo 2 >> sub/f");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  CHECK(world.wafers({"git-commit", "a", "-m", "x"}).err ==
        "wafers: nothing to commit, working tree clean\n");
  CHECK(world.wafers({"rm", "a"}).status == 3);  // it is work, all the same
}

TEST_CASE("what .gitmodules includes is not looked at, as with git") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO(backend);
  const World world;
  add_with_submodule(world, backend);
  write_file(world / "rules", "[submodule \"sub\"]\n\tignore = all\n");
  const std::string include = "[include]\n\tpath = " + (world / "rules").native() + "\n";
  world.inside("a", "echo 2 >> sub/f; cat >> .gitmodules <<'.'\n" + include + ".");
  const std::string changed = " M .gitmodules\n M sub\n";
  REQUIRE(world.wafers_ok({"git-status", "a", "--porcelain"}) == changed);

  // Nobody writes to it: whoever opened it would wait.
  std::filesystem::remove(world / "rules");
  REQUIRE(::mkfifo((world / "rules").c_str(), 0600) == 0);
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == changed);
  world.wafers_ok({"git-commit", "a", "-m", "x"});
  // Taken over by the base, it is what `add` reads.
  world.base().git({"reset", "-q", "--hard", "wafers/a"});
  world.add("b", backend);
}

}  // namespace
}  // namespace wafers::test
