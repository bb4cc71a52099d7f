// Wafers made from what another one holds.

#include <chrono>
#include <filesystem>
#include <thread>

#include "cli/world.h"
#include "support/catch.h"
#include "support/process.h"
#include "support/run.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

pid_t start_in_source(const World& world, const std::string& name, const std::string& script) {
  return std::stoi(world.inside(name, "(" + script + ") > /dev/null 2>&1 & echo $!"));
}

constexpr const char* kForked =
    "printf '*.o\\n' > .gitignore; mkdir -p dir/deep opaque gone; echo 1 > f; echo 1 > dir/f\n"
    "echo 1 > opaque/old; echo 1 > gone/f; echo 1 > same; echo '#!' > tool; echo 1 > to-dir\n"
    "echo 1 > dir/deep/staged; git add -A; git commit -qm base; echo o > base.o";

/// Committed, staged on top of that, changed after that, deleted, replaced, ignored; and what git
/// knows nothing of.
void work_in(const World& world, const std::string& name) {
  world.inside(name, "echo 2 > f; echo new > committed; chmod +x tool");
  world.wafers_ok({"git-commit", name, "-m", "work"});
  world.inside(name, "echo 2 > dir/deep/staged; echo s > staged-new; rm same");
  world.wafers_ok({"git-add", name, "--", "."});
  world.inside(name, R"SH(
    echo 3 > dir/deep/staged; rm -r opaque gone; mkdir opaque; echo n > opaque/new; ln -s f link
    rm to-dir; mkdir to-dir; echo x > to-dir/x; chmod 640 dir/f; touch -d 2001-01-01 dir/f
    echo a > a.o; mkdir -p made/empty; mkfifo fifo; ln a.o hard.o; mkdir closed; echo in > closed/in
    chmod 555 closed; echo odd > "$(printf 'odd \n\377')"; echo gone > x; rm x)SH");
}

constexpr const char* kFilesOfFork =
    "find . -mindepth 1 -printf '%p %y %m %l %TY-%Tm-%Td %TH:%TM:%TS\\n' | sort; "
    "find . -type f -exec sha1sum {} + | sort";

/// All that a fork has like its source.
std::string state_of(const World& world, const std::string& name) {
  return world.wafers_ok({"git-status", name, "--porcelain"}) +
         world.wafers_ok({"git-diff", name}) +
         world.wafers_ok({"git-diff", name, "--uncommitted"}) + world.inside(name, kFilesOfFork);
}

TEST_CASE("a fork has all that its source has, which goes on as it was") {
  const Words base = GENERATE(Words{"--base", "HEAD~1"}, Words{"--frozen"}, Words{});
  const std::string backend = GENERATE(from_range(working_backends()));
  if (base.size() != 2 && backend != any_backend()) return;
  CAPTURE(backend, base);
  const World world;
  world.in_base(kForked);
  if (base.size() == 2) world.in_base("echo 2 > same; git rm -q f; git commit -qam later");
  world.add("a", backend, base);
  work_in(world, "a");
  const std::string state = state_of(world, "a");
  const pid_t inside = start_in_source(world, "a", "exec sleep 1000");
  const std::string record = read_file(world / "state/a/metadata");
  const std::string tip = world.base().git_line({"rev-parse", "wafers/a"});

  const std::string told =
      world.wafers_ok({"fork", "a", "b", "c", "--at", (world / "{name}-view").native()});
  CHECK_THAT(told, Contains("Forked a as wafer b on branch wafers/b, view (" + backend + ") at "));
  CHECK(read_file(world / "state/a/metadata") == record);
  for (const char* const name : {"b", "c"}) {
    CAPTURE(name);
    CHECK(state_of(world, name) == state);
    CHECK(world.base().git_line({"rev-parse", std::string("wafers/") + name}) == tip);
    const nlohmann::json listed = world.listed(name);
    for (const char* const key :
         {"base_commit", "base_kind", "base_ref", "base_layers", "backend", "last_commit"}) {
      CHECK(listed[key] == world.listed("a")[key]);
    }
  }
  CHECK(is_running(inside));
  CHECK(state_of(world, "a") == state);

  // What is done in one of them is seen in no other, and commits are each's own.
  world.wafers_ok({"umount", "b"});
  world.inside("b", "echo b > b; echo b > opaque/new; rm -r closed/in to-dir || true");
  world.inside("a", "echo a > only-a");
  CHECK(state_of(world, "c") == state);
  world.wafers_ok({"git-commit", "b", "-m", "staged"});
  CHECK(world.base().git({"diff", "--name-status", tip, "wafers/b"}) ==
        "M\tdir/deep/staged\nD\tsame\nA\tstaged-new\n");
  CHECK(world.base().git({"show", "wafers/b:dir/deep/staged"}) == "2\n");
  CHECK(world.base().git_line({"rev-parse", "wafers/a"}) == tip);
  world.wafers_ok({"git-commit", "c", "-m", "staged"});
  world.wafers_ok({"git-commit", "c", "-m", "all"});
  CHECK(world.wafers_ok({"git-status", "c", "--porcelain"}).empty());
  kill_and_wait(inside);
  world.wafers_ok({"rm", "a", "--force", "--no-salvage"});
  CHECK(world.inside("c", "cat f opaque/new") == "2\nn\n");
}

