// Filters between worktree and repository, in real wafers on every backend, compared with what git
// makes of the same content in a plain copy of the base.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/world.h"
#include "support/catch.h"
#include "support/needs.h"

using namespace wafers::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

const Need kNeedsLfs("git-lfs", []() -> std::optional<std::string> {
  if (run_script("command -v git-lfs").ok()) return std::nullopt;
  return "not installed";
});

/// A world whose base was made by `script`, a wafer of it and a plain copy.
class Filtered {
 public:
  Filtered(const std::string& backend, const std::string& script)
      : backend_(backend), copy_(world / "copy") {
    run_here(script, world.base().path());
    world.base().commit_all("filters");
    fs::remove_all(copy_.path());
    run_ok({"cp", "-a", world.base().path(), copy_.path()});
    copy_.git({"status"});
    world.add("w", backend);
  }

  /// The same in view and copy.
  void steps(const std::string& script) {
    world.inside("w", script);
    run_here(script, copy_.path());
  }

  /// The tree that the wafer commits, and the one that git writes.
  void check_commit(const std::string& name = "w") {
    const auto commit = world.json({"git-commit", name, "-m", "test"});
    INFO(commit.dump());
    REQUIRE(commit.contains("tree"));
    copy_.git({"add", "-A"});
    const std::string tree = copy_.git_line({"write-tree"});
    CHECK(commit["tree"] == tree);
    copy_.git({"commit", "-q", "-m", "test"});
    CHECK(world.wafers_ok({"git-status", name, "--porcelain"}).empty());
  }

  /// What git says on stderr when it adds the copy's content.
  std::string git_says() const { return copy_.try_git({"add", "-A"}).err; }

  World world;

 private:
  static void run_here(const std::string& script, const fs::path& where) {
    const RunResult result = run_script(script, {.cwd = where});
    INFO(script << "\n" << result.err);
    REQUIRE(result.ok());
  }

  std::string backend_;
  GitRepo copy_;
};

