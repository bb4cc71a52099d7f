// Several commands at once, and commands that are interrupted.

#include <csignal>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using nlohmann::json;

/// A shell script in the base, with `wafers` on its path as $W and $BACKEND; it prints what the
/// test looks at.
RunResult at_once(const World& world, const std::string& backend, const std::string& script) {
  return run({"sh", "-uc", script},
             {.cwd = world.base().path(),
              .environment = {"W=" WAFERS_PROGRAM, "BACKEND=" + backend,
                              "WAFERS_STATE_DIR=" + world.state().native(), "WAFERS_NAME"},
              .input = {}});
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

/// What is left in the state directory: names of entries, hidden ones included.
std::vector<std::string> left_in_state(const World& world) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(world.state())) {
    if (entry.path().filename() != ".lock") names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

TEST_CASE("one name, asked for by many: one gets it") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  const RunResult result = at_once(world, backend, R"(
    for i in 1 2 3 4 5 6 7 8; do
      { "$W" add a --backend "$BACKEND" >/dev/null; echo "status $?"; } &
    done
    wait)");
  INFO(result.out << result.err);
  CHECK(count(result.out, "status 0\n") == 1);
  CHECK(count(result.out, "status 1\n") == 7);
  CHECK(count(result.err, "wafers: wafer 'a' exists already\n") == 7);
  CHECK(left_in_state(world) == std::vector<std::string>{"a"});
  CHECK(world.inside("a", "cat README") == "base\n");
}

TEST_CASE("one branch, asked for by many: one gets it") {
  const World world;
  const RunResult result = at_once(world, any_backend(), R"(
    for i in 1 2 3 4 5 6; do
      { "$W" add "a$i" --branch work --backend "$BACKEND" >/dev/null; echo "status $?"; } &
    done
    wait)");
  CHECK(count(result.out, "status 0\n") == 1);
  CHECK(count(result.out, "status 3\n") == 5);
  CHECK(left_in_state(world).size() == 1);
}

TEST_CASE("first adds that fail don't take the state directory from those that don't") {
  const World world;
  write_file(world / "full/file", "x");
  const RunResult result = at_once(world, any_backend(), R"(
    for i in 1 2 3 4; do
      "$W" add "bad$i" --at ../full 2>/dev/null &
      { "$W" add "good$i" --backend "$BACKEND" >/dev/null; echo "status $?"; } &
    done
    wait)");
  INFO(result.err);
  CHECK(count(result.out, "status 0\n") == 4);
  CHECK(left_in_state(world) == std::vector<std::string>{"good1", "good2", "good3", "good4"});
  CHECK(world.base().git_line({"branch", "--list", "wafers/bad*"}).empty());
}

TEST_CASE("wafers commit at the same time") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.wafers_ok({"add", "a1", "a2", "a3", "a4", "--backend", backend});
  const RunResult result = at_once(world, backend, R"(
    for i in 1 2 3 4; do
      { for n in 1 2 3 4 5; do
          "$W" exec "a$i" -- sh -c "echo $i.$n >> work; echo $n > file-$n"
          "$W" git-commit "a$i" -m "$i.$n" >/dev/null || echo failed
        done; } &
    done
    wait)");
  INFO(result.err);
  CHECK(result.out.empty());
  for (const std::string i : {"1", "2", "3", "4"}) {
    CHECK(world.base().git({"log", "--reverse", "--format=%s", "main..wafers/a" + i}) ==
          i + ".1\n" + i + ".2\n" + i + ".3\n" + i + ".4\n" + i + ".5\n");
    CHECK(world.wafers_ok({"git-status", "a" + i, "--porcelain"}).empty());
  }
  world.base().git({"fsck", "--strict"});
}

TEST_CASE("many commits of one wafer at the same time: one after the other") {
  const World world;
  world.add("a", any_backend());
  const RunResult result = at_once(world, any_backend(), R"(
    for i in 1 2 3 4 5 6; do
      { "$W" exec a -- sh -c "echo $i > file-$i"
        "$W" git-commit a -m "$i" >/dev/null 2>out-$i || grep -q 'nothing to commit' out-$i || cat out-$i
        rm -f out-$i; } &
    done
    wait)");
  CHECK(result.out.empty());
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  CHECK(world.base().git({"ls-tree", "--name-only", "wafers/a", "file-1", "file-6"}) ==
        "file-1\nfile-6\n");
  world.base().git({"fsck", "--strict"});
}

