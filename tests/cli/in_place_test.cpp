// `add --in-place`: inside, the view is at the checkout's own path.

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/world.h"
#include "support/catch.h"
#include "support/process.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

void add_in_place(const World& world, const std::string& name, Words more = {}) {
  more.emplace_back("--in-place");
  world.add(name, "namespace", more);
}

/// The file of the wafer's state in which its checkout is covered.
fs::path reached(const World& world) { return world.state() / ".covered/checkout"; }

std::string path_of(const World& world) { return (world / "base").native(); }

/// A script inside with the base as $B, the program as $W, and where the base is reached as $R.
RunResult run_inside(const World& world, const std::string& name, const std::string& script) {
  return world.wafers(
      {"exec", name, "--env", "B=" + path_of(world), "--env", std::string("W=") + WAFERS_PROGRAM,
       "--env", "R=" + reached(world).native(), "--", "sh", "-euc", script},
      {.cwd = world / "", .environment = {}, .input = {}});
}

std::string inside_ok(const World& world, const std::string& name, const std::string& script) {
  const RunResult result = run_inside(world, name, script);
  INFO(script << "\n" << result.err);
  REQUIRE(result.ok());
  return result.out;
}

/// Asks /proc until the process, which was sent a signal, has ended.
void wait_until_gone(pid_t pid) {
  run_script("while kill -0 " + std::to_string(pid) + " 2> /dev/null; do sleep 0.01; done");
}

/// HEAD, index, files and refs but those of wafers.
std::string checkout_of(const World& world) {
  return world.in_base(
      "find . -path ./.git/objects -prune -o -path '*wafers*' -prune -o -path ./.git/logs -prune "
      "-o "
      "-type f -print0 | sort -z | xargs -0 sha1sum; find . -path ./.git -prune -o -print | sort; "
      "git status --short");
}

TEST_CASE("inside, the checkout's absolute path is the view, over either kind of base") {
  const std::string kind = GENERATE("--live", "--frozen");
  INFO(kind);
  const World world;
  const std::string before = checkout_of(world);
  add_in_place(world, "a", {kind});
  CHECK(inside_ok(world, "a", "echo $PWD; pwd -P; echo $WAFERS_ROOT; cat $B/README $B/ignored.o") ==
        path_of(world) + "\n" + path_of(world) + "\n" + path_of(world) + "\nbase\nobject\n");
  inside_ok(world, "a",
            "echo inside > $B/README; echo n > $B/src/new; rm $B/src/old.c; "
            "mkdir $B/d; mv $B/src/main.c $B/d; test ! -e $B/.git; test ! -e $B/.git/HEAD");
  CHECK(checkout_of(world) == before);
  // One view, at whatever place of it.
  const std::string mountpoint = world.listed("a")["mountpoint"];
  CHECK(inside_ok(world, "a", "cat " + mountpoint + "/README") == "inside\n");
  CHECK(read_file(fs::path(std::string(world.listed("a")["host_path"])) / "README") == "inside\n");
  CHECK(read_file(world / "base/README") == "base\n");
  CHECK(world.wafers_ok({"git-status", "a", "-s"}) ==
        " M README\n D src/main.c\n D src/old.c\n?? d/\n?? src/new\n");
  CHECK(world.listed("a")["in_place"] == true);
  CHECK(world.listed("a")["base_repo"] == path_of(world));
  world.wafers_ok({"git-commit", "a", "-m", "work"});
  CHECK(world.base().git({"show", "wafers/a:README"}) == "inside\n");
  CHECK(checkout_of(world) == before);
  world.add("b", "namespace");
  CHECK(world.listed("b")["in_place"] == false);
  CHECK(inside_ok(world, "b", "cat $B/README; echo $WAFERS_ROOT") ==
        "base\n" + std::string(world.listed("b")["mountpoint"]) + "\n");
}

