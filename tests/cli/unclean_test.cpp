// Volatile mounts: who has one, what is on the disk when, and what happens to a wafer whose host
// went down. Another boot is simulated by records that name one.

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "cli/world.h"
#include "support/catch.h"
#include "support/process.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

const std::string kReason =
    "it was mounted when the host went down, and what was written last may be lost or damaged";

std::string boot_id() {
  const std::string id = read_file("/proc/sys/kernel/random/boot_id");
  return id.substr(0, id.find('\n'));
}

nlohmann::json record_of(const World& world, const std::string& name) {
  return nlohmann::json::parse(read_file(world.state() / name / "metadata"));
}

/// Whether the wafer's mount is volatile, by what the kernel or the server of the view says.
bool is_volatile(const World& world, const std::string& name) {
  const auto record = record_of(world, name);
  if (record["backend"] == "fuse") {
    const std::string pid = std::to_string(record["mount"]["process"]["pid"].get<pid_t>());
    return read_file("/proc/" + pid + "/cmdline").find(",volatile") != std::string::npos;
  }
  std::istringstream mounts(world.inside(name, "cat /proc/self/mountinfo"));
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" - overlay wafers:" + name + ":") == std::string::npos) continue;
    // Newer kernels say fsync=volatile.
    return line.find(",volatile") != std::string::npos ||
           line.find("=volatile") != std::string::npos;
  }
  throw std::runtime_error("the view is not mounted");
}

/// What the state would hold had the host gone down just now, with nothing lost, and come back.
void reboot(const World& world, const std::string& name) {
  const fs::path file = world.state() / name / "metadata";
  std::string record = read_file(file);
  world.wafers_ok({"umount", name});
  const std::string other = "00000000-0000-4000-8000-000000000000";
  const std::string own = boot_id();
  for (std::size_t at = record.find(own); at != std::string::npos; at = record.find(own, at)) {
    record.replace(at, own.size(), other);
  }
  write_file(file, record);
}

std::string refusal_of(const std::string& name) {
  return "wafers: wafer '" + name + "': " + kReason +
         "\nhint: look for files that are empty, cut off or missing: 'wafers git-status " + name +
         "', 'wafers git-diff " + name +
         " --uncommitted', and the latest ones with\n"
         "  find {top}/state/" +
         name +
         "/upper -type f -printf '%T+ %s %p\\n' | sort -r | head\n"
         "then take it as it is with 'wafers mount --accept-unclean " +
         name + "', or remove it with 'wafers rm'\n";
}

TEST_CASE("views are mounted volatile, unless they are to be durable") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  world.add("b", backend, {"--durable"});
  const auto check = [&] {
    CHECK(is_volatile(world, "a"));
    CHECK_FALSE(is_volatile(world, "b"));
    CHECK(record_of(world, "a")["volatile_boot"] == boot_id());
    CHECK(record_of(world, "b")["volatile_boot"] == "");
    CHECK(world.listed("a")["durable"] == false);
    CHECK(world.listed("b")["durable"] == true);
  };
  check();
  world.wafers_ok({"umount", "a", "b"});
  CHECK(record_of(world, "a")["volatile_boot"] == "");
  world.wafers_ok({"mount", "a", "b"});
  check();
}

TEST_CASE("a volatile view whose mount was cut off is mounted again, with what was written") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  world.inside("a", "echo work > file; echo 2 > README");
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    if (backend == "host") {
      run({"umount", world.listed("a")["mountpoint"]});
    } else {
      kill_and_wait(record_of(world, "a")["mount"]["process"]["pid"]);
    }
    CHECK(world.inside("a", "cat file README") == "work\n2\n");
    CHECK(is_volatile(world, "a"));
  }
}