TEST_CASE("an unmounted wafer that many enter at once is mounted once") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  world.wafers_ok({"umount", "a"});
  const RunResult result = at_once(world, backend, R"(
    for i in 1 2 3 4 5 6 7 8; do "$W" exec a -- cat README & done
    wait)");
  INFO(result.err);
  CHECK(count(result.out, "base\n") == 8);
  CHECK(count(world.everything(), backend == "fuse" ? " - fuse" : " - overlay wafers:a:") == 1);
}

TEST_CASE("exec, git-commit, umount and rm at the same time") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  world.inside("a", "echo work > work");
  const RunResult result = at_once(world, backend, R"(
    for i in 1 2 3; do
      { for n in 1 2 3 4; do "$W" exec a -- sh -c "echo $n >> work"; echo "exec $?"; done; } &
      { for n in 1 2 3 4; do "$W" umount a; echo "umount $?"; done; } &
      { for n in 1 2 3 4; do "$W" git-commit a -m x >/dev/null; echo "commit $?"; done; } &
      { for n in 1 2 3 4; do "$W" rm a --force >/dev/null; echo "rm $?"; done; } &
    done 2>/dev/null
    wait)");
  INFO(result.out);
  // One of them may have removed it; who came too late heard of that in an orderly way.
  CHECK(count(result.out, "rm 0\n") <= 1);
  for (const char* odd : {"exec 1\n", "umount 2\n", "umount 5\n", "commit 2\n", "commit 5\n"}) {
    CHECK_THAT(result.out, !Contains(odd));
  }
  world.wafers({"rm", "a", "--force"});
  CHECK(left_in_state(world).empty());
  CHECK_THAT(world.everything(), !Contains("overlay wafers:") && !Contains(" - fuse"));
  world.base().git({"fsck", "--strict"});
}

/// A signal that comes in the middle of `add`: while an existing branch is written into the upper,
/// by a filter that the repository asks for.
TEST_CASE("an interrupted add undoes everything, and dies of the signal") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const auto [signal, name] =
      GENERATE(table<int, const char*>({{SIGINT, "INT"}, {SIGTERM, "TERM"}, {SIGHUP, "HUP"}}));
  INFO("backend " << backend << ", SIG" << name);
  const World world;
  const GitRepo& base = world.base();
  base.git({"checkout", "-q", "-b", "topic"});
  base.write(".gitattributes", "signal filter=signal\n");
  base.write("signal", "x\n");
  base.commit_all("topic");
  base.git({"checkout", "-q", "main"});
  base.git({"config", "filter.signal.smudge", std::string("kill -") + name + " $PPID; cat"});
  base.git({"config", "filter.signal.clean", "cat"});
  const std::string before = world.everything();
  const Words add{"add",      "a",     "--backend", backend,
                  "--branch", "topic", "--at",      (world / "view").native()};

  SECTION("with the first wafer") {
    const RunResult result = world.wafers(add);
    CHECK(result.signal == signal);
    CHECK(result.err == std::string("wafers: interrupted by SIG") + name + "\n");
    CHECK(changes(before, world.everything()) == "");
    CHECK_FALSE(fs::exists(world.state()));
  }
  SECTION("after others were mounted") {
    world.add("first", backend);
    base.git({"branch", "w/c", "topic"});
    const std::string with_first = world.everything();
    const RunResult result = world.wafers({"add", "b", "c", "--backend", backend, "--branch",
                                           "w/{name}", "--at", (world / "view/{name}").native()});
    CHECK(result.signal == signal);
    CHECK(changes(with_first, world.everything()) == "");
  }
  SECTION("a signal that the caller ignores is ignored") {
    const RunResult result = at_once(
        world, backend,
        std::string("trap '' ") + name + "; \"$W\" add a --backend $BACKEND --branch topic");
    CHECK(result.ok());
    CHECK(world.inside("a", "cat signal") == "x\n");
  }
}

TEST_CASE("an interrupted add says so in JSON") {
  const World world;
  const GitRepo& base = world.base();
  base.git({"checkout", "-q", "-b", "topic"});
  base.write(".gitattributes", "signal filter=signal\n");
  base.write("signal", "x\n");
  base.commit_all("topic");
  base.git({"checkout", "-q", "main"});
  base.git({"config", "filter.signal.smudge", "kill -INT $PPID; cat"});
  const RunResult result = world.wafers({"add", "a", "--branch", "topic", "--json"});
  CHECK(result.signal == SIGINT);
  CHECK(json::parse(result.out)["error"]["message"] == "interrupted by SIGINT");
}

}  // namespace
}  // namespace wafers::test
