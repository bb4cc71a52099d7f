// Every command of a wafer's life, with one system call after the other failing: it must say that
// it failed, or not need the call; nothing may be lost, nothing left behind, and the same command,
// once nothing fails any more, must bring things in order.

#include <fcntl.h>
#include <sys/mman.h>

#include <functional>
#include <new>
#include <stdexcept>

#include "base/fd.h"
#include "cli/world.h"
#include "fault/plan.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// The faulty programs, in a directory with a plan of their own.
class FaultyPrograms {
 public:
  FaultyPrograms() {
    fs::copy_file(WAFERS_FAULTY_PROGRAM, directory_ / "wafers");
    // Under the name by which a holder is known.
    fs::copy_file(WAFERS_FAULTY_HOLDER, directory_ / "wafers-holder");
    write_file(directory_ / kFaultPlan, std::string(sizeof(FaultPlan), '\0'));
    const UniqueFd fd(::open((directory_ / kFaultPlan).c_str(), O_RDWR | O_CLOEXEC));
    void* const memory =
        ::mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED) throw std::runtime_error("cannot map the plan");
    plan_ = static_cast<FaultPlan*>(memory);
  }
  FaultyPrograms(const FaultyPrograms&) = delete;
  FaultyPrograms& operator=(const FaultyPrograms&) = delete;
  ~FaultyPrograms() { ::munmap(plan_, sizeof(FaultPlan)); }

  /// Runs wafers so that its `n`-th call fails.
  RunResult wafers(const World& world, const Words& arguments, int n) const {
    new (plan_) FaultPlan;
    plan_->reading_too = reading_too;
    only.copy(plan_->only.data(), plan_->only.size() - 1);
    plan_->fail_at = n;
    return world.run_program(
        directory_ / "wafers", arguments,
        {.cwd = {},
         .environment = {"WAFERS_HOLDER=" + (directory_ / "wafers-holder").native()},
         .input = {}});
  }

  /// Whether open(2) for reading may fail: there are far more of these than of all the others.
  bool reading_too = false;
  /// The calls that may fail, separated by blanks; empty: all.
  std::string only = {};

  /// The call that failed; empty where the last command made fewer than `n`.
  std::string failed() const { return plan_->failed.data(); }

 private:
  TempDir directory_;
  FaultPlan* plan_ = nullptr;
};

/// Calls `attempt` with n = 1, 2, ... until no call fails any more.
void with_each_call_failing(const World& world, const FaultyPrograms& faulty,
                            const Words& arguments,
                            const std::function<void(const RunResult&)>& check,
                            const std::function<void()>& prepare = {}) {
  constexpr int kEndless = 5000;
  for (int n = 1; n < kEndless; ++n) {
    if (prepare) prepare();
    const RunResult result = faulty.wafers(world, arguments, n);
    const std::string failed = faulty.failed();
    INFO("call " << n << ", " << failed << ": status " << result.status << ", " << result.err);
    CHECK(result.signal == 0);
    // Whoever fails says so.
    if (!result.ok()) CHECK(result.err.starts_with("wafers: "));
    check(result);
    if (failed.empty()) {
      CHECK(result.ok());
      CHECK(n > (faulty.only.empty() ? 5 : 1));  // and they were counted at all
      return;
    }
  }
  FAIL("it never ends");
}

/// A world with a wafer `kept` that must not suffer.
struct FaultWorld {
  explicit FaultWorld(const std::string& backend) {
    faulty.reading_too = backend == any_backend();
    world.add("kept", backend);
    world.inside("kept", "echo kept > work");
  }

  World world;
  FaultyPrograms faulty;
};