TEST_CASE("that a view is volatile is on record before it is mounted") {
  const World world;
  if (std::ranges::count(working_backends(), "namespace") == 0) return;
  world.add("a", "namespace");
  world.wafers_ok({"umount", "a"});
  const fs::path holder = fs::path(WAFERS_PROGRAM).parent_path() / "../helper/wafers-holder";
  const fs::path spy = world / "spy";
  write_file(spy, "#!/bin/sh\ncp '" + (world.state() / "a/metadata").native() + "' '" +
                      (world / "seen").native() + "'\nexec '" + holder.native() + "' \"$@\"\n");
  fs::permissions(spy, fs::perms::owner_all);
  world.wafers_ok({"mount", "a"},
                  {.cwd = {}, .environment = {"WAFERS_HOLDER=" + spy.native()}, .input = {}});
  CHECK(nlohmann::json::parse(read_file(world / "seen"))["volatile_boot"] == boot_id());
}

TEST_CASE("a wafer whose host went down is broken, and refused by all that would trust it") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  world.inside("a", "echo work > file");
  reboot(world, "a");
  const std::string record = read_file(world.state() / "a/metadata");

  const Words commands[] = {{"exec", "a", "--", "true"},
                            {"shell", "a"},
                            {"mount", "a"},
                            {"git-commit", "a", "-m", "x"},
                            {"git-add", "a", "--", "."},
                            {"git-commit", "a", "-m", "x", "--", "file"}};
  for (const Words& command : commands) check_refused(world, {command, 3, refusal_of("a")});
  CHECK(world.json({"git-commit", "a", "-m", "x"})["error"]["kind"] == "refused");

  CHECK(world.listed("a")["status"] == "broken");
  CHECK(world.listed("a")["reason"] == kReason);
  CHECK(world.wafers({"ls"}).err == "wafers: warning: wafer 'a' is broken: " + kReason + "\n");

  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == "?? file\n");
  CHECK(world.wafers_ok({"git-diff", "a", "--uncommitted", "--name-only"}) == "file\n");
  CHECK(read_file(world.state() / "a/metadata") == record);
  world.wafers_ok({"umount", "a"});
  CHECK(world.listed("a")["status"] == "broken");

  SECTION("it can be taken as it is") {
    world.wafers_ok({"mount", "--accept-unclean", "a"});
    CHECK(world.listed("a")["status"] == "mounted");
    CHECK(world.listed("a")["reason"].is_null());
    CHECK(world.inside("a", "cat file; ls -A .git 2>&1 || true") ==
          "work\nls: cannot access '.git': No such file or directory\n");
    world.wafers_ok({"git-commit", "a", "-m", "x"});
    CHECK(world.base().git({"show", "wafers/a:file"}) == "work\n");
  }
  SECTION("it can be removed by force, but not by accident") {
    CHECK(world.wafers({"rm", "a"}).status == 3);
    world.wafers_ok({"rm", "--force", "a"});
  }
  SECTION("without work of its own it can be removed") {
    fs::remove(world.state() / "a/upper/file");
    world.wafers_ok({"rm", "a"});
  }
}

TEST_CASE("a wafer that was unmounted before the host went down is as it was") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  world.inside("a", "echo work > file");
  world.wafers_ok({"umount", "a"});
  reboot(world, "a");
  CHECK(world.listed("a")["status"] == "unmounted");
  CHECK(world.inside("a", "cat file") == "work\n");
}

TEST_CASE("a durable wafer is as its file system has it") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend, {"--durable"});
  world.inside("a", "echo work > file");
  reboot(world, "a");
  CHECK(world.listed("a")["status"] == "unmounted");
  CHECK(world.inside("a", "cat file") == "work\n");
  CHECK_FALSE(is_volatile(world, "a"));
}

TEST_CASE("the mark of a volatile mount can't be used to reach elsewhere") {
  const World world;
  if (std::ranges::count(working_backends(), "namespace") == 0) return;
  world.add("a", "namespace");
  world.wafers_ok({"umount", "a"});
  const fs::path work = world.state() / "a/work/work";
  const fs::path target = world / "target";
  write_file(target / "volatile/dirty", "precious");
  test::remove_tree(work);
  fs::create_directory(work);
  fs::create_directory_symlink(target, work / "incompat");
  world.wafers({"mount", "a"});
  CHECK(read_file(target / "volatile/dirty") == "precious");
}

}  // namespace
}  // namespace wafers::test