TEST_CASE("each wafer in place sees its own view there") {
  const World world;
  world.wafers_ok({"add", "a", "b", "--backend", "namespace", "--in-place"});
  inside_ok(world, "a", "echo a > $B/README");
  inside_ok(world, "b", "echo b > $B/README");
  CHECK(inside_ok(world, "a", "cat $B/README") == "a\n");
  CHECK(inside_ok(world, "b", "cat $B/README") == "b\n");
  CHECK(read_file(world / "base/README") == "base\n");
}

TEST_CASE("exec from below the checkout starts at the same place in the view") {
  const World world;
  add_in_place(world, "a");
  inside_ok(world, "a", "mkdir src/deep");
  const auto where = [&](const fs::path& cwd, Words more = {}) {
    Words words{"exec", "a"};
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), {"--", "sh", "-c", "pwd -P; echo $PWD; test ! -e .git"});
    return world.wafers_ok(words, {.cwd = cwd, .environment = {}, .input = {}});
  };
  const auto twice = [](const std::string& path) { return path + "\n" + path + "\n"; };
  CHECK(where(world / "base") == twice(path_of(world)));
  CHECK(where(world / "base/src") == twice(path_of(world) + "/src"));
  CHECK(where(world / "") == twice(path_of(world)));
  CHECK(where(world / "base/src", {"--cwd", "src/deep"}) == twice(path_of(world) + "/src/deep"));
  const std::string mountpoint = world.listed("a")["mountpoint"];
  CHECK(where(mountpoint) == twice(path_of(world)));
  // Where the view has no such directory it is an error, and not another place.
  inside_ok(world, "a", "rm -r src");
  const RunResult gone = world.wafers({"exec", "a", "--", "true"},
                                      {.cwd = world / "base/src", .environment = {}, .input = {}});
  CHECK(gone.status == 125);
  CHECK_THAT(gone.err, Contains("cannot change to directory '" + path_of(world) + "/src'"));
}

TEST_CASE("the wafers commands work inside as they do outside") {
  const std::string kind = GENERATE("--live", "--frozen");
  INFO(kind);
  const World world;
  add_in_place(world, "a", {kind});
  inside_ok(world, "a", "echo 1 > README; echo 2 > new");
  const std::string outside =
      "WAFERS_STATE_DIR=" + world.state().native() + " " + WAFERS_PROGRAM + " ";
  for (const std::string command : {"git-status", "git-diff", "git-log", "git-show"}) {
    for (const std::string option : {"", " --stat", " --oneline", " --json"}) {
      INFO(command << option);
      const RunResult wanted = run_script(outside + command + " a" + option);
      const RunResult got = run_inside(world, "a", "$W " + command + option);
      CHECK(got.status == wanted.status);
      CHECK(got.out == wanted.out);
    }
  }
  for (const std::string command :
       {"ls | awk '{ print $1, $2, $3, $4, $5 }'", "ls -q", "overlap", "path a"}) {
    INFO(command);
    CHECK(inside_ok(world, "a", "$W " + command) == world.in_base(outside + command));
  }
  inside_ok(world, "a",
            "$W git-add -- new; $W git-commit -m staged; $W git-commit -m rest; $W doctor > "
            "/dev/null || test $(id -u) = 0");
  CHECK(world.base().git({"log", "--format=%s", "main..wafers/a"}) == "rest\nstaged\n");
  inside_ok(world, "a", "echo 3 > README; $W git-restore -- README; test $(cat README) = 1");
  inside_ok(world, "a",
            "echo 4 > new; $W git-add -- new; $W git-restore --staged -- new; "
            "test \"$($W git-status -s)\" = ' M new'");
  // The record has the names that things have outside.
  const auto listed = nlohmann::json::parse(inside_ok(world, "a", "$W ls --json"))["wafers"][0];
  CHECK(listed["base_repo"] == path_of(world));
  CHECK(listed["base_layers"] == world.listed("a")["base_layers"]);
  CHECK(read_file(world.state() / "a/metadata").find(".covered") == std::string::npos);
  CHECK(world.listed("a")["base_repo"] == path_of(world));
  CHECK(inside_ok(world, "a", "$W exec a -- pwd") == path_of(world) + "\n");
  const RunResult nested = run_inside(world, "a", "$W add b --in-place --backend namespace");
  CHECK(nested.status == 3);
  CHECK_THAT(nested.err, Contains("cannot add a wafer from inside wafer 'a'"));
}