const char* const kLfs = R"sh(
  git lfs install --local > /dev/null
  rm -f .git/hooks/*
  echo '*.bin filter=lfs diff=lfs merge=lfs -text' > .gitattributes
  printf 'a small one' > small.bin
)sh";

const char* const kLarge = "head -c 3000000 /dev/zero | tr '\\0' 'x'";

}  // namespace

TEST_CASE("Git LFS stores what a wafer commits, and gives it back", "[filter]") {
  for (const std::string& backend : working_backends()) {
    DYNAMIC_SECTION(backend) {
      Filtered test(backend, kLfs);
      const World& world = test.world;
      const std::string digest =
          world.inside("w", std::string(kLarge) + " | sha256sum | cut -c1-64");
      // A new file, and one that was smaller in the base: git-lfs looks up its size.
      test.steps(std::string(kLarge) + " > new.bin; " + kLarge + " > small.bin");
      test.check_commit();
      for (const char* file : {"new.bin", "small.bin"}) {
        CHECK(world.base().git({"show", std::string("wafers/w:") + file}) ==
              "version https://git-lfs.github.com/spec/v1\noid sha256:" + digest.substr(0, 64) +
                  "\nsize 3000000\n");
      }
      CHECK(world.base().git({"lfs", "fsck", "wafers/w"}) == "Git LFS fsck OK\n");

      // Unmounted.
      test.steps("printf other > new.bin; rm small.bin; printf more > more.bin");
      world.wafers_ok({"umount", "w"});
      test.check_commit();
      CHECK(world.base().git({"lfs", "fsck", "wafers/w"}) == "Git LFS fsck OK\n");

      // A new wafer on the branch shows the content, not the pointers.
      world.wafers_ok({"rm", "w"});
      world.add("again", backend, {"--branch", "wafers/w"});
      CHECK(world.inside("again", "cat new.bin more.bin; ls") ==
            "othermoreREADME\nignored.o\nmore.bin\nnew.bin\nsrc\n");
      CHECK(world.wafers_ok({"git-status", "again", "--porcelain"}).empty());
    }
  }
}

TEST_CASE("a long-running filter is started once for all files", "[filter]") {
  const World place;
  const std::string log = (place / "log").native();
  Filtered test(any_backend(), std::string(kLfs) +
                                   "git config filter.lfs.process 'echo started >> " + log +
                                   "; git-lfs filter-process'");
  fs::remove(log);
  test.world.inside("w", "for i in 1 2 3 4 5; do echo $i > $i.bin; done");
  test.world.wafers_ok({"git-commit", "w", "-m", "test"});
  CHECK(read_file(log) == "started\n");
}

TEST_CASE("filters run at the top of the view", "[filter]") {
  for (const std::string& backend : working_backends()) {
    DYNAMIC_SECTION(backend) {
      // The program is a file of the repository, reads another one, and the file itself by its
      // name.
      Filtered test(backend, R"sh(
        mkdir tools dir
        printf '#!/bin/sh\ncat tools/head\nwc -c < "$1"\ntr a-z A-Z\n' > tools/up; chmod +x tools/up
        echo head > tools/head
        echo '*.up filter=up' > .gitattributes
        git config filter.up.clean './tools/up %f'
        git config filter.up.required true
      )sh");
      test.steps("echo text > x.up; echo longer text > 'dir/it'\"'\"'s.up'");
      test.check_commit();
      test.steps("echo other head > tools/head; echo new > dir/n.up; touch x.up dir/*");
      test.check_commit();
    }
  }
}

TEST_CASE("no filter writes into the base", "[filter]") {
  Filtered test(any_backend(), R"sh(
    echo '*.x filter=note' > .gitattributes
    git config filter.note.clean 'cat'
    git config filter.note.smudge 'echo %f >> noted; cat'
  )sh");
  const World& world = test.world;
  world.inside("w", "echo 1 > a.x; mkdir d; echo 2 > d/b.x");
  world.wafers_ok({"git-commit", "w", "-m", "test"});
  world.wafers_ok({"rm", "w"});
  world.add("again", any_backend(), {"--branch", "wafers/w"});
  CHECK(world.base().git({"status", "--porcelain"}).empty());
  // It is where git's checkout would have put it: in the worktree that is being made.
  CHECK(world.inside("again", "sort noted; cat d/b.x") == "a.x\nd/b.x\n2\n");
  CHECK(world.wafers_ok({"git-status", "again", "--porcelain"}) == "?? noted\n");
}

TEST_CASE("a filter that asks git for the status doesn't have the base's index refreshed",
          "[filter]") {
  const World world;
  world.base().git(
      {"config", "filter.asks.clean", "test -n \"$ASKED\" || ASKED=1 git status >/dev/null; cat"});
  write_file(world.base() / ".gitattributes", "*.x filter=asks\n");
  write_file(world.base() / "a.x", "1\n");
  world.base().git({"add", "-A"});
  world.base().git({"commit", "-q", "-m", "filter"});
  write_file(world.base() / "a.x", "1\n");  // the same, with stat data of its own
  write_file(world.base() / "README", "base\n");
  const std::string index = read_file(world.base() / ".git/index");
  world.add("w", any_backend());
  CHECK(read_file(world.base() / ".git/index") == index);
}

TEST_CASE("filters that fail", "[filter]") {
  const std::string backend = any_backend();
  SECTION("a required one") {
    Filtered test(backend,
                  "echo '*.x filter=no' > .gitattributes; "
                  "git config filter.no.clean false; git config filter.no.required true");
    test.steps("echo 1 > a.x");
    const RunResult result = test.world.wafers({"git-commit", "w", "-m", "test"});
    CHECK(result.status == 1);
    CHECK_THAT(result.err, Contains("a.x: clean filter 'no' failed"));
    CHECK_THAT(test.git_says(), Contains("a.x: clean filter 'no' failed"));
  }
  SECTION("one without a command is no filter, unless it is required") {
    Filtered test(backend, "echo '*.x filter=no' > .gitattributes");
    test.steps("echo 1 > a.x");
    test.check_commit();
  }
  SECTION("an optional one") {
    Filtered test(backend,
                  "echo '*.x filter=no' > .gitattributes; git config filter.no.clean false");
    test.steps("echo 1 > a.x");
    const RunResult result = test.world.wafers({"git-commit", "w", "-m", "test"});
    CHECK(result.ok());
    CHECK_THAT(result.err, Contains("external filter 'false' failed 1"));
    CHECK_THAT(test.git_says(), Contains("external filter 'false' failed 1"));
    CHECK(test.world.base().git({"show", "wafers/w:a.x"}) == "1\n");
  }
}

TEST_CASE("core.safecrlf warns in git's words, and refuses", "[filter]") {
  const std::string backend = any_backend();
  Filtered test(backend, "git config core.autocrlf true; git config core.safecrlf warn");
  test.steps("printf '1\\n2\\n' > lf; printf '1\\r\\n' > crlf");
  SECTION("warn") {
    const RunResult result = test.world.wafers({"git-commit", "w", "-m", "test"});
    CHECK(result.ok());
    const std::string warning =
        "warning: in the working copy of 'lf', LF will be replaced by CRLF the next time Git "
        "touches it\n";
    CHECK(result.err == "wafers: " + warning);
    CHECK_THAT(test.git_says(), Contains(warning));
  }
  SECTION("status says nothing of it") {
    CHECK(test.world.wafers({"git-status", "w"}).err.empty());
  }
  SECTION("true") {
    test.world.base().git({"config", "core.safecrlf", "true"});
    const RunResult result = test.world.wafers({"git-commit", "w", "-m", "test"});
    CHECK(result.status == 1);
    CHECK_THAT(result.err, Contains("LF would be replaced by CRLF in lf"));
  }
}