TEST_CASE("add") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const FaultWorld f(backend);
  const World& world = f.world;
  world.base().git({"checkout", "-q", "-b", "topic"});
  world.base().write("added/file", "added\n");
  world.base().git({"rm", "-q", "src/old.c"});
  world.base().commit_all("topic");
  world.base().git({"checkout", "-q", "main"});
  std::string before = world.everything();
  const auto check = [&](const RunResult& result) {
    if (!result.ok()) {
      CHECK(changes(before, world.everything()) == "");
      return;
    }
    CHECK(world.inside("a", "cat src/main.c") == "int main(void) { return 0; }\n");
    world.wafers_ok({"rm", "a"});
    world.base().try_git({"branch", "-q", "-D", "wafers/a"});
    before = world.everything();
  };
  SECTION("on a new branch") {
    with_each_call_failing(world, f.faulty,
                           {"add", "a", "--backend", backend, "--at", (world / "views/a").native()},
                           check);
  }
  SECTION("on an existing branch") {
    if (backend != any_backend()) return;  // the same in all
    with_each_call_failing(world, f.faulty, {"add", "a", "--backend", backend, "--branch", "topic"},
                           check);
  }
  CHECK(world.inside("kept", "cat work") == "kept\n");
}

TEST_CASE("fork") {
  const std::string backend = any_backend();
  FaultWorld f(backend);
  f.faulty.reading_too = false;
  const World& world = f.world;
  world.inside("kept", "mkdir d; ln work d/work; ln -s ../work d/link; rm README");
  std::string before = world.everything();
  const auto check = [&](const RunResult& result) {
    if (!result.ok()) {
      CHECK(changes(before, world.everything()) == "");
      return;
    }
    CHECK(world.inside("a", "cat d/work d/link work; test ! -e README") == "kept\nkept\nkept\n");
    world.wafers_ok({"rm", "--force", "--no-salvage", "a"});
    world.base().git({"branch", "-q", "-D", "wafers/a"});
    before = world.everything();
  };
  with_each_call_failing(world, f.faulty,
                         {"fork", "kept", "a", "--at", (world / "views/a").native()}, check);
  CHECK(world.inside("kept", "cat work d/work") == "kept\nkept\n");
}

TEST_CASE("git-sync") {
  FaultWorld f(any_backend());
  f.faulty.reading_too = false;
  const World& world = f.world;
  world.wafers_ok({"git-commit", "kept", "-m", "work"});
  world.inside("kept", "echo open > open");
  world.base().git({"tag", "one"});
  world.in_base("echo two > new; git add new; git commit -qm two; git tag two");
  std::string target = "one";
  const auto require_whole = [&](const std::string& base) {
    CHECK(world.inside("kept", "cat work open; ls new || true") ==
          std::string("kept\nopen\n") + (base == "two" ? "new\n" : ""));
    CHECK(world.wafers_ok({"git-status", "kept", "--porcelain"}) == "?? open\n");
    CHECK(world.base().git({"rev-parse", "wafers/kept^"}) == world.base().git({"rev-parse", base}));
  };
  const auto check = [&](const RunResult& result) {
    const std::string base = world.listed("kept")["base_commit"];
    const bool is_two = base + "\n" == world.base().git({"rev-parse", "two"});
    const bool is_new = (is_two ? "two" : "one") == target;
    if (result.ok()) CHECK(is_new);
    if (is_new && !result.ok()) CHECK_THAT(result.err, Contains("may not outlast a power cut"));
    require_whole(is_two ? "two" : "one");
    world.wafers_ok({"git-sync", "kept"});
  };
  with_each_call_failing(world, f.faulty, {"git-sync", "kept"}, check, [&] {
    target = target == "one" ? "two" : "one";
    world.base().git({"reset", "-q", "--hard", target});
  });
}

TEST_CASE("git-commit") {
  const std::string backend = any_backend();
  const FaultWorld f(backend);
  const World& world = f.world;
  const auto prepare = [&] {
    world.add("a", backend);
    world.inside("a", "echo 2 > README; mkdir d; echo x > d/new; rm src/old.c");
  };
  const auto check = [&](const RunResult& result) {
    // A command that failed has not moved the branch.
    const bool moved = world.base().git({"log", "--format=%s", "main..wafers/a"}) == "x\n";
    if (moved && !result.ok()) CHECK_THAT(result.err, Contains("may not outlast a power cut"));
    if (result.ok()) CHECK(moved);
    CHECK(world.wafers({"git-commit", "a", "-m", "x"}).status == (moved ? 1 : 0));
    CHECK(world.base().git({"log", "--format=%s", "main..wafers/a"}) == "x\n");
    CHECK(world.base().git({"diff", "--name-status", "main", "wafers/a"}) ==
          "M\tREADME\nA\td/new\nD\tsrc/old.c\n");
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
    world.wafers_ok({"rm", "a"});
    world.base().git({"branch", "-q", "-D", "wafers/a"});
  };
  with_each_call_failing(world, f.faulty, {"git-commit", "a", "-m", "x"}, check, prepare);
  world.base().git({"fsck", "--strict"});
  CHECK(world.inside("kept", "cat work") == "kept\n");
}

