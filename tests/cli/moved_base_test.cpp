// A live base whose checkout goes on: views that show the base commit again, and what was taken
// from the other commit meanwhile.

#include "cli/world.h"
#include "support/catch.h"
#include "support/process.h"
#include "support/run.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

RunResult exec(const World& world, const std::string& name, const std::string& script) {
  return world.wafers({"exec", name, "--", "sh", "-euc", script});
}

/// What a merge, a pull or a checkout does to files of every kind.
constexpr const char* kBase =
    "mkdir -p dir gone; echo 1 > f; echo 1 > dir/f; echo 1 > gone/f; echo 1 > becomes-dir\n"
    "mkdir becomes-file; echo 1 > becomes-file/f; ln -s f link; echo 1 > tool; echo 1 > same\n"
    "git add -A; git commit -qm base";
constexpr const char* kMove =
    "git rm -qr gone becomes-dir becomes-file; mkdir becomes-dir new; echo 2 > becomes-dir/f\n"
    "echo 2 > becomes-file; echo 2 > f; echo 2 > dir/f; echo 2 > new/f; ln -sf tool link\n"
    "chmod +x tool; git add -A; git commit -qm moved";
constexpr const char* kListing =
    "find . -mindepth 1 -path ./.git -prune -o \\( -type l -printf '%p -> %l\\n' -o -type d "
    "-printf "
    "'%p/\\n' -o -type f -printf '%p %m\\n' -exec sha1sum {} + \\) | sort";

TEST_CASE("a view whose base has moved shows the base commit again once nobody is inside") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.in_base(kBase);
  world.add("a", backend);
  const std::string shown = world.inside("a", kListing);
  world.inside("a", "echo mine > mine; echo mine >> same");
  const bool mounted = GENERATE(true, false);
  if (!mounted) world.wafers_ok({"umount", "a"});
  world.in_base(kMove);
  CHECK(world.listed("a")["base_moved"] == true);

  const RunResult healed = exec(
      world, "a", std::string("rm mine; git --version > /dev/null; echo 1 > same; ") + kListing);
  CHECK(healed.status == 0);
  CHECK_THAT(healed.err, Contains("the base of 'a' has moved from ") && Contains(" as before"));
  CHECK(healed.out == shown);
  CHECK(world.listed("a")["base_moved"] == false);
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  const RunResult again = exec(world, "a", "echo 2 > f");
  CHECK(again.err.empty());
  world.wafers_ok({"git-commit", "a", "-m", "work"});
  CHECK(world.base().git({"diff", "--name-only", "HEAD~1", "wafers/a"}) == "f\n");

  // Back where it was: the layer is not needed any more.
  world.in_base("git reset -q --hard HEAD~1");
  world.wafers_ok({"umount", "a"});
  world.wafers_ok({"mount", "a"});
  CHECK(world.listed("a")["base_layers"].size() == 1);
  CHECK(world.inside("a", "cat dir/f") == "1\n");
  world.wafers_ok({"rm", "a"});
}

TEST_CASE("while somebody is inside, exec tells of the mix and goes on") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.in_base(kBase);
  world.add("a", backend);
  const pid_t sleeper = start_inside(world, "a");
  world.in_base(kMove);
  const RunResult mixed = exec(world, "a", "echo hello");
  CHECK(mixed.status == 0);
  CHECK(mixed.out == "hello\n");
  CHECK_THAT(mixed.err, Contains("the view is a mix of both"));
  CHECK(world.listed("a")["base_moved"] == true);
  kill_and_wait(sleeper);
  const RunResult healed = exec(world, "a", "cat dir/f; ls");
  CHECK_THAT(healed.err, Contains(" as before"));
  CHECK_THAT(healed.out, StartsWith("1\n") && Contains("gone") && !Contains("new"));
}

