// What a wafer starts from: any commit, shown by layers over the checkout.

#include "cli/world.h"
#include "support/catch.h"
#include "support/run.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

/// Every kind of change between two commits: content, mode, type, directories that come and go,
/// odd names, attributes, and a directory that keeps ignored files when it goes.
constexpr const char* kFirst =
    "printf '*.crlf text eol=crlf\\n' > .gitattributes; printf '*.o\\nkeep/*.log\\n' > .gitignore\n"
    "mkdir -p dir/deep keep only.old replaced; echo 1 > file; echo 1 > dir/deep/f; echo 1 > "
    "keep/f\n"
    "echo x > only.old/x; echo x > replaced/x; ln -s file link; echo '#!' > tool; chmod +x tool\n"
    "printf 'a\\nb\\n' > lines.crlf; echo odd > \"$(printf 'odd \\n\\377')\"; echo 1 > to-dir\n"
    "git add -A; git commit -qm first";
constexpr const char* kSecond =
    "git rm -qr only.old replaced keep to-dir; echo file > replaced; mkdir to-dir only.new\n"
    "echo x > to-dir/x; echo x > only.new/x; echo 2 > file; ln -sf tool link; chmod -x tool\n"
    "echo 2 > dir/deep/f; echo c >> lines.crlf; printf '*.crlf -text\\n' > .gitattributes; echo "
    "odd2 > \"$(printf 'odd "
    "\\n\\377')\"\n"
    "git add -A; git commit -qm second; mkdir -p keep; echo log > keep/a.log; echo o > built.o";

/// A directory's entries without those that are ignored: type, mode, target and content.
constexpr const char* kListing =
    "find . -mindepth 1 -path ./.git -prune -o ! -name '*.o' ! -name '*.log' "
    "\\( -type l -printf '%p -> %l\\n' -o -type d -printf '%p/\\n' -o -type f -printf '%p %m\\n' "
    "-exec sha1sum {} + \\) | sort";

/// What a checkout of the commit has.
std::string files_of(const World& world, const std::string& revision) {
  const auto place = world / "checked-out";
  world.base().git({"worktree", "add", "--quiet", "--detach", place, revision});
  const std::string files =
      run_ok({"sh", "-euc", kListing}, {.cwd = place, .environment = {}, .input = {}});
  world.base().git({"worktree", "remove", "--force", place});
  return files;
}

TEST_CASE("add --base shows that commit, on the layers of the checkout") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.in_base(kFirst);
  world.in_base(kSecond);
  const std::string before = world.base().git({"status", "--porcelain", "--ignored"});
  const std::string revision = GENERATE("HEAD~1", "HEAD~2");
  CAPTURE(revision);
  world.add("a", backend, {"--base", revision});
  // A directory that the commit lacks stays where it holds files that are ignored.
  std::string shown = world.inside("a", kListing);
  if (const auto keep = shown.find("./keep/\n"); keep != std::string::npos) {
    CHECK(world.inside("a", "cat keep/a.log built.o") == "log\no\n");
    if (revision == "HEAD~2") shown.erase(keep, 8);
  }
  CHECK(shown == files_of(world, revision));
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  CHECK(world.base().git({"rev-parse", "wafers/a"}) == world.base().git({"rev-parse", revision}));
  CHECK(world.listed("a")["base_layers"].size() == 2);
  CHECK(world.listed("a")["base_moved"] == false);

  world.inside("a", "echo new > file; rm -rf dir; mkdir -p to-dir2 dir; echo x > dir/other");
  world.wafers_ok({"umount", "a"});
  world.wafers_ok({"git-commit", "a", "-m", "work"});
  CHECK(world.inside("a", kListing).find("./dir/deep") == std::string::npos);
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  CHECK_THAT(world.base().git({"diff", "--name-status", revision, "wafers/a"}),
             Contains("A\tdir/other") && Contains("file"));
  CHECK(world.base().git({"status", "--porcelain", "--ignored"}) == before);

  world.wafers_ok({"rm", "a"});
  CHECK(std::filesystem::is_empty(world.state() / ".bases"));
}

TEST_CASE("a layer is made once for all wafers, and goes with the last of them") {
  const World world;
  world.in_base(kFirst);
  world.add("a", any_backend(), {"--base", "HEAD~1"});
  world.add("b", any_backend(), {"--base", "HEAD~1"});
  world.add("c", any_backend());
  CHECK(world.listed("a")["base_layers"] == world.listed("b")["base_layers"]);
  CHECK(world.listed("c")["base_layers"].size() == 1);
  world.wafers_ok({"rm", "a", "c"});
  CHECK(std::filesystem::exists(world.listed("b")["base_layers"][0].get<std::string>()));
  world.wafers_ok({"rm", "b"});
  CHECK(std::filesystem::is_empty(world.state() / ".bases"));
}

TEST_CASE("add says what a wafer starts from, and how far that is behind") {
  const World world;
  const std::string id = world.base().git({"rev-parse", "--short", "HEAD"}).substr(0, 7);
  CHECK_THAT(world.wafers_ok({"add", "a", "--backend", any_backend()}),
             Contains("Starting from " + id + " (main) "));
  world.in_base(
      "git commit -q --allow-empty -m ahead; git branch far\n"
      "git reset -q --hard HEAD~1; git branch -q --set-upstream-to=far");
  const RunResult behind = world.wafers({"add", "b", "--backend", any_backend()});
  CHECK(behind.status == 0);
  CHECK_THAT(behind.err, Contains("main is 1 commit behind far, as far as is known here"));
  const auto base = world.json({"add", "c", "--base", "far", "--backend", any_backend()})["base"];
  CHECK(base["ref"] == "far");
  CHECK(base["subject"] == "ahead");
  CHECK(base["behind"] == 0);
  CHECK(world.listed("c")["base_ref"] == "far");
  CHECK(world.json({"add", "d", "--backend", any_backend()})["base"]["upstream"] == "far");
}

TEST_CASE("what can't be started from is refused, and nothing is left") {
  const World world;
  world.in_base(kFirst);
  check_refused(
      world,
      {{"add", "a", "--base", "none"}, 1, "wafers: 'none' names no commit of '{top}/base'\n"});
  world.base().git({"branch", "old", "HEAD~1"});
  const RunResult behind = world.wafers({"add", "a", "--branch", "old"});
  CHECK(behind.status == 3);
  CHECK_THAT(behind.err, Contains("say --base old to start from where it is"));
  world.wafers_ok({"add", "a", "--branch", "old", "--base", "old", "--backend", any_backend()});
  CHECK(world.listed("a")["base_commit"] == world.listed("a")["last_commit"]);
}

}  // namespace
}  // namespace wafers::test
