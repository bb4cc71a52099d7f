// Wafers whose processes are killed, whose host restarts, whose base or record is taken away:
// nothing that was written is lost, what can go on goes on, and what can't says so.

#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "cli/world.h"
#include "support/catch.h"
#include "support/process.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using nlohmann::json;

fs::path record_of(const World& world, const std::string& name) {
  return world / ("state/" + name + "/metadata");
}

void edit_record(const World& world, const std::string& name,
                 const std::function<void(json&)>& edit) {
  json record = json::parse(read_file(record_of(world, name)));
  edit(record);
  write_file(record_of(world, name), record.dump());
}

pid_t recorded_process(const World& world, const std::string& name) {
  return json::parse(read_file(record_of(world, name)))["mount"]["process"]["pid"].get<pid_t>();
}

/// Takes the view away as a restart of the host does: processes and mounts are gone, the record
/// stays.
void lose_view(const World& world, const std::string& name, const std::string& backend) {
  const std::string mountpoint = world.listed(name)["mountpoint"];
  if (backend == "host") {
    run_ok({"umount", mountpoint});
  } else {
    kill_and_wait(recorded_process(world, name));
  }
  if (backend == "fuse") run_ok({"fusermount3", "-uz", mountpoint});
}

/// Starts a process in a wafer that stays until it is ended.
pid_t start_occupant(const World& world, const std::string& name) {
  return std::stoi(world.inside(name, "sleep 1000 >/dev/null 2>&1 & echo $!"));
}

RunOptions outside_the_base(const World& world) {
  return {.cwd = world / ".", .environment = {}, .input = {}};
}

/// What people do next with a wafer whose view is gone, each of which just works.
const std::vector<std::pair<std::string, std::function<void(const World&)>>> kNextSteps{
    {"exec", [](const World& world) { CHECK(world.inside("a", "cat work") == "work\n"); }},
    {"mount",
     [](const World& world) {
       world.wafers_ok({"mount", "a"});
       CHECK(world.listed("a")["status"] == "mounted");
     }},
    {"umount",
     [](const World& world) {
       world.wafers_ok({"umount", "a"});
       CHECK(world.listed("a")["status"] == "unmounted");
     }},
    {"git-status",
     [](const World& world) {
       CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == "?? work\n");
     }},
    {"git-commit",
     [](const World& world) {
       world.wafers_ok({"git-commit", "a", "-m", "x"});
       CHECK(world.base().git({"show", "wafers/a:work"}) == "work\n");
     }},
    {"rm",
     [](const World& world) {
       CHECK(world.wafers({"rm", "a"}).status == 3);
       world.wafers_ok({"rm", "--force", "a"});
       CHECK_FALSE(fs::exists(world / "state/a"));
     }},
};

TEST_CASE("a view that is gone: ls says so, and whatever comes next works") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const auto& [step, act] = GENERATE(from_range(kNextSteps));
  INFO("backend " << backend << ", then " << step);
  const World world;
  world.add("a", backend);
  world.inside("a", "echo work > work");
  lose_view(world, "a", backend);
  SECTION("in the same boot") {}
  SECTION("after a restart of the host") {
    edit_record(world, "a", [](json& record) {
      record["mount"]["boot_id"] = "00000000-0000-0000-0000-000000000000";
    });
  }
  SECTION("with its pid given to another process") {
    edit_record(world, "a", [](json& record) {
      if (record["mount"]["process"].is_null()) return;
      record["mount"]["process"]["pid"] = ::getpid();
    });
  }
  CHECK(world.listed("a")["status"] == "unmounted");
  CHECK(world.listed("a")["holder_pid"].is_null());
  act(world);
  // In every case the work is there until it is thrown away.
  if (step != "rm") CHECK(world.inside("a", "cat work") == "work\n");
  world.wafers_ok({"rm", "--force", "--kill", "--all"});
  CHECK_THAT(world.everything(), !Contains("overlay wafers:") && !Contains("fuse-overlayfs"));
}