TEST_CASE("a move that can't be taken back leaves the view and its work alone") {
  const World world;
  world.in_base(kBase);
  world.add("a", any_backend());
  world.inside("a", "echo mine > mine");
  world.in_base(kMove);
  const auto repository = world.base().path() / ".git";
  std::filesystem::rename(repository, world / "away");
  const RunResult gone = exec(world, "a", "cat mine");
  CHECK(gone.out == "mine\n");  // nothing can be said of HEAD
  std::filesystem::rename(world / "away", repository);
  CHECK(exec(world, "a", "cat mine dir/f").out == "mine\n1\n");
}

/// One file each, with what is done to it: in the base commit, by the agent, by the move, and by
/// the agent in the view that shows the move.
struct Case {
  const char* file;
  const char* base;
  const char* before;
  const char* move;
  const char* after;
};

const std::string kLines = "for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done";

/// Their changes hold what the move brought: "F" stands for the file.
const std::vector<Case> kTaken = {
    {"t-append", "echo v1 > F", "", "echo v2 > F", "echo mine >> F"},
    {"t-far", "{ LINES; } > F", "", "sed -i 's/line 1/moved/' F", "echo mine >> F"},
    {"t-block", "{ LINES; } > F", "", "sed -i '5a a\\nb\\nc' F", "sed -i 's/line 9/mine/' F"},
    {"t-added", ":", "", "{ LINES; } > F", "echo mine >> F"},
    {"t-added-edited", ":", "", "{ LINES; } > F", "sed -i 's/line 5/mine/' F"},
    {"t-deleted-lines", "{ LINES; } > F", "", "sed -i 2,4d F", "echo mine >> F"},
    {"t-binary", "printf '\\0001\\000' > F", "", "printf '\\0002\\000' > F", "printf x >> F"},
    {"t-mode", "echo v > F", "", "chmod +x F", "echo mine >> F"},
    {"t-link", "ln -s f F", "", "ln -sf tool F", "touch -h F"},
    {"t-saved", "{ LINES; } > F", "", "sed -i 's/line 2/moved/' F",
     "sed 's/line 8/mine/' F > F.new; mv F.new F"},
    {"t-touched", "echo v1 > F", "", "echo v2 > F", "touch F"},
    {"t-crlf", "{ LINES; } > F", "", "sed -i 's/line 1/moved/' F", "sed -i 's/$/\\r/' F"},
    {"dir/t-below", "echo v1 > F", "", "echo v2 > F", "echo mine >> F"},
    {"t-cut", "{ LINES; } > F", "", "sed -i 's/line 3/moved/' F", "sed -i '5,$d' F"},
};

/// Theirs don't: made before the move, or of something else.
const std::vector<Case> kOwn = {
    {"o-before", "{ LINES; } > F", "sed -i 's/line 1/mine/' F", "sed -i 's/line 9/moved/' F", ""},
    {"o-same-line", "echo v1 > F", "echo mine > F", "echo v2 > F", ""},
    {"o-unmoved", "echo v1 > F", "", "", "echo mine >> F"},
    {"o-new", ":", "", "", "echo mine > F"},
    {"o-new-too", ":", "echo mine > F", "echo theirs > F", ""},
    {"o-deleted", "echo v1 > F", "rm F", "echo v2 > F", ""},
    {"o-deleted-after", "echo v1 > F", "", "echo v2 > F", "rm F"},
    {"o-twice", "{ LINES; } > F", "sed -i 's/line 1/mine/' F", "sed -i 's/line 9/moved/' F",
     "echo more >> F"},
    {"o-saved", "{ LINES; } > F", "sed -i 's/line 1/mine/' F", "sed -i 's/line 9/moved/' F",
     "sed 's/line 5/more/' F > F.new; mv F.new F"},
    {"o-replaced", "{ LINES; } > F", "", "sed -i 's/line 9/moved/' F", "echo all mine > F"},
    {"o-as-base", "echo v1 > F", "", "echo v2 > F", "echo v1 > F"},
    {"o-merged", "echo v1 > F", "echo mine > F", "git checkout -q wafers/a -- F", ""},
    {"o-merged-on", "echo v1 > F", "echo mine > F", "git checkout -q wafers/a -- F",
     "echo more >> F"},
    {"o-binary", "printf '\\0001' > F", "printf '\\000mine' > F", "printf '\\0002' > F", ""},
    {"o-mode", "echo v1 > F", "chmod +x F", "echo v2 > F", ""},
    {"o-mode-moved", "echo v1 > F", "echo mine > F", "chmod +x F", ""},
};

