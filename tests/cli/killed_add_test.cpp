// What an `add` or `git-diff` that was killed leaves in the state directory is taken away by
// whoever comes next, and what is in use there is left alone.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/xattr.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>

#include "base/fd.h"
#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

std::vector<fs::path> left_behind(const World& world, const std::string& prefix) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(world.state())) {
    if (entry.path().filename().native().starts_with(prefix)) found.push_back(entry.path());
  }
  return found;
}

/// Whoever sweeps a trial has it locked from before `wafers` ends until it is gone.
void wait_for_sweep(const World& world) {
  for (const char* const prefix : {".trial-", ".removing-", ".diff-"}) {
    for (const fs::path& path : left_behind(world, prefix)) {
      const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (fd) REQUIRE(::flock(fd.get(), LOCK_EX) == 0);
    }
  }
}

/// `wafers add NAME`, killed as it is about to make its first such system call.
void add_killed_at(const World& world, const std::string& call, const std::string& name,
                   const std::string& backend) {
  const RunResult result = world.run_program(
      WAFERS_KILLED_AT, {call, WAFERS_PROGRAM, "add", name, "--backend", backend}, {});
  INFO(result.err);
  REQUIRE(result.status == 0);
}

/// Puts a script in the place of a program that wafers starts; "$REAL" is the program itself.
RunOptions with_program(const World& world, const std::string& name, const std::string& script) {
  const std::string path = std::getenv("PATH");
  const fs::path place = world / "bin" / name;
  write_file(place, "#!/bin/sh\nPATH='" + path + "'\nREAL=$(command -v " + name + ")\n" + script);
  fs::permissions(place, fs::perms::owner_all);
  return {.cwd = {}, .environment = {"PATH=" + (world / "bin").native() + ":" + path}, .input = {}};
}

/// Commands that sweep.
const std::vector<std::pair<std::string, std::function<void(const World&)>>> kNext{
    {"add", [](const World& world) { world.add("next", any_backend()); }},
    {"rm",
     [](const World& world) {
       world.wafers_ok({"rm", "other"});
     }},
};

TEST_CASE("a wafer whose making was killed is swept away") {
  const auto& [command, act] = GENERATE(from_range(kNext));
  INFO(command);
  const World world;
  world.add("other", any_backend());
  add_killed_at(world, "renameat2", "a", any_backend());
  REQUIRE(left_behind(world, ".adding-") == std::vector{world / "state/.adding-a"});
  act(world);
  CHECK(left_behind(world, ".adding-").empty());
  CHECK_FALSE(fs::exists(world / "state/a"));
}

TEST_CASE("what can't be swept away keeps nothing else from it") {
  const auto& [command, act] = GENERATE(from_range(kNext));
  INFO(command);
  const World world;
  world.add("other", any_backend());
  write_file(world / "state/.removing-0", "no directory, so that nobody can claim it");
  for (const char* const name : {".adding-1", ".removing-2", ".trial-3"}) {
    fs::create_directories(world / "state" / name / "d");
  }
  act(world);
  wait_for_sweep(world);
  CHECK(left_behind(world, ".adding-").empty());
  CHECK(left_behind(world, ".trial-").empty());
  CHECK(left_behind(world, ".removing-") == std::vector{world / "state/.removing-0"});
}

TEST_CASE("a trial that was killed is swept away") {
  const auto& [command, act] = GENERATE(from_range(kNext));
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO(command << ", after a trial of " << backend);
  const World world;
  world.add("other", any_backend());
  ::removexattr(world.state().c_str(), "user.wafers.passed.volatile");  // or there is no trial
  add_killed_at(world, "unlinkat", "a", backend);
  REQUIRE(left_behind(world, ".trial-").size() == 1);
  act(world);
  wait_for_sweep(world);
  CHECK(left_behind(world, ".trial-").empty());
}

TEST_CASE("a trial of fuse that was killed while it was mounted") {
  const auto& [command, act] = GENERATE(from_range(kNext));
  INFO(command);
  const World world;
  world.add("other", any_backend());
  const RunOptions killed = with_program(world, "fusermount3", R"(
    case $1 in -u*) kill -KILL $PPID; exit 1;; esac
    exec "$REAL" "$@")");
  REQUIRE(world.wafers({"add", "a", "--backend", "fuse"}, killed).signal == SIGKILL);
  REQUIRE(left_behind(world, ".trial-").size() == 1);
  REQUIRE_THAT(read_file("/proc/self/mountinfo"), Contains((world / "state/.trial-").native()));
  act(world);
  wait_for_sweep(world);
  CHECK(left_behind(world, ".trial-").empty());
  CHECK_THAT(read_file("/proc/self/mountinfo"), !Contains((world / "state/.trial-").native()));
}

TEST_CASE("what a killed git-diff worked in is swept away, and the wafer keeps nothing of it") {
  const auto& [command, act] = GENERATE(from_range(kNext));
  INFO(command);
  const World world;
  world.add("other", any_backend());
  world.add("a", any_backend());
  world.inside("a", "echo work > new");
  const fs::path own = world.state() / "a";
  // But for what it remembers of files, once they are old enough.
  const auto entries = [&] {
    return std::count_if(fs::directory_iterator(own), fs::directory_iterator(),
                         [](const auto& entry) { return entry.path().filename() != "seen"; });
  };
  const auto before = entries();
  // The first file or directory that it would remove at its end.
  const RunResult result = world.run_program(
      WAFERS_KILLED_AT, {"unlinkat", WAFERS_PROGRAM, "git-diff", "a", "--uncommitted"}, {});
  REQUIRE(result.status == 0);
  REQUIRE(left_behind(world, ".diff-").size() == 1);
  CHECK(entries() == before);
  act(world);
  wait_for_sweep(world);
  CHECK(left_behind(world, ".diff-").empty());
}

TEST_CASE("a trial that goes on is left alone") {
  const World world;
  world.add("other", any_backend());
  const RunOptions busy = with_program(world, "fuse-overlayfs", R"(
    case $* in
    *.trial-*)
      if flock -n . true; then echo 'nobody has claimed it'; exit 1; fi
      ')" WAFERS_PROGRAM R"(' rm other || exit 1;;
    esac
    exec "$REAL" "$@")");
  world.wafers_ok({"add", "a", "--backend", "fuse"}, busy);
  CHECK_FALSE(fs::exists(world / "state/other"));
  CHECK(left_behind(world, ".trial-").empty());
}

}  // namespace
}  // namespace wafers::test