TEST_CASE("a record of an earlier boot whose view is mounted all the same") {
  const std::string backend = GENERATE(from_range(working_backends()));
  if (backend == "fuse") return;  // its server's lock on the upper stands for the kernel's
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  world.inside("a", "echo work > work");
  edit_record(world, "a", [](json& record) { record["mount"] = nullptr; });
  CHECK(world.inside("a", "cat work") == "work\n");
  CHECK(world.listed("a")["status"] == "mounted");
  world.wafers_ok({"rm", "--force", "a"});
  CHECK_THAT(world.everything(), !Contains("overlay wafers:"));
}

TEST_CASE("processes that outlive their holder keep the view, and get a new holder") {
  const World world;
  world.add("a", "namespace");
  world.inside("a", "echo work > work");
  const std::string outlives = std::to_string(start_occupant(world, "a"));
  const json before = world.listed("a");
  kill_and_wait(before["holder_pid"].get<pid_t>());

  const json orphaned = world.listed("a");
  CHECK(orphaned["status"] == "mounted");
  CHECK(orphaned["holder_pid"].is_null());
  CHECK(orphaned["mnt_ns"] == "/proc/" + outlives + "/ns/mnt");
  CHECK(read_file(orphaned["host_path"].get<std::string>() + "/work") == "work\n");
  const std::string same_namespace = "readlink /proc/self/ns/mnt";
  const std::string of_survivor = run_ok({"readlink", "/proc/" + outlives + "/ns/mnt"});

  SECTION("exec") { CHECK(world.inside("a", same_namespace) == of_survivor); }
  SECTION("mount") { world.wafers_ok({"mount", "a"}); }
  SECTION("git-commit, which needs none") {
    world.wafers_ok({"git-commit", "a", "-m", "x"});
    CHECK(world.base().git({"show", "wafers/a:work"}) == "work\n");
    world.wafers_ok({"mount", "a"});
  }
  SECTION("umount and rm name who is inside") {
    CHECK_THAT(world.wafers({"umount", "a"}).err, Contains("\n  " + outlives + " sleep 1000"));
    CHECK_THAT(world.wafers({"rm", "--force", "a"}).err,
               Contains("\n  " + outlives + " sleep 1000"));
    world.wafers_ok({"rm", "--force", "--kill", "a"});
    CHECK_FALSE(is_running(std::stoi(outlives)));
    CHECK_THAT(world.everything(), !Contains("overlay wafers:"));
    return;
  }
  const json adopted = world.listed("a");
  CHECK(adopted["holder_pid"].is_number());
  CHECK(adopted["holder_pid"] != before["holder_pid"]);
  CHECK(world.inside("a", same_namespace) == of_survivor);
  kill_and_wait(std::stoi(outlives));
  CHECK(world.listed("a")["holder_pid"] == adopted["holder_pid"]);
  CHECK(world.inside("a", "cat work") == "work\n");
}

TEST_CASE("a stranger with the recorded pid is left alone") {
  const World world;
  world.add("a", "namespace");
  lose_view(world, "a", "namespace");
  edit_record(world, "a", [](json& record) { record["mount"]["process"]["pid"] = ::getpid(); });
  world.wafers_ok({"umount", "a"});
  edit_record(world, "a", [](json& record) {
    record["mount"] = {{"boot_id", "x"}, {"process", {{"pid", ::getpid()}, {"start_ticks", 1}}}};
  });
  world.wafers_ok({"rm", "--kill", "--force", "a"});  // and we are here to see it
  CHECK_FALSE(fs::exists(world / "state/a"));
}

TEST_CASE("a fuse server that was killed with somebody inside") {
  const World world;
  world.add("a", "fuse");
  world.inside("a", "echo work > work");
  const pid_t stuck = start_occupant(world, "a");
  kill_and_wait(recorded_process(world, "a"));
  // Nobody can look at the mountpoint now: Transport endpoint is not connected.
  CHECK_FALSE(run({"ls", world.listed("a")["mountpoint"]}).ok());
  CHECK(world.listed("a")["status"] == "unmounted");
  CHECK(world.inside("a", "cat work") == "work\n");
  CHECK(world.listed("a")["status"] == "mounted");
  kill_and_wait(stuck);
  world.wafers_ok({"git-commit", "a", "-m", "x"});
  world.wafers_ok({"rm", "a"});
  CHECK_THAT(world.everything(), !Contains("fuse-overlayfs"));
}