std::string script_of(const std::vector<Case>& cases, const char* Case::*step) {
  std::string script;
  for (const Case& one : cases) {
    std::string text = one.*step;
    for (std::size_t at = 0; (at = text.find("LINES", at)) != std::string::npos;) {
      text.replace(at, 5, kLines);
    }
    for (std::size_t at = 0; (at = text.find('F', at)) != std::string::npos;) {
      text.replace(at, 1, one.file);
      at += std::string(one.file).size();
    }
    script += text + "\n";
  }
  return script;
}

TEST_CASE("what an upper took from a moved base is told from the agent's own changes") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  const auto all = [&](const char* Case::*step) {
    return script_of(kTaken, step) + script_of(kOwn, step);
  };
  world.in_base("mkdir dir; echo tool > tool; echo f > f\n" + all(&Case::base) +
                "git add -A; git commit -qm base");
  world.add("a", backend);
  world.inside("a", all(&Case::before));
  world.wafers_ok({"git-commit", "a", "-m", "merged", "--", "o-merged", "o-merged-on"});
  // Nobody who stays inside has looked at the files: the view shows them as they are from now on.
  const pid_t sleeper = start_inside(world, "a");
  // The old files live on elsewhere: fuse-overlayfs takes a new file for another one whose inode
  // number it got, and would show that one's content.
  world.in_base("cp -al . ../before\n" + all(&Case::move) + "git add -A; git commit -qm moved");
  const bool later = GENERATE(false, true);
  CAPTURE(later);
  REQUIRE(exec(world, "a", all(&Case::after)).status == 0);
  kill_and_wait(sleeper);
  if (later) {
    world.inside("a", "true");  // mounted anew
    world.in_base("echo later > later; git add -A; git commit -qm later");
  }

  const RunResult status = world.wafers({"git-status", "a"});
  CHECK(status.status == 0);
  for (const Case& one : kTaken) {
    CHECK_THAT(status.err, Contains("'" + std::string(one.file) + "' holds what the base brought"));
  }
  for (const Case& one : kOwn) {
    CHECK_THAT(status.err, !Contains("'" + std::string(one.file) + "' holds"));
  }
  const std::string before = world.base().git({"rev-parse", "wafers/a"});
  for (const Words& command :
       {Words{"git-commit", "a", "-m", "x"}, Words{"git-add", "a", "--", "."},
        Words{"git-commit", "a", "-m", "x", "--", "t-append"}}) {
    const RunResult refused = world.wafers(command);
    CHECK(refused.status == 3);
    CHECK_THAT(refused.err, Contains("t-append") && Contains("--accept-moved"));
  }
  CHECK_THAT(world.wafers({"rm", "a"}).err, Contains("is not committed"));
  CHECK(world.base().git({"rev-parse", "wafers/a"}) == before);

  Words own{"git-commit", "a", "-m", "own", "--"};
  for (const Case& one : kOwn) {
    const std::string file = one.file;
    // These have nothing to commit.
    if (file != "o-as-base" && file != "o-merged") own.push_back(file);
  }
  world.wafers_ok(own);
  world.wafers_ok({"git-commit", "a", "-m", "all", "--accept-moved"});
  CHECK(world.wafers({"git-status", "a"}).err.empty());
}

}  // namespace
}  // namespace wafers::test
