// Whoever works in a wafer can write its record. What that says reaches nothing outside, and hurts
// no other wafer.

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <sstream>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path record_of(const World& world, const std::string& name) {
  return world.state() / name / "metadata";
}

void edit_record(const World& world, const std::string& name,
                 const std::function<void(json&)>& edit) {
  json record = json::parse(read_file(record_of(world, name)));
  edit(record);
  write_file(record_of(world, name), record.dump());
}

/// Nothing is done with the wafer `a`, whose record can't be believed, and the others are as ever.
void check_invalid(const World& world) {
  const json listing = world.json({"ls"});
  REQUIRE(listing["invalid_entries"].size() == 1);
  CHECK(listing["invalid_entries"][0]["name"] == "a");
  REQUIRE(listing["wafers"].size() == 1);
  CHECK(listing["wafers"][0]["name"] == "other");
  for (const Words& words : {Words{"git-commit", "a", "-m", "x"}, Words{"git-status", "a"},
                             Words{"mount", "a"}, Words{"umount", "a"}}) {
    CAPTURE(words.front());
    CHECK(world.wafers(words).status == 1);
  }
  CHECK(world.wafers({"exec", "a", "--", "true"}).status == 125);
  CHECK(world.wafers({"rm", "a"}).status == 3);
  CHECK(world.wafers({"git-status", "other"}).ok());
}