TEST_CASE("what is covered can be reached inside, and but for the repository not be written") {
  const World world;
  const std::string before = checkout_of(world);
  add_in_place(world, "a");
  CHECK(inside_ok(world, "a", "cat $R/README; git -C $R log -1 --format=%s") == "base\nbase\n");
  for (const char* const harm : {"echo x > $R/README", "rm $R/README", "touch $R/new",
                                 "rm $(dirname $R)/place", "chmod 700 $R/src"}) {
    INFO(harm);
    const RunResult result = run_inside(world, "a", harm);
    CHECK(result.status != 0);
    CHECK_THAT(result.err, Contains("Read-only file system"));
  }
  CHECK(checkout_of(world) == before);
  CHECK(run({"ls", "-A", (world.state() / ".covered").native()}).out == "");
}

TEST_CASE("a wafer in place can be unmounted, mounted, renamed, forked, moved on and removed") {
  const std::string kind = GENERATE("--live", "--frozen");
  INFO(kind);
  const World world;
  add_in_place(world, "a", {kind});
  inside_ok(world, "a", "echo 1 > $B/new");
  world.wafers_ok({"umount", "a"});
  CHECK(world.listed("a")["status"] == "unmounted");
  CHECK(inside_ok(world, "a", "cat $B/new") == "1\n");
  world.wafers_ok({"fork", "a", "f"});
  CHECK(world.listed("f")["in_place"] == true);
  CHECK(inside_ok(world, "f", "cat $B/new; pwd") == "1\n" + path_of(world) + "\n");
  world.wafers_ok({"rename", "f", "g"});
  CHECK(inside_ok(world, "g", "cat $B/new; pwd; $W git-status -s") ==
        "1\n" + path_of(world) + "\n?? new\n");
  // The checkout moves.
  world.base().write("README", "moved\n");
  world.base().commit_all("moved");
  CHECK(inside_ok(world, "a", "cat $B/README $B/new") == "base\n1\n");
  CHECK(inside_ok(world, "a", "$W git-status -s") == "?? new\n");
  world.wafers_ok({"git-sync", "a"});
  CHECK(inside_ok(world, "a", "cat $B/README $B/new; pwd") == "moved\n1\n" + path_of(world) + "\n");
  CHECK(read_file(world / "base/README") == "moved\n");
  world.wafers_ok({"rm", "a", "g", "--force", "--no-salvage"});
  CHECK(world.json({"ls"})["wafers"].empty());
  CHECK(world.in_base("git status --short; ls -A") == ".git\n.gitignore\nREADME\nignored.o\nsrc\n");
}

TEST_CASE("whoever is at the checkout's path inside keeps the view busy, and it stays whole") {
  const World world;
  add_in_place(world, "a");
  const pid_t pid = start_inside(world, "a");
  CHECK(world.wafers({"umount", "a"}).status == 4);
  CHECK(world.wafers({"rm", "a"}).status == 4);
  CHECK(inside_ok(world, "a", "echo 1 > $B/new; cat $R/README") == "base\n");
  kill_and_wait(pid);
  // From outside it is a file that is open there, by whichever place of the view.
  const nlohmann::json listed = world.listed("a");
  const std::string root = "/proc/" + std::to_string(int(listed["holder_pid"])) + "/root";
  for (const std::string& top : {root + path_of(world), root + std::string(listed["mountpoint"]),
                                 std::string(listed["host_path"])}) {
    INFO(top);
    const RunResult busy =
        run_script("exec 3< " + top + "/README; status=0; " + WAFERS_PROGRAM +
                       " umount a || status=$?; "
                       "test $status = 4",
                   {.cwd = world / "base",
                    .environment = {"WAFERS_STATE_DIR=" + world.state().native()},
                    .input = {}});
    CHECK(busy.ok());
    CHECK(inside_ok(world, "a", "cat $B/new") == "1\n");
    CHECK(world.listed("a")["host_path"] == listed["host_path"]);
  }
  world.wafers_ok({"umount", "a"});
}