TEST_CASE("a wafer is forked while it is worked in, mounted or not") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.add("a", backend);
  world.inside("a", "mkdir d; for i in 1 2 3 4 5 6 7 8 9; do echo kept > d/$i; done");
  const pid_t worker =
      start_in_source(world, "a",
                      "while [ ! -e stop ]; do mkdir t; echo t > t/t; mv t/t d/9; mv "
                      "d/8 t/; mv t/8 d/8; rm -r t; done");
  for (int i = 0; i < 5; ++i) {
    const std::string name = "b" + std::to_string(i);
    world.wafers_ok({"fork", "a", name});
    CHECK(world.inside(name, "cat d/1 d/2 d/3 d/7") == "kept\nkept\nkept\nkept\n");
  }
  world.inside("a", "touch stop");
  while (is_running(worker)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  world.wafers_ok({"umount", "a"});
  world.wafers_ok({"fork", "a", "c"});
  CHECK(world.listed("a")["status"] == "unmounted");
  CHECK(world.listed("c")["status"] == "mounted");
}

TEST_CASE("fork makes all or none, and says why") {
  const World world;
  const std::string backend = any_backend();
  world.add("a", backend);
  world.inside("a", "echo work > work");
  world.wafers_ok({"git-commit", "a", "-m", "work"});
  world.base().git({"branch", "wafers/taken", "main"});
  world.base().git({"branch", "wafers/there", "wafers/a"});
  fs::create_directories(world / "views/c/full");
  const std::string hint = "hint: choose another one with --branch\n";
  for (const Refusal& refusal : std::vector<Refusal>{
           {{"fork"}, 2, "wafers: fork: the name of a wafer is missing\n" + see_help("fork")},
           {{"fork", "a"},
            2,
            "wafers: fork: the name of the new wafer is missing\n" + see_help("fork")},
           {{"fork", "none", "b"},
            1,
            "wafers: there is no wafer 'none'\nhint: 'wafers ls' lists the wafers that there "
            "are\n"},
           {{"fork", "a", "b", "a"},
            1,
            "wafers: wafer 'a' exists already\nhint: choose another name, or remove it with "
            "'wafers rm a'\n"},
           {{"fork", "a", "b", "c", "--branch", "one"},
            2,
            "wafers: --branch must contain {name} where several wafers are added\n"},
           {{"fork", "a", "b", "taken"},
            3,
            "wafers: branch 'wafers/taken' exists and is not at " +
                world.base().git_line({"rev-parse", "--short", "wafers/a"}) +
                ", the tip of wafer 'a'\n" + hint},
           {{"fork", "a", "b", "--branch", "wafers/a"},
            3,
            "wafers: branch 'wafers/a' belongs to wafer 'a'\n" + hint},
           {{"fork", "a", "b", "--branch", "main"},
            3,
            "wafers: branch 'main' is checked out in '{top}/base'\n" + hint},
           {{"fork", "a", "b", "c", "--at", (world / "views/{name}").native()},
            3,
            "wafers: mountpoint '{top}/views/c' is not empty: it holds 'full'\nhint: choose "
            "another place with "
            "--at\n"}}) {
    check_refused(world, refusal);
  }
  const RunResult nested = world.wafers({"exec", "a", "--", WAFERS_PROGRAM, "fork", "a", "b"});
  CHECK(nested.status == 3);
  const nlohmann::json made = world.json({"fork", "a", "there"});
  CHECK(made["wafers"][0]["branch"] == "wafers/there");
  CHECK(made["wafers"][0]["last_commit"] == world.listed("a")["last_commit"]);
  CHECK(made["base"]["commit"] == world.base().head());
  CHECK(made["base"]["ref"] == "main");
  CHECK(world.wafers_ok({"git-status", "there", "--porcelain"}).empty());
}

TEST_CASE("a fork over a base that has moved shows the base commit, and is guarded as its source") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.in_base("seq 40 > taken; seq 40 > own; seq 40 > other; git add -A; git commit -qm base");
  world.add("a", backend);
  world.inside("a", "sed -i '20s/$/ changed/' own");
  const pid_t sleeper = start_in_source(world, "a", "exec sleep 1000");
  world.in_base(
      "sed -i '20s/$/ changed/' taken own other; echo new > new; git add -A; git commit -qm moved");
  world.inside("a", "echo more >> taken");
  world.wafers_ok({"fork", "a", "b"});
  CHECK(world.inside("b", "sed -n 20p other; test ! -e new") == "20\n");
  CHECK(world.listed("b")["base_moved"] == false);
  CHECK(world.listed("a")["base_moved"] == true);
  const RunResult refused = world.wafers({"git-commit", "b", "-m", "work"});
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, Contains("\n  taken\n") && !Contains("own"));
  world.wafers_ok({"git-commit", "b", "-m", "work", "--", "own"});
  kill_and_wait(sleeper);
  world.wafers_ok({"rm", "--all", "--force", "--no-salvage"});
  CHECK(fs::is_empty(world / "state/.bases"));
}

}  // namespace
}  // namespace wafers::test