TEST_CASE("add --git") {
  FaultWorld f(any_backend());
  f.faulty.reading_too = false;
  const World& world = f.world;
  std::string before = world.everything();
  const auto check = [&](const RunResult& result) {
    CHECK(fs::exists(world.base() / ".git/worktrees") == result.ok());
    if (!result.ok()) {
      CHECK(changes(before, world.everything()) == "");
      return;
    }
    CHECK(world.inside("a", "git status --porcelain; git log --format=%s") == "base\n");
    world.wafers_ok({"rm", "--delete-branch", "a"});
    before = world.everything();
  };
  with_each_call_failing(world, f.faulty, {"add", "a", "--git"}, check);
}

TEST_CASE("git-commit with git inside") {
  FaultWorld f(any_backend());
  f.faulty.reading_too = false;
  const World& world = f.world;
  world.add("a", any_backend(), {"--git"});
  const auto shown = [&] { return world.inside("a", "git status -s; git log -1 --format=%s"); };
  int round = 0;
  const auto prepare = [&] {
    const std::string content = std::to_string(++round);
    world.inside("a", "git commit -q --allow-empty -m before; echo " + content +
                          " | tee README > staged; git add staged");
  };
  const auto check = [&](const RunResult& result) {
    const bool moved = world.base().git({"log", "-1", "--format=%s", "wafers/a"}) == "x\n";
    if (moved && !result.ok()) CHECK_THAT(result.err, Contains("may not outlast a power cut"));
    if (result.ok()) CHECK(moved);
    // The next command goes on where that one ended, and says no more of it.
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
          (moved ? std::string("M  staged\n") : " M README\nM  staged\n"));
    CHECK(shown() == (moved ? "M  staged\nx\n" : " M README\nM  staged\nbefore\n"));
    world.inside("a", "git add -A; git commit -q --allow-empty -m done");
  };
  world.inside("a", "echo 0 > staged; git add staged; git commit -qm staged");
  with_each_call_failing(world, f.faulty, {"git-commit", "a", "-m", "x", "--", "README"}, check,
                         prepare);
  world.inside("a", "git fsck --strict");
}

/// Work that is stored in another way each: few objects, a large one, a pack that is written back
/// while it grows.
struct Work {
  std::string name, script;
};
const std::vector<Work>& all_ways_to_store() {
  static const std::vector<Work> all{
      {"loose objects", "echo 2 > README; mkdir d; echo x > d/new"},
      {"a large object", "head -c 2000000 /dev/zero > large"},
      {"a pack",
       "mkdir d e; for i in $(seq 100); do echo $i > d/$i; done\n"
       "for i in $(seq 9); do head -c 1000000 /dev/urandom > e/$i; done"},
  };
  return all;
}

