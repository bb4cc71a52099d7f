#include <sys/types.h>

#include <csignal>

#include "base/text.h"
#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// Starts a command in the background of a wafer, behind `before`. When this returns its pid, it
/// has a command line of its own: until it executes, a forked shell has its parent's.
std::string start(const World& world, const std::string& name, const std::string& command,
                  const std::string& before = ":") {
  return std::string(trimmed(world.inside(
      name, before + "; " + command +
                " >/dev/null 2>&1 & until ! cmp -s /proc/$$/cmdline /proc/$!/cmdline; do :; done; "
                "echo $!")));
}

TEST_CASE("rm protects work that is not committed") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend, {"--at", (world / "view").native()});
  world.inside("a", "echo 2 > README; echo x > new; rm src/old.c; touch built.o");
  const std::string wanted =
      "wafers: wafer 'a' holds work that is not committed:\n   M README\n   D src/old.c\n  ?? new\n"
      "hint: commit it with 'wafers git-commit a', or let 'wafers rm --force a' keep it in a "
      "commit\n";
  for (const bool mounted : {true, false}) {
    if (!mounted) world.wafers_ok({"umount", "a"});
    const RunResult refused = world.wafers({"rm", "a"});
    CHECK(refused.status == 3);
    CHECK(refused.err == wanted);
    CHECK(world.listed("a")["status"] == (mounted ? "mounted" : "unmounted"));
  }
  CHECK(world.inside("a", "cat new") == "x\n");
  world.wafers_ok({"rm", "--force", "a"});
  CHECK_FALSE(fs::exists(world / "state/a"));
  CHECK_FALSE(fs::exists(world / "view"));
}

TEST_CASE("ignored files are no work") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "touch built.o; echo x >> README; git diff --no-index README README");
  world.inside("a", "echo base > README");
  world.wafers_ok({"rm", "a"});
}

TEST_CASE("rm leaves those inside alone, or ends them") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  const std::string line = "\n  " + start(world, "a", "sleep 1000") + " sleep 1000\n";
  const RunResult umount = world.wafers({"umount", "a"});
  CHECK(umount.status == 4);
  CHECK_THAT(umount.err, Contains(line));
  const RunResult refused = world.wafers({"rm", "a"});
  CHECK(refused.status == 4);
  CHECK_THAT(refused.err, Contains("processes are inside wafer 'a':" + line));
  CHECK(world.json({"rm", "a"})["error"]["kind"] == "busy");
  CHECK(world.wafers({"rm", "--force", "a"}).status == 4);
  CHECK(world.inside("a", "cat README") == "base\n");
  CHECK(world.json({"rm", "a", "--kill"})["removed"] == nlohmann::json{"a"});
  CHECK_FALSE(fs::exists(world / "state/a"));
}

TEST_CASE("a background server that is left inside is named with what it is and how to end it") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  // It is by its name that one is known.
  const std::string pid =
      start(world, "a", "./gpg-agent 1000", "cp \"$(command -v sleep)\" ./gpg-agent");
  const std::string words(150, 'x');
  const std::string other = start(world, "a", "sh -c 'sleep 1000; : " + words + "'");
  for (const auto& command : {Words{"umount", "a"}, Words{"rm", "--force", "a"}}) {
    const RunResult refused = world.wafers(command);
    CHECK(refused.status == 4);
    CHECK_THAT(refused.err, Contains("\n  " + pid +
                                     " ./gpg-agent 1000\n    (keeps keys for gpg; end it with: "
                                     "gpgconf --kill gpg-agent)\n"));
    const std::string line = "sh -c sleep 1000; : " + words;
    CHECK_THAT(refused.err, Contains("\n  " + other + " " + line.substr(0, 97) + "...\n"));
  }
  world.wafers_ok({"rm", "--force", "--kill", "a"});
}

TEST_CASE("who is inside and has gone elsewhere keeps a namespace's view mounted") {
  const World world;
  world.add("a", "namespace");
  const std::string line = "\n  " + start(world, "a", "sleep 1000", "cd /") + " sleep 1000\n";
  const RunResult umount = world.wafers({"umount", "a"});
  CHECK(umount.status == 4);
  CHECK_THAT(umount.err, Contains(line));
  CHECK(world.wafers({"rm", "--force", "a"}).status == 4);
  world.wafers_ok({"rm", "--kill", "a"});
}

TEST_CASE("rm leaves those alone who have the view in a mount namespace of their own") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  // The kernel doesn't count them as users of what is mounted here.
  const std::string pid = world.inside(
      "a", "{ unshare -Um sh -c 'echo $$; exec sleep 1000 >/dev/null 2>&1' & } | head -n 1");
  REQUIRE(pid.ends_with('\n'));
  const std::string line = "\n  " + pid.substr(0, pid.size() - 1) + " ";
  for (const auto& options : {Words{"rm", "a"}, Words{"rm", "--force", "a"}}) {
    const RunResult refused = world.wafers(options);
    CHECK(refused.status == 4);
    CHECK_THAT(refused.err, Contains(line));
  }
  CHECK(world.listed("a")["status"] == "mounted");
  world.wafers_ok({"rm", "--kill", "a"});
  CHECK_FALSE(fs::exists(world / "state/a"));
}

