// Volatile mounts: who has one, what is on the disk when, and what happens to a wafer whose host
// went down. Another boot is simulated by records that name one.

#include <sys/stat.h>
#include <sys/wait.h>
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

nlohmann::json parsed_record(const World& world, const std::string& name) {
  return nlohmann::json::parse(read_file(world.state() / name / "metadata"));
}

/// Whether the wafer's mount is volatile, by what the kernel or the server of the view says.
bool is_volatile(const World& world, const std::string& name) {
  const auto record = parsed_record(world, name);
  if (record["backend"] == "fuse") {
    const std::string pid = std::to_string(record["mount"]["process"]["pid"].get<pid_t>());
    return read_file("/proc/" + pid + "/cmdline").find(",volatile") != std::string::npos;
  }
  std::istringstream mounts(world.inside(name, "cat /proc/self/mountinfo"));
  for (std::string line; std::getline(mounts, line);) {
    const bool is_it = line.find(" - overlay wafers:" + name + ":") != std::string::npos &&
                       line.find(world.state().native()) != std::string::npos;
    if (!is_it) continue;
    // Newer kernels say fsync=volatile.
    return line.find(",volatile") != std::string::npos ||
           line.find("=volatile") != std::string::npos;
  }
  throw std::runtime_error("the view is not mounted");
}

/// `text` as it would be had it been written in an earlier boot.
std::string of_another_boot(std::string text) {
  const std::string other = "00000000-0000-4000-8000-000000000000";
  const std::string own = boot_id();
  for (std::size_t at = text.find(own); at != std::string::npos; at = text.find(own, at)) {
    text.replace(at, own.size(), other);
  }
  return text;
}

/// What the state would hold had the host gone down just now, with nothing lost, and come back.
void reboot(const World& world, const std::string& name) {
  const fs::path file = world.state() / name / "metadata";
  const std::string record = read_file(file);
  world.wafers_ok({"umount", name});
  write_file(file, of_another_boot(record));
  const fs::path note = world.state() / name / "ended";
  if (fs::exists(note)) write_file(note, of_another_boot(read_file(note)));
}

/// SIGTERM to the holder, as at a shutdown.
void ask_to_end(pid_t holder) {
  if (::kill(holder, SIGTERM) != 0) throw std::runtime_error("there is no holder");
}

void wait_for_end_of(pid_t pid) {
  while (is_running(pid)) ::usleep(1000);
}

bool has_namespace_backend() { return std::ranges::count(working_backends(), "namespace") != 0; }

pid_t holder_of(const World& world, const std::string& name) {
  return parsed_record(world, name)["mount"]["process"]["pid"];
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
    CHECK(parsed_record(world, "a")["volatile_boot"] == boot_id());
    CHECK(parsed_record(world, "b")["volatile_boot"] == "");
    CHECK(world.listed("a")["durable"] == false);
    CHECK(world.listed("b")["durable"] == true);
  };
  check();
  world.wafers_ok({"umount", "a", "b"});
  CHECK(parsed_record(world, "a")["volatile_boot"] == "");
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
      kill_and_wait(parsed_record(world, "a")["mount"]["process"]["pid"]);
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
                            {"fork", "a", "b"},
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

TEST_CASE("a holder that is asked to end at the shutdown leaves a wafer that is clean") {
  if (!has_namespace_backend()) return;
  const World world;
  world.add("a", "namespace");
  world.inside("a", "echo work > file");
  const pid_t holder = holder_of(world, "a");
  ::kill(holder, SIGHUP);  // what a session's processes get as well
  ask_to_end(holder);
  wait_for_end_of(holder);
  CHECK(world.listed("a")["status"] == "unmounted");
  reboot(world, "a");
  CHECK(world.wafers({"ls"}).err.empty());
  CHECK(world.listed("a")["status"] == "unmounted");
  SECTION("and can be entered") {
    CHECK(world.inside("a", "cat file") == "work\n");
    CHECK(parsed_record(world, "a")["volatile_boot"] == boot_id());
    SECTION("until the next power cut") {
      reboot(world, "a");
      CHECK(world.listed("a")["status"] == "broken");
    }
  }
  SECTION("and can be committed from and unmounted") {
    world.wafers_ok({"git-commit", "a", "-m", "x"});
    CHECK(world.base().git({"show", "wafers/a:file"}) == "work\n");
    world.wafers_ok({"umount", "a"});
    CHECK(parsed_record(world, "a")["volatile_boot"] == "");
  }
}