TEST_CASE("a record that no command has written is invalid") {
  const World world;
  world.add("a", any_backend());
  world.add("other", any_backend());
  world.inside("a", "echo work > work");
  world.wafers_ok({"umount", "a"});
  const std::string tip = world.base().git({"rev-parse", "HEAD"});
  write_file(world / "outside", tip);
  const std::string good = read_file(record_of(world, "a"));
  const std::string refs = world.base().git({"for-each-ref"});
  const std::vector<std::function<void(json&)>> forgeries{
      [](json& record) { record["branch"] = "../../../../outside"; },
      [](json& record) { record["branch"] = "../../HEAD"; },
      [](json& record) { record["branch"] = "../tags/v1"; },
      [](json& record) { record["last_commit"] = "--exec=x"; },
      [](json& record) { record["base_repo"] = "base"; },
      [](json& record) { record["mountpoint"] = "/"; },
      [&](json& record) { record["mountpoint"] = world / "state/other/mnt"; },
      [](json& record) { record["mountpoint_parents"] = {"src"}; },
      [](json& record) { record["mountpoint_mode"] = -1; },
      [](json& record) { record["mount"] = "x"; },
      [](json& record) { record["name"] = "other"; },
  };
  for (const auto& forge : forgeries) {
    write_file(record_of(world, "a"), good);
    edit_record(world, "a", forge);
    CAPTURE(read_file(record_of(world, "a")));
    check_invalid(world);
  }
  for (const std::string& document :
       {std::string("{\"version\":1e999}"), std::string(200'000, '['), std::string("[1]"),
        std::string("{\"version\": 1, \"later\": ") + std::string(100'000, '[') +
            std::string(100'000, ']') + "}"}) {
    write_file(record_of(world, "a"), document);
    CAPTURE(document.substr(0, 40));
    check_invalid(world);
  }
  fs::resize_file(record_of(world, "a"), std::uintmax_t{60} << 30U);
  check_invalid(world);
  CHECK(world.base().git({"for-each-ref"}) == refs);
  CHECK(read_file(world / "outside") == tip);
  world.add("third", any_backend());
  world.wafers_ok({"rm", "third"});
  world.wafers_ok({"rm", "--force", "a"});
  CHECK_FALSE(fs::exists(world.state() / "a"));
}

TEST_CASE("whatever lies where a record is to be written, it is written beside it") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo work > work");
  write_file(world / "precious", "precious");
  const fs::path in_the_way = world.state() / "a/metadata.new";
  SECTION("a fifo") { REQUIRE(::mkfifo(in_the_way.c_str(), 0600) == 0); }
  SECTION("a hard link") { fs::create_hard_link(world / "precious", in_the_way); }
  SECTION("a directory") { write_file(in_the_way / "file", "x"); }
  world.wafers_ok({"git-commit", "a", "-m", "work"});
  world.wafers_ok({"umount", "a"});
  CHECK(read_file(world / "precious") == "precious");
  CHECK(world.base().git({"show", "wafers/a:work"}) == "work\n");
  world.wafers_ok({"rm", "a"});
}

/// "pid" and "start_ticks" of a process, as a record has them.
json process_id(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream rest(stat.substr(stat.rfind(')') + 2));
  std::string field;
  for (int i = 3; i <= 22; ++i) rest >> field;
  return {{"pid", pid}, {"start_ticks", std::stoull(field)}};
}

/// A process of the caller's, and no business of wafers.
class Bystander {
 public:
  explicit Bystander(const fs::path& program) : pid_(::fork()) {
    if (pid_ > 0) return;
    ::setsid();
    ::execl(program.c_str(), program.c_str(), "1000", nullptr);
    ::_exit(127);
  }
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;
  ~Bystander() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  bool alive() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  pid_t pid_;
};

std::uint64_t inode_of(const fs::path& path) {
  struct stat stat {};
  REQUIRE(::stat(path.c_str(), &stat) == 0);
  return stat.st_ino;
}

TEST_CASE("a process that a record names is not ended for that") {
  const std::string backend = GENERATE(from_range(working_backends()));
  // By name a holder or a server, as far as anybody can tell.
  const std::string name = GENERATE("sleep", "wafers-holder", "fuse-overlayfs");
  CAPTURE(backend, name);
  const World world;
  world.add("a", backend);
  world.inside("a", "echo work > work");
  world.wafers_ok({"umount", "a"});
  fs::copy("/usr/bin/sleep", world / name);
  const Bystander bystander(world / name);
  struct stat top {};
  REQUIRE(::stat((world / ".").c_str(), &top) == 0);
  fs::create_directory(world / "mine");
  const bool real_device = GENERATE(true, false);
  const auto forge = [&] {
    edit_record(world, "a", [&](json& record) {
      const std::string boot = read_file("/proc/sys/kernel/random/boot_id");
      record["mount"] = {{"boot_id", boot.substr(0, boot.find('\n'))},
                         {"process", process_id(bystander.pid())},
                         {"user_ns", inode_of("/proc/self/ns/user")},
                         {"mnt_ns", inode_of("/proc/self/ns/mnt")},
                         {"device", real_device ? json(top.st_dev) : json(1)}};
      record["mountpoint"] = (world / "mine").native();
      record["mountpoint_made"] = true;
      record["mountpoint_mode"] = 0777;
    });
    REQUIRE(::chmod((world / "mine").c_str(), 0700) == 0);
  };
  for (const Words& words : {Words{"umount", "a"}, Words{"mount", "a"}, Words{"git-status", "a"},
                             Words{"rm", "--kill", "--force", "a"}}) {
    CAPTURE(words);
    forge();
    world.wafers(words);
    CHECK(bystander.alive());
    struct stat mine {};
    REQUIRE(::stat((world / "mine").c_str(), &mine) == 0);
    CHECK((mine.st_mode & 07777U) == 0700);
  }
  CHECK_FALSE(fs::exists(world.state() / "a"));
}

TEST_CASE("the holder of another wafer is left alone") {
  if (std::ranges::find(working_backends(), "namespace") == working_backends().end()) return;
  const World world;
  world.add("a", "namespace");
  world.add("other", "namespace");
  world.wafers_ok({"umount", "a"});
  const json other = json::parse(read_file(record_of(world, "other")));
  const bool same_place = GENERATE(true, false);
  edit_record(world, "a", [&](json& record) {
    record["mount"] = other["mount"];
    if (!same_place) record["mount"]["device"] = 1;
  });
  const pid_t holder = other["mount"]["process"]["pid"];
  for (const Words& words : {Words{"umount", "a"}, Words{"rm", "--kill", "--force", "a"}}) {
    world.wafers(words);
    CHECK(::kill(holder, 0) == 0);
  }
  CHECK(world.listed("other")["holder_pid"] == holder);
}

TEST_CASE("whom a record takes for its holder is no less inside of another wafer") {
  if (std::ranges::find(working_backends(), "namespace") == working_backends().end()) return;
  const World world;
  for (char name = 'a'; name < 'm'; ++name) world.add(std::string(1, name), "namespace");
  fs::copy("/usr/bin/sleep", world / "wafers-holder");
  const std::string occupant =
      world.inside("c", "cd /; '" + (world / "wafers-holder").native() +
                            "' 1000 >/dev/null 2>&1 & "
                            "until grep -qx wafers-holder /proc/$!/comm; do :; done; echo $!");
  const pid_t pid = std::stoi(occupant);
  const json mount = json::parse(read_file(record_of(world, "c")))["mount"];
  edit_record(world, "d", [&](json& record) {
    record["mount"] = mount;
    record["mount"]["process"] = process_id(pid);
  });
  const RunResult refused = world.wafers({"rm", "--all"});
  CHECK(refused.status == 4);
  CHECK_THAT(refused.err, Catch::Matchers::Contains("wafer 'c'"));
  CHECK(::kill(pid, 0) == 0);
  CHECK(world.inside("c", "cat README") == "base\n");
  CHECK_FALSE(fs::exists(world.state() / "d"));
  world.wafers_ok({"rm", "--all", "--kill"});
}

TEST_CASE("an upper or work directory that is a symlink is not mounted") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const std::string layer = GENERATE("upper", "work");
  CAPTURE(backend, layer);
  const World world;
  world.add("a", backend);
  world.wafers_ok({"umount", "a"});
  write_file(world / "foreign/work/precious", "precious");
  fs::rename(world.state() / "a" / layer, world / "moved");
  fs::create_directory_symlink(world / "foreign", world.state() / "a" / layer);
  CHECK(world.wafers({"exec", "a", "--", "sh", "-c", "echo x > new"}).status == 125);
  CHECK(read_file(world / "foreign/work/precious") == "precious");
  CHECK_FALSE(fs::exists(world / "foreign/new"));
  CHECK(std::distance(fs::directory_iterator(world / "foreign"), {}) == 1);
  world.wafers_ok({"rm", "--force", "--no-salvage", "a"});
  CHECK(read_file(world / "foreign/work/precious") == "precious");
}

}  // namespace
}  // namespace wafers::test