TEST_CASE("whoever is in one of many wafers keeps that one, and no other") {
  const World world;
  std::vector<std::string> names;
  for (char name = 'a'; name < 'm'; ++name) {
    names.emplace_back(1, name);
    world.add(names.back(), "namespace");
  }
  start(world, "c", "sleep 1000", "cd /");
  world.inside("f",
               "cd /; { unshare -Um sh -c 'echo $$; exec sleep 1000 >/dev/null 2>&1' & } | "
               "head -n 1");
  const RunResult refused = world.wafers({"rm", "--all"});
  CHECK(refused.status == 4);
  CHECK_THAT(refused.err, Contains("wafer 'c'") && Contains("wafer 'f'"));
  for (const std::string& name : names) {
    const bool busy = name == "c" || name == "f";
    CHECK(fs::exists(world / ("state/" + name)) == busy);
    if (busy) CHECK(world.inside(name, "cat README") == "base\n");
  }
  world.wafers_ok({"rm", "--all", "--kill"});
}

TEST_CASE("work comes before those inside: nobody is ended in vain") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo x > new");
  const pid_t occupant = std::stoi(start(world, "a", "sleep 1000"));
  CHECK(world.wafers({"rm", "--kill", "a"}).status == 3);
  CHECK(::kill(occupant, 0) == 0);
  world.wafers_ok({"rm", "--kill", "--force", "a"});
}

TEST_CASE("rm of several goes on past those that it refuses") {
  const World world;
  world.wafers_ok({"add", "a", "b", "c", "--backend", any_backend()});
  world.inside("b", "echo x > new");
  const RunResult result = world.wafers({"rm", "--all"});
  CHECK(result.status == 3);
  CHECK(result.out ==
        "Removed wafer a (branch wafers/a is kept)\nRemoved wafer c (branch wafers/c is kept)\n");
  CHECK_THAT(result.err, Contains("wafer 'b' holds work"));
  const auto answer = world.json({"rm", "none", "b"});
  CHECK(answer["removed"].empty());
  CHECK(answer["error"]["message"] == "there is no wafer 'none'");
  CHECK(world.wafers_ok({"rm", "--all", "--force", "--no-salvage"}) ==
        "Removed wafer b (branch wafers/b is kept)\n");
  CHECK(world.wafers({"rm", "--all"}).status == 0);
}

TEST_CASE("what an agent leaves behind is removed, however odd") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  write_file(world / "precious", "x");
  world.add("a", backend);
  world.inside(
      "a",
      "mkdir -p d/e; touch d/e/f; chmod 000 d/e; chmod 500 d; ln -s ../../../../precious l;"
      "ln -s / root; mkfifo p; touch \"$(printf 'n\\nl')\"; mkdir r; touch r/x; chmod 0 r");
  world.wafers_ok({"rm", "--force", "--no-salvage", "a"});
  CHECK_FALSE(fs::exists(world / "state/a"));
  CHECK(read_file(world / "precious") == "x");
}

TEST_CASE("files written into an unmounted mountpoint are work too") {
  const std::string backend = GENERATE(from_range(working_backends()));
  if (backend == "namespace") return;  // nobody can write there
  INFO("backend " << backend);
  const World world;
  world.add("a", backend, {"--at", (world / "view").native()});
  world.wafers_ok({"umount", "a"});
  write_file(world / "view/lost", "x");
  CHECK(world.wafers({"rm", "a"}).status == 3);
  CHECK(world.wafers({"mount", "a"}).status == 3);
  const RunResult removed = world.wafers({"rm", "--force", "a"});
  CHECK(removed.status == 0);
  CHECK_THAT(removed.err, Contains("is left: it holds files"));
  CHECK(read_file(world / "view/lost") == "x");
}

TEST_CASE("a wafer that a killed add left half made can be removed") {
  const World world;
  world.add("a", any_backend());
  const auto file = world / "state/a/metadata";
  auto record = nlohmann::json::parse(read_file(file));
  record["stage"] = "adding";
  write_file(file, record.dump());
  CHECK(world.listed("a")["status"] == "broken");
  CHECK(world.wafers({"exec", "a", "--", "true"}).status == 125);
  CHECK(world.wafers({"git-commit", "a", "-m", "x"}).status == 1);
  world.wafers_ok({"rm", "a"});
  CHECK_FALSE(fs::exists(world / "state/a"));
}

TEST_CASE("a wafer whose base is gone is removed by force only") {
  const World world;
  world.add("a", any_backend());
  world.wafers_ok({"umount", "a"});
  fs::rename(world / "base", world / "elsewhere");
  const RunOptions here{.cwd = world / ".", .environment = {}, .input = {}};
  CHECK(world.wafers({"rm", "a"}, here).status == 3);
  CHECK(world.wafers({"rm", "--force", "a"}, here).status == 0);  // nothing was done in it
  fs::rename(world / "elsewhere", world / "base");
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README");
  world.wafers_ok({"umount", "a"});
  fs::rename(world / "base", world / "elsewhere");
  CHECK(world.wafers({"rm", "--force", "a"}, here).status == 3);
  CHECK(world.wafers({"rm", "--force", "--no-salvage", "a"}, here).status == 0);
  fs::rename(world / "elsewhere", world / "base");
}

}  // namespace
}  // namespace wafers::test