TEST_CASE("a holder that is asked to end waits for those who are inside") {
  if (!has_namespace_backend()) return;
  const World world;
  world.add("a", "namespace");
  const pid_t holder = holder_of(world, "a");
  // Asks the holder to end, and goes on; then it is looked at from outside while it works.
  const fs::path fifo = world / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const pid_t worker = ::fork();
  if (worker == 0) {
    const std::string script = "kill -TERM " + std::to_string(holder) + "; echo a > f; read x < '" +
                               fifo.native() + "'; echo b >> f";
    ::_exit(world.wafers({"exec", "a", "--", "sh", "-c", script}).status);
  }
  // The shell makes the file before it writes the line.
  const fs::path written = world.state() / "a/upper/f";
  while (world.listed("a")["status"] != "mounted" || !fs::exists(written) ||
         fs::is_empty(written)) {
  }
  CHECK(is_running(holder));
  CHECK(world.inside("a", "cat f") == "a\n");
  CHECK(world.wafers({"umount", "a"}).status == 4);
  CHECK_FALSE(fs::exists(world.state() / "a/ended"));

  SECTION("and notes its end after them") {
    write_file(fifo, "go\n");
    ::waitpid(worker, nullptr, 0);
    wait_for_end_of(holder);
    reboot(world, "a");
    CHECK(world.listed("a")["status"] == "unmounted");
    CHECK(world.inside("a", "cat f") == "a\nb\n");
  }
  SECTION("and notes nothing where it is killed before") {
    kill_and_wait(holder);
    write_file(fifo, "go\n");
    ::waitpid(worker, nullptr, 0);
    reboot(world, "a");
    CHECK(world.listed("a")["status"] == "broken");
  }
}

TEST_CASE("a holder that is killed, or a view that is mounted after a clean end, is none") {
  if (!has_namespace_backend()) return;
  const World world;
  world.add("a", "namespace");
  SECTION("killed") { kill_and_wait(holder_of(world, "a")); }
  SECTION("mounted anew") {
    const pid_t holder = holder_of(world, "a");
    ask_to_end(holder);
    wait_for_end_of(holder);
    world.inside("a", "echo work > file");
  }
  SECTION("a torn note") {
    const pid_t holder = holder_of(world, "a");
    ask_to_end(holder);
    wait_for_end_of(holder);
    fs::resize_file(world.state() / "a/ended", 40);
  }
  reboot(world, "a");
  CHECK(world.listed("a")["status"] == "broken");
}

TEST_CASE(
    "umount --all before the host goes down leaves every wafer clean, mount --all mounts all") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  CHECK(world.wafers({"umount", "--all"}).status == 0);
  CHECK(world.wafers({"mount", "--all"}).status == 0);
  for (const char* const name : {"a", "b", "c"}) world.add(name, backend);
  world.inside("b", "echo work > file");
  // What a shutdown has ended before: the holder of one, or the server.
  if (backend != "host") kill_and_wait(holder_of(world, "c"));
  world.wafers_ok({"umount", "--all"});
  for (const char* const name : {"a", "b", "c"}) {
    CHECK(parsed_record(world, name)["volatile_boot"] == "");
    reboot(world, name);
    CHECK(world.listed(name)["status"] == "unmounted");
  }
  world.wafers_ok({"mount", "--all"});
  for (const char* const name : {"a", "b", "c"}) CHECK(world.listed(name)["status"] == "mounted");
  CHECK(world.inside("b", "cat file") == "work\n");
}

TEST_CASE("umount --all and mount --all do the others where one can't be done") {
  const World world;
  for (const char* const name : {"a", "b", "c"}) world.add(name, any_backend());
  reboot(world, "b");
  const RunResult mounted = world.wafers({"mount", "--all"});
  CHECK(mounted.status == 3);
  CHECK_THAT(mounted.err, Contains("wafer 'b': it was mounted when the host went down"));
  CHECK(world.listed("c")["status"] == "mounted");
  write_file(world.state() / "a/metadata", "{");
  const RunResult unmounted = world.wafers({"umount", "--all"});
  CHECK(unmounted.status == 1);
  CHECK_THAT(unmounted.err, Contains("cannot read the record of wafer 'a'"));
  CHECK(world.listed("c")["status"] == "unmounted");
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