TEST_CASE("a killed or ended holder takes the place away, and the next exec brings it back") {
  const int signal = GENERATE(SIGKILL, SIGTERM);
  INFO(signal);
  const World world;
  add_in_place(world, "a");
  inside_ok(world, "a", "echo 1 > $B/new");
  const pid_t holder = world.listed("a")["holder_pid"];
  REQUIRE(::kill(holder, signal) == 0);
  wait_until_gone(holder);
  CHECK(inside_ok(world, "a", "cat $B/new; pwd") == "1\n" + path_of(world) + "\n");
  CHECK(read_file(world / "base/README") == "base\n");
}

TEST_CASE("where no view can be in place, add says why and makes nothing") {
  const World world;
  const std::string base = path_of(world);
  const RunOptions home{.cwd = {}, .environment = {"HOME=" + base}, .input = {}};
  const std::string no_view = "wafers: no view can be in the place of '{top}/base': ";
  check_refused(world,
                {{"add", "a", "--in-place", "--backend", "namespace"},
                 3,
                 no_view + "it is your home directory\nhint: leave out --in-place\n"},
                home);
  const RunOptions below{.cwd = {}, .environment = {"HOME=" + base + "/src"}, .input = {}};
  check_refused(world,
                {{"add", "a", "--in-place", "--backend", "namespace"},
                 3,
                 no_view + "it holds your home directory\nhint: leave out --in-place\n"},
                below);
  for (const char* const backend : {"fuse", "host"}) {
    check_refused(world, {{"add", "a", "--in-place", "--backend", backend},
                          5,
                          "wafers: --in-place needs the backend 'namespace', and not '" +
                              std::string(backend) +
                              "': elsewhere the view would cover the checkout for everybody\n"
                              "hint: --backend namespace, or leave out --in-place\n"});
  }
  fs::create_symlink(world / "base", world / "link");
  const std::string by_symlink =
      "' leads there by a symlink\nhint: name it by its own path: --from {top}/base\n";
  check_refused(world, {{"add", "a", "--in-place", "--backend", "namespace", "--from",
                         (world / "link/src").native()},
                        3,
                        no_view + "'{top}/link/src" + by_symlink});
  const RunOptions stands{
      .cwd = world / "link", .environment = {"PWD=" + (world / "link").native()}, .input = {}};
  check_refused(world,
                {{"add", "a", "--in-place", "--backend", "namespace"},
                 3,
                 no_view + "'{top}/link" + by_symlink},
                stands);
  fs::create_directory(world / "base/state");
  world.base().write(".gitignore", "*.o\nstate/\n");
  world.base().commit_all();
  const RunOptions state{
      .cwd = {}, .environment = {"WAFERS_STATE_DIR=" + base + "/state"}, .input = {}};
  for (const char* const kind : {"--live", "--frozen"}) {
    const RunResult result =
        world.wafers({"add", "a", "--in-place", "--backend", "namespace", kind}, state);
    CHECK(result.status == 3);
    CHECK_THAT(result.err,
               Contains("the state directory '" + base + "/state' lies inside the base"));
    CHECK(fs::is_empty(world / "base/state"));
  }
}

TEST_CASE("a mount below the checkout is refused, whatever the base") {
  const std::string kind = GENERATE("--live", "--frozen");
  INFO(kind);
  const World world;
  world.base().write("modules/installed", "hidden\n");
  world.base().write(".gitignore", "*.o\nmodules/\n");
  world.base().commit_all();
  Words argv{"unshare", "--mount"};
  if (::geteuid() != 0) argv.insert(argv.end(), {"--user", "--map-current-user", "--keep-caps"});
  argv.insert(argv.end(), {"sh", "-c",
                           "mount -t tmpfs below modules && exec setpriv --inh-caps=-all "
                           "--ambient-caps=-all \"$0\" add a --in-place --backend namespace \"$1\"",
                           WAFERS_PROGRAM, kind});
  const RunResult result =
      run(argv, {.cwd = world / "base",
                 .environment = {"WAFERS_STATE_DIR=" + world.state().native(), "WAFERS_NAME"},
                 .input = {}});
  CHECK(result.status == 3);
  CHECK(world.shortened(result.err) ==
        "wafers: no view can be in the place of '{top}/base': 'modules' of the base is a mount of "
        "its own (tmpfs)\nhint: unmount it (umount {top}/base/modules), or leave out --in-place\n");
  CHECK_FALSE(fs::exists(world.state()));
}

