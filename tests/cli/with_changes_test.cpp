// add --with-changes: what is uncommitted in the checkout is so in the new views.

#include <filesystem>

#include "cli/world.h"
#include "support/catch.h"
#include "support/run.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

constexpr const char* kClean =
    "printf '*.o\\n' > .gitignore; mkdir -p dir/deep gone/deep to-file odd; for i in 1 2 3 4 5 6 "
    "7; do\n"
    "echo 1 > f$i; done; echo 1 > dir/f; echo 1 > dir/deep/f; echo 1 > gone/f; echo 1 > "
    "gone/deep/f\n"
    "echo 1 > to-file/f; echo 1 > to-dir; echo 1 > to-link; ln -s f1 link; ln -s f1 link-to-file\n"
    "echo '#!' > tool; echo '#!' > run; chmod +x run; echo 1 > \"odd/$(printf 'a \\n\\377')\"; "
    "echo 1 > empty-dir\n"
    "git add -A; git commit -qm base; echo o > dir/built.o";

/// Every kind of change, staged, not staged, and one on top of the other.
constexpr const char* kDirty =
    "echo 2 > f1; echo 2 > f2; git add f2; echo 3 > f2; rm f3; git rm -q f4; git rm -q --cached "
    "f5\n"
    "echo 2 > f6; git add f6; echo 1 > f6; echo new > new; git add new; echo n > 'new 2'\n"
    "git add -N 'new 2'; echo gone > added; git add added; rm added; mkdir -p made/deep; echo m > "
    "made/deep/m\n"
    "rm -r gone; rm -r to-file; echo file > to-file; rm to-dir; mkdir to-dir; echo x > to-dir/x\n"
    "rm to-link; ln -s nowhere to-link; ln -sf f2 link; rm link-to-file; echo file > link-to-file\n"
    "chmod +x tool; chmod -x run; echo 2 > \"odd/$(printf 'a \\n\\377')\"; echo 1 > \"odd/$(printf "
    "'b\\t\"')\"\n"
    "rm dir/deep/f; echo o > new.o; echo forced > forced.o; git add -f forced.o; rm empty-dir\n"
    "mkdir empty-dir part; echo p > part/p; echo o > part/x.o; ln -s /etc outside; mkdir many; for "
    "i in $(seq 100); do echo $i > many/$i; "
    "done\n"
    "chmod 640 f1; touch -d 2001-01-01 f1; mkdir closed; echo in > closed/in; chmod 555 closed";

/// Without `.git` and what is ignored; directories only where something is in them.
constexpr const char* kContents =
    "find . -mindepth 1 -path ./.git -prune -o ! -name '*.o' ! -type d -printf '%p %y %m %l\\n' | "
    "sort\n"
    "find . -path ./.git -prune -o -type f ! -name '*.o' -exec sha1sum {} + | sort; stat -c %Y f1 "
    "|| true";

/// What git says of the checkout where nothing is staged, in `git-status`'s form.
std::string uncommitted(const World& world) {
  const std::string index = (world / "index").native();
  const RunOptions own{.cwd = {}, .environment = {"GIT_INDEX_FILE=" + index}, .input = {}};
  world.base().git({"read-tree", "HEAD"}, own);
  return world.base().git({"status", "--porcelain", "--no-renames"}, own);
}

/// Of the checkout: nothing of it may change.
std::string checkout_of(const World& world) {
  return world.base().git({"--no-optional-locks", "status", "--porcelain", "-uall", "--ignored"}) +
         world.base().git({"diff", "--cached"}) + world.in_base("sha1sum .git/index") +
         world.in_base(kContents);
}

TEST_CASE("what is uncommitted in the checkout is so in the new views, and stays there") {
  const bool frozen = GENERATE(false, true);
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend, frozen);
  const World world;
  world.in_base(kClean);
  world.in_base(kDirty);
  const std::string checkout = checkout_of(world);
  const std::string status = uncommitted(world);
  const std::string contents = world.in_base(kContents);
  CHECK_THAT(status, Contains(" M f1\n") && Contains("?? many/\n") && Contains(" D gone/deep/f\n"));

  world.wafers_ok(
      {"add", "a", "b", "--with-changes", "--backend", backend, frozen ? "--frozen" : "--live"});
  CHECK(checkout_of(world) == checkout);
  const auto check_view = [&](const std::string& name) {
    CAPTURE(name);
    CHECK(world.wafers_ok({"git-status", name, "--porcelain"}) == status);
    CHECK(world.inside(name, kContents) == contents);
    CHECK(
        world.inside(name, "cat forced.o; test -d empty-dir; test ! -e gone; stat -c %a closed") ==
        "forced\n555\n");
  };
  check_view("a");
  check_view("b");

  // Whatever becomes of the checkout.
  world.in_base("git reset -q; chmod u+w closed; git stash -qu");
  check_view("a");
  world.in_base("git stash drop -q; git clean -fdq; echo again > new; git add new");
  check_view("a");
  world.wafers_ok({"umount", "a"});
  check_view("a");

  world.wafers_ok({"git-commit", "a", "-m", "work"});
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  world.base().git({"checkout", "-qf", "--detach", "wafers/a"});
  CHECK(world.in_base("rm -f *.o; chmod 640 f1; touch -d 2001-01-01 f1\n" +
                      std::string(kContents)) == contents);
}