TEST_CASE("a base that was moved away, and comes back") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const bool mounted = GENERATE(true, false);
  INFO("backend " << backend << (mounted ? ", mounted" : ", unmounted"));
  const World world;
  world.add("a", backend);
  world.inside("a", "echo work > work");
  if (!mounted) world.wafers_ok({"umount", "a"});
  fs::rename(world / "base", world / "elsewhere");
  const RunOptions here = outside_the_base(world);

  CHECK(world.wafers({"ls"}, here).err == "wafers: warning: wafer 'a' is broken: its base '" +
                                              (world / "base").native() + "' is gone\n");
  const std::string err = "wafers: cannot mount wafer 'a': its base '{top}/base' is gone\n";
  if (!mounted) {
    const RunResult exec = world.wafers({"exec", "a", "--", "true"}, here);
    CHECK(exec.status == 125);
    CHECK(world.shortened(exec.err) == err);
    const RunResult mount = world.wafers({"mount", "a"}, here);
    CHECK(mount.status == 1);
    CHECK(world.shortened(mount.err) == err);
  }
  for (const Words& command :
       {Words{"git-commit", "a", "-m", "x"}, Words{"git-status", "a"}, Words{"git-diff", "a"},
        Words{"git-log", "a"}, Words{"git-push", "a"}, Words{"git-sync", "a"}}) {
    const RunResult result = world.wafers(command, here);
    INFO(command.front());
    CHECK(result.status == 1);
    CHECK(world.shortened(result.err) ==
          "wafers: the checkout '{top}/base' of wafer 'a' is gone\n"
          "hint: move it back there, or mount the disk that it is on\n");
  }
  CHECK(world.wafers({"rm", "a"}, here).status == 3);
  world.wafers_ok({"umount", "a"}, here);
  CHECK(read_file(world / "state/a/upper/work") == "work\n");

  fs::rename(world / "elsewhere", world / "base");
  CHECK(world.inside("a", "cat work") == "work\n");
  world.wafers_ok({"git-commit", "a", "-m", "x"});
  CHECK(world.base().git({"show", "wafers/a:work"}) == "work\n");
}

TEST_CASE("a view whose record is lost is unmounted, and other wafers' namespaces are left alone") {
  const auto backends = working_backends();
  const std::string backend = GENERATE(values<std::string>({"host", "fuse"}));
  if (std::ranges::count(backends, backend) == 0 ||
      std::ranges::count(backends, "namespace") == 0) {
    return;
  }
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  world.add("later", "namespace");  // its namespace has a copy of the mount
  fs::remove(record_of(world, "a"));
  world.wafers_ok({"rm", "--force", "a"});
  CHECK_FALSE(fs::exists(world / "state/a"));
  CHECK_THAT(read_file("/proc/self/mountinfo"), !Contains((world / "state/a").native()));
  CHECK(world.listed("later")["status"] == "mounted");
}

