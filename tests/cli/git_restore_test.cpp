// `wafers git-restore`, beside git restore in a plain copy.

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

constexpr const char* kListing =
    "find . -mindepth 1 -path ./.git -prune -o \\( -type l -printf '%p -> %l\\n' -o -type d "
    "-printf '%p/\\n' -o -type f -printf '%p %m\\n' -exec sha1sum {} + \\) | sort";

TEST_CASE("git-restore does to a view what git restore does to a worktree") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.in_base(
      "printf '*.crlf text eol=crlf\\n' > .gitattributes; printf 'a\\r\\n' > t.crlf\n"
      "mkdir d; echo 1 > d/1; echo 2 > d/2; echo 1 > f; ln -s f link; echo '#!' > tool; chmod +x "
      "tool\n"
      "echo gone > gone; echo dir > dir; git add -A; git commit -qm more\n"
      "git clone -q . ../copy; cp ignored.o ../copy");
  world.add("a", backend);
  const auto do_both = [&](const std::string& script) {
    world.inside("a", script);
    world.in_copy(script);
  };
  const auto restore_both = [&](const Words& options, const std::string& git) {
    CAPTURE(git);
    Words words{"git-restore", "a"};
    words.insert(words.end(), options.begin(), options.end());
    world.wafers_ok(words);
    world.in_copy("git restore " + git);
    CHECK(world.inside("a", kListing) == world.in_copy(kListing));
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
          world.in_copy("git status --porcelain"));
  };
  do_both(
      "echo 2 > f; rm -r d; rm gone; ln -sf d link; chmod -x tool; echo new > new; echo 2 >> "
      "t.crlf\n"
      "rm dir; mkdir dir; echo 1 > dir/f; rm README; mkfifo README");
  restore_both({"--", "README"}, "README");
  do_both("rm -r src; ln -s d src");
  restore_both({"--", "f", "d/1"}, "f d/1");
  restore_both({"--", "link", "tool", "t.crlf", "dir"}, "link tool t.crlf dir");
  restore_both({"--", "."}, ".");
  do_both("echo staged > f; echo staged > d/1; echo n > newer");
  world.wafers_ok({"git-add", "a", "--", "f", "d/1", "newer"});
  world.in_copy("git add f d/1 newer");
  do_both("echo later > f; echo later > d/1");
  restore_both({"--", "f"}, "f");
  restore_both({"--staged", "--", "d"}, "--staged d");
  restore_both({"-S", "--", "newer", "f"}, "--staged newer f");
  restore_both({"--", "f", "d"}, "f d");
  // What is as it should be is left alone, and copies nothing of the base.
  CHECK_FALSE(std::filesystem::exists(world / "state/a/upper/.gitattributes"));
}

TEST_CASE("git-restore mounts a view, and refuses what isn't there") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README; echo 1 > untracked");
  world.wafers_ok({"umount", "a"});
  world.wafers_ok({"git-restore", "a", "--", "README"});
  CHECK(world.inside("a", "cat README untracked") == "base\n1\n");
  for (const Words& words :
       {Words{"git-restore", "a", "--", "none"}, Words{"git-restore", "a", "--", "untracked"},
        Words{"git-restore", "a", "--staged", "--", "none"},
        Words{"git-restore", "a", "--", "../a"}, Words{"git-restore", "a"}}) {
    CHECK(world.wafers(words).status == 2);
  }
  CHECK(world.inside("a", "echo 3 > README; '" + std::string(WAFERS_PROGRAM) +
                              "' git-restore -- README; cat README") == "base\n");
  world.base().write(".git/hooks/post-checkout", "#!/bin/sh\ntouch ran\n");
  std::filesystem::permissions(world.base().path() / ".git/hooks/post-checkout",
                               std::filesystem::perms::owner_all);
  world.inside("a", "rm README");
  world.wafers_ok({"git-restore", "a", "--", "README"});
  CHECK(world.inside("a", "cat README; ls ran || true") == "base\n");
  CHECK_FALSE(std::filesystem::exists(world.state() / "a/commit.git"));
}

}  // namespace
}  // namespace wafers::test