TEST_CASE("changes that the checkout commits later are the wafer's own all the same") {
  const World world;
  world.in_base("seq 30 > f; seq 30 > g; git add -A; git commit -qm base; sed -i 's/^1.$/x/' f");
  world.add("a", any_backend(), {"--with-changes"});
  world.wafers_ok({"fork", "a", "b"});
  world.in_base("sed -i 's/^2.$/y/' g; git commit -qam taken");
  world.inside("a", "echo more >> g");  // mounted anew before: what g holds is its base's
  for (const char* const name : {"a", "b"}) {
    CHECK(world.wafers({"git-status", name}).err.find("taken") == std::string::npos);
    world.wafers_ok({"git-commit", name, "-m", "work"});
    CHECK(world.base().git({"show", "wafers/" + std::string(name) + ":f"}) ==
          world.base().git({"show", "main:f"}));
  }
}

TEST_CASE(
    "files that git was told not to look at, and what a sparse checkout lacks, stay committed") {
  const World world;
  world.in_base(
      "mkdir in out; echo 1 > in/f; echo 1 > out/f; echo 1 > marked; git add -A; git commit -qm "
      "base\n"
      "git sparse-checkout set in; git update-index --assume-unchanged marked; echo 2 > marked\n"
      "echo 2 > in/f; echo new > new");
  world.wafers_ok({"add", "a", "--with-changes", "--backend", any_backend()});
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M in/f\n?? new\n");
  world.wafers_ok({"git-commit", "a", "-m", "work"});
  CHECK(world.base().git({"diff", "--name-status", "main", "wafers/a"}) == "M\tin/f\nA\tnew\n");
}

TEST_CASE("repositories in the checkout are named and left out") {
  const World world;
  world.in_base(
      "git -c protocol.file.allow=always submodule --quiet add ./ sub; git commit -qm sub\n"
      "git init -q nested; git -C nested commit -q --allow-empty -m n; echo 2 > sub/README; echo n "
      "> new");
  const RunResult added = world.wafers({"add", "a", "--with-changes", "--backend", any_backend()});
  CHECK(added.status == 0);
  CHECK_THAT(added.err, Contains("left out of the changes: 'sub' is a repository of its own\n") &&
                            Contains("left out of the changes: 'nested/' is a"));
  CHECK_THAT(world.wafers_ok({"git-status", "a", "--porcelain"}), Contains("?? new\n"));
}

TEST_CASE("changes that no new wafer can have are refused, and nothing is left") {
  const World world;
  const std::string backend = any_backend();
  world.in_base(
      "echo 1 > f; git add -A; git commit -qm one; git branch ahead; git branch old HEAD~1");
  world.in_base(
      "git checkout -q ahead; echo 3 > f; git commit -qam three; git checkout -q main; echo 2 > f");
  const std::string before = world.everything();
  const auto refused = [&](Words more, const std::string& said) {
    Words words{"add", "a", "--with-changes", "--backend", backend};
    words.insert(words.end(), more.begin(), more.end());
    const RunResult result = world.wafers(words);
    CHECK(result.status == 3);
    CHECK_THAT(result.err, Contains(said));
    CHECK(changes(before, world.everything()) == "");
  };
  refused({"--base", "old"}, "is on top of its HEAD ");
  refused({"--branch", "ahead"}, "branch 'ahead' has commits that the base's HEAD ");
  CHECK(world.wafers({"add", "a", "--with-changes", "--assume-clean"}).status == 2);
  world.wafers_ok({"add", "old", "--with-changes", "--branch", "fresh", "--backend", backend});
  CHECK(world.wafers_ok({"git-status", "old", "--porcelain"}) == " M f\n");
  world.wafers_ok({"rm", "old", "--force", "--no-salvage"});
  world.in_base("git commit -qam two; git merge -q ahead > /dev/null || true");
  const RunResult merging = world.wafers({"add", "a", "--with-changes", "--backend", backend});
  CHECK(merging.status == 3);
  CHECK_THAT(merging.err, Contains("has conflicts:\n  f\nhint: resolve them"));
  CHECK(world.json({"ls"})["wafers"].empty());
}

}  // namespace
}  // namespace wafers::test