TEST_CASE("parts of a wafer that somebody removed by hand") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  world.add("b", backend);
  world.wafers_ok({"umount", "a"});
  SECTION("all of it") {
    test::remove_tree(world / "state/a");
    CHECK(world.json({"ls"})["wafers"].size() == 1);
    CHECK(world.wafers({"exec", "a", "--", "true"}).status == 125);
    world.add("a", backend);  // on the branch that is still there
    CHECK(world.inside("a", "cat README") == "base\n");
  }
  SECTION("the work directory, which holds nothing") {
    test::remove_tree(world / "state/a/work");
    CHECK(world.inside("a", "echo x > README; cat README") == "x\n");
  }
  SECTION("the upper: what was in it is lost, and nobody pretends otherwise") {
    test::remove_tree(world / "state/a/upper");
    const RunResult exec = world.wafers({"exec", "a", "--", "true"});
    CHECK(exec.status == 125);
    CHECK_THAT(exec.err, Contains("upper"));
    CHECK(world.wafers({"git-commit", "a", "-m", "x"}).status == 1);
    CHECK(world.wafers({"rm", "a"}).status != 0);
  }
  SECTION("its lock") {
    fs::remove(world / "state/a/lock");
    CHECK(world.inside("a", "cat README") == "base\n");
  }
  SECTION("its record, while it is mounted") {
    world.wafers_ok({"mount", "a"});
    fs::remove(record_of(world, "a"));
    CHECK(world.json({"ls"})["invalid_entries"][0]["reason"] == "it has no metadata file");
  }
  SECTION("its branch") {
    world.base().git({"branch", "-D", "wafers/a"});
    const RunResult commit = world.wafers({"git-commit", "a", "-m", "x"});
    CHECK(commit.status == 1);
    CHECK(world.shortened(commit.err) ==
          "wafers: branch 'wafers/a' of wafer 'a' is gone: nothing was committed\n"
          "hint: make it again with: git -C {top}/base branch wafers/a " +
              world.base().head() + "\n");
    CHECK(world.inside("a", "cat README") == "base\n");
  }
  CHECK(world.inside("b", "cat README") == "base\n");
  world.wafers_ok({"rm", "--all", "--force"});
  CHECK_THAT(world.everything(), !Contains("overlay wafers:") && !Contains("fuse-overlayfs"));
  CHECK(world.json({"ls"})["invalid_entries"].empty());
}

TEST_CASE("records that can't be read") {
  struct Spoiled {
    std::function<std::string(const std::string&)> spoil;
    std::string reason;
  };
  const auto with_key = [](const char* key, const json& value) {
    return [=](const std::string& text) {
      json record = json::parse(text);
      record[key] = value;
      return record.dump();
    };
  };
  const Spoiled wanted = GENERATE_COPY(values<Spoiled>({
      {[](const std::string&) { return ""; }, "it is no JSON (at byte 1)"},
      {[](const std::string&) { return std::string("\0\0\0\0", 4); }, "it is no JSON (at byte 1)"},
      {[](const std::string& text) { return text.substr(0, text.size() / 2); }, "it is no JSON"},
      {[](const std::string&) { return "[]"; }, "it is no JSON object"},
      {[](const std::string&) { return "{}"; }, "key 'version' is missing"},
      {with_key("version", 99), "it was written by a newer wafers (format 99)"},
      {with_key("version", "1"), "key 'version' is no number in range"},
      {with_key("name", "b"), "its record is that of 'b'"},
      {with_key("base_repo", "relative"), "key 'base_repo' is no absolute path"},
      {with_key("backend", "floppy"), "key 'backend' has the unknown value 'floppy'"},
      {with_key("mount", 7), "it is no JSON object"},
  }));
  INFO(wanted.reason);
  const World world;
  const std::string backend = any_backend();
  world.add("a", backend);
  world.add("b", backend);
  world.inside("a", "echo work > work");
  const std::string good = read_file(record_of(world, "a"));
  write_file(record_of(world, "a"), wanted.spoil(good));

  const json invalid = world.json({"ls"})["invalid_entries"];
  REQUIRE(invalid.size() == 1);
  CHECK_THAT(invalid[0]["reason"].get<std::string>(), Catch::Matchers::StartsWith(wanted.reason));
  CHECK_THAT(world.wafers({"ls"}).err, Contains("invalid entry '" + (world / "state/a").native()));
  const std::string before = world.everything();
  const std::string message =
      "wafers: cannot read the record of wafer 'a': " + invalid[0]["reason"].get<std::string>() +
      "\nhint: 'wafers rm --force a' removes it and all that its view held\n";
  for (const Words& command : {Words{"exec", "a", "--", "true"}, Words{"shell", "a"},
                               Words{"mount", "a"}, Words{"umount", "a"}, Words{"git-status", "a"},
                               Words{"git-diff", "a"}, Words{"git-commit", "a", "-m", "x"}}) {
    INFO(command.front());
    const RunResult result = world.wafers(command);
    CHECK(result.status == (command.front() == "exec" || command.front() == "shell" ? 125 : 1));
    CHECK(result.err == message);
  }
  CHECK(world.wafers({"add", "a"}).status == 1);
  CHECK(world.wafers({"rm", "a"}).status == 3);
  CHECK(changes(before, world.everything()) == "");
  CHECK(world.inside("b", "cat README") == "base\n");

  SECTION("put back, it works again") {
    write_file(record_of(world, "a"), good);
    CHECK(world.inside("a", "cat work") == "work\n");
  }
  SECTION("removed by force, nothing is left") {
    world.wafers_ok({"rm", "--force", "a"});
    CHECK_FALSE(fs::exists(world / "state/a"));
    CHECK_THAT(world.everything(), !Contains("wafers:a:"));
  }
}