TEST_CASE("what the disk could not write is not called done") {
  const Work work = GENERATE(from_range(all_ways_to_store()));
  const std::string command = GENERATE(as<std::string>(), "git-commit", "git-add");
  INFO(command << " of " << work.name);
  const std::string backend = any_backend();
  FaultWorld f(backend);
  f.faulty.only = "sync_file_range fsync";
  const World& world = f.world;
  const auto prepare = [&] {
    world.add("a", backend);
    world.inside("a", work.script);
  };
  const auto check = [&](const RunResult& result) {
    const bool moved = world.base().git_line({"rev-parse", "main"}) !=
                       world.base().git_line({"rev-parse", "wafers/a"});
    // What comes after the branch is the note that it moved: it is made again.
    if (!f.faulty.failed().empty() && result.ok()) {
      CHECK(moved);
      CHECK_THAT(result.err, Contains("the commit is made"));
    }
    if (!result.ok() && moved) CHECK_THAT(result.err, Contains("may not outlast a power cut"));
    if (!moved) world.wafers_ok({"git-commit", "a", "-m", "x", "--", "."});
    world.wafers_ok({"git-status", "a"});
    CHECK(world.listed("a")["last_commit"] == world.base().git_line({"rev-parse", "wafers/a"}));
    for (const auto& entry : fs::recursive_directory_iterator(world.base() / ".git/objects")) {
      CHECK_FALSE(entry.path().filename().native().starts_with("tmp_"));
    }
    world.wafers_ok({"rm", "a"});
    world.base().git({"branch", "-q", "-D", "wafers/a"});
  };
  Words words{command, "a"};
  if (command == "git-commit") words.insert(words.end(), {"-m", "x"});
  if (command == "git-add") words.insert(words.end(), {"--", "."});
  with_each_call_failing(world, f.faulty, words, check, prepare);
  world.base().git({"fsck", "--strict"});
}

TEST_CASE("umount and mount") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const FaultWorld f(backend);
  const World& world = f.world;
  const std::string record = read_file(world / "state/kept/metadata");
  const auto works = [&](const RunResult& /*result*/) {
    CHECK(world.inside("kept", "cat work") == "kept\n");
    CHECK(world.listed("kept")["status"] == "mounted");
    world.wafers_ok({"umount", "kept"});
    CHECK_THAT(world.everything(), !Contains(" - overlay wafers:") && !Contains(" - fuse"));
  };
  SECTION("umount") {
    const auto is_marked = [&] {
      const auto now = nlohmann::json::parse(read_file(world / "state/kept/metadata"));
      return now["volatile_boot"] != "";
    };
    bool sync_failed = false;
    const auto check = [&](const RunResult& result) {
      // What isn't on the disk is not called so.
      if (f.faulty.failed() == "syncfs") {
        sync_failed = true;
        CHECK_FALSE(result.ok());
        CHECK(is_marked());
      }
      if (result.ok()) CHECK_FALSE(is_marked());
      works(result);
    };
    with_each_call_failing(world, f.faulty, {"umount", "kept"}, check, [&] {
      world.wafers_ok({"mount", "kept"});
    });
    // Where reading counts as well, the number of calls depends on what else runs here.
    if (!f.faulty.reading_too) CHECK(sync_failed);
  }
  SECTION("mount") {
    world.wafers_ok({"umount", "kept"});
    with_each_call_failing(world, f.faulty, {"mount", "kept"}, works);
  }
}

TEST_CASE("rm") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const bool keeps = GENERATE(false, true);
  if (keeps && backend != any_backend()) return;  // what is kept depends on no backend
  CAPTURE(backend, keeps);
  const FaultWorld f(backend);
  const World& world = f.world;
  const auto prepare = [&] {
    world.add("a", backend, {"--at", (world / "views/a").native()});
    world.inside("a", "echo 2 > README; mkdir d; echo x > d/new; ln -s x d/link");
  };
  const auto check = [&](const RunResult& result) {
    if (!result.ok()) world.wafers_ok({"rm", "--force", "a"});
    CHECK_FALSE(fs::exists(world / "state/a"));
    CHECK_FALSE(fs::exists(world / "views"));
    CHECK_THAT(world.everything(), !Contains("wafers:a:") && !Contains("views/a"));
    world.base().git({"branch", "-q", "-D", "wafers/a"});
    if (!keeps) return;
    // By the command that failed, or by the one after it.
    const std::string ref =
        world.base().git_line({"for-each-ref", "--count=1", "--format=%(refname)", "refs/wafers"});
    CHECK(world.base().git({"show", ref + ":d/new"}) == "x\n");
    world.base().git({"update-ref", "-d", ref});
  };
  Words command{"rm", "--force", "a"};
  if (!keeps) command.emplace_back("--no-salvage");
  with_each_call_failing(world, f.faulty, command, check, prepare);
  CHECK(world.inside("kept", "cat work") == "kept\n");
}

}  // namespace
}  // namespace wafers::test