TEST_CASE("where auto takes another backend than namespace, in place is refused, too") {
  if (any_backend() == "namespace" && ::geteuid() != 0) return;
  const World world;
  const RunResult result = world.wafers({"add", "a", "--in-place"});
  CHECK(result.status == 5);
  CHECK_THAT(result.err, Contains("--in-place needs the backend 'namespace'"));
  CHECK_FALSE(fs::exists(world.state()));
}

TEST_CASE("a linked worktree can be the place, and its repository stays where it is") {
  const World world;
  world.base().git({"worktree", "add", "-q", "-b", "side", (world / "side").native()});
  world.wafers_ok(
      {"add", "a", "--in-place", "--backend", "namespace", "--from", (world / "side").native()});
  const std::string told =
      inside_ok(world, "a",
                "pwd; echo 1 > $PWD/new; test ! -e .git; $W -q git-commit -m new; "
                "git -C $B log -1 --format=%s wafers/a; cat $B/README");
  CHECK(told == (world / "side").native() + "\nnew\nbase\n");
  CHECK_FALSE(fs::exists(world / "side/new"));
}

TEST_CASE("hooks run in the view at its place, from outside and from inside") {
  const World world;
  const std::string hook =
      "#!/bin/sh\nset -eu\npwd -P > hooked\ngit diff --cached --name-only >> hooked\n"
      "git rev-parse --show-toplevel HEAD >> hooked\ngit add hooked\n";
  const std::string place = GENERATE(as<std::string>{}, "", "hooks", "/hooks");
  INFO("core.hooksPath " << place);
  const fs::path file = world / "base" / (place.empty() ? ".git/hooks" : "hooks") / "pre-commit";
  write_file(file, hook);
  fs::permissions(file, fs::perms::owner_all);
  if (!place.empty()) {
    world.base().commit_all();
    world.base().git(
        {"config", "core.hooksPath", place.starts_with('/') ? path_of(world) + place : place});
  }
  world.base().git({"config", "wafers.verify", "true"});
  add_in_place(world, "a");
  const std::string tip = world.base().head();
  const std::string wanted = path_of(world) + "\nnew\n" + path_of(world) + "\n";
  inside_ok(world, "a", "echo 1 > new");
  if (GENERATE(true, false)) {
    world.wafers_ok({"git-commit", "a", "-m", "work"});
  } else {
    inside_ok(world, "a", "$W git-commit -m work");
  }
  CHECK(world.base().git({"show", "wafers/a:hooked"}) == wanted + tip + "\n");
  CHECK_FALSE(fs::exists(world / "base/hooked"));
}

TEST_CASE("run makes its wafer in place as well") {
  const World world;
  world.wafers_ok({"run", "r", "--in-place", "--backend", "namespace", "-m", "work", "--", "sh",
                   "-c", "pwd -P > where"});
  CHECK(world.base().git({"show", "wafers/r:where"}) == path_of(world) + "\n");
  CHECK_FALSE(fs::exists(world / "base/where"));
}

TEST_CASE("skill tells of the place") {
  const World world;
  add_in_place(world, "a");
  world.add("b", "namespace");
  CHECK_THAT(inside_ok(world, "a", "$W skill"),
             Contains("Your view is in place, at `" + path_of(world) + "`"));
  CHECK_THAT(inside_ok(world, "b", "$W skill"), !Contains("Your view is in place"));
  CHECK_THAT(world.wafers_ok({"skill"}), !Contains("Your view is in place"));
}

}  // namespace
}  // namespace wafers::test