TEST_CASE("entries of the state directory that are nobody's") {
  const World world;
  world.add("a", any_backend());
  write_file(world / "state/a-file", "x");
  write_file(world / "state/bad name/x", "x");
  fs::create_directory_symlink(world / "base", world / "state/link");
  write_file(world / "state/.hidden", "x");
  REQUIRE(::mkfifo((world / "state/fifo").c_str(), 0600) == 0);
  write_file(world / "state/piped/x", "x");
  REQUIRE(::mkfifo((world / "state/piped/metadata").c_str(), 0600) == 0);
  std::vector<std::pair<std::string, std::string>> found;
  const json listing = world.json({"ls"});
  for (const json& entry : listing["invalid_entries"]) {
    found.emplace_back(entry["name"], entry["reason"]);
  }
  const std::vector<std::pair<std::string, std::string>> wanted{
      {"a-file", "it is no directory"},
      {"bad name", "no wafer can have this name"},
      {"fifo", "it is no directory"},
      {"link", "it is no directory"},
      {"piped", "its record is no regular file"}};
  CHECK(found == wanted);
  for (const auto& [name, reason] : wanted) {
    CHECK(world.wafers({"rm", name}).status == 3);
    world.wafers_ok({"rm", "--force", name});
    CHECK_FALSE(fs::exists(fs::symlink_status(world.state() / name)));
  }
  CHECK(fs::exists(world / "base/README"));
  CHECK(fs::exists(world / "state/.hidden"));
}

TEST_CASE("a killed rm is finished by the next") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend, {"--at", (world / "views/a").native()});
  world.inside("a", "echo work > work");
  world.wafers_ok({"umount", "a"});
  edit_record(world, "a", [](json& record) { record["stage"] = "removing"; });
  CHECK(world.listed("a")["status"] == "broken");
  CHECK_THAT(world.wafers({"ls"}).err, Contains("it is not completely removed"));
  CHECK_THAT(world.wafers({"exec", "a", "--", "true"}).err, Contains("is only half removed"));
  SECTION("with nothing done yet") {}
  SECTION("with the mountpoint and the upper gone") {
    test::remove_tree(world / "views");
    test::remove_tree(world / "state/a/upper");
  }
  world.wafers_ok({"rm", "a"});
  CHECK_FALSE(fs::exists(world / "state/a"));
  CHECK_FALSE(fs::exists(world / "views"));
}

TEST_CASE("a thousand wafers") {
  constexpr int kMany = 1000;
  const World world;
  world.add("first", any_backend());
  const json record = json::parse(read_file(record_of(world, "first")));
  for (int i = 0; i < kMany; ++i) {
    const std::string name = "n" + std::to_string(i);
    json copy = record;
    copy["name"] = name;
    copy["branch"] = "wafers/" + name;
    copy["mountpoint"] = (world / "state" / name / "mnt").native();
    copy["mount"] = nullptr;
    write_file(record_of(world, name), copy.dump());
    fs::create_directories(world / "state" / name / "upper");
  }
  const json wafers = world.json({"ls"})["wafers"];
  REQUIRE(wafers.size() == kMany + 1);
  CHECK(std::ranges::is_sorted(wafers, {},
                               [](const json& wafer) -> std::string { return wafer["name"]; }));
  CHECK(wafers[0]["status"] == "mounted");
  CHECK(wafers[1]["status"] == "unmounted");
  world.wafers_ok({"rm", "first"});
  test::remove_tree(world.state());
}

}  // namespace
}  // namespace wafers::test
