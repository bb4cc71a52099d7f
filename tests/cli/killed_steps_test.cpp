// Commands that are killed as they are about to make one change after the other: what they leave is
// listed as what it is, an ordinary `rm` takes it away, and nothing is left then.

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <sstream>
#include <thread>

#include "cli/world.h"
#include "support/catch.h"
#include "support/process.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

/// Whether wafer `a` is listed. There is no entry that can't be read.
bool is_listed(const World& world) {
  const nlohmann::json listing = world.json({"ls"});
  CHECK(listing["invalid_entries"].empty());
  return std::ranges::any_of(listing["wafers"],
                             [](const auto& wafer) { return wafer["name"] == "a"; });
}

/// What is left of wafer `a` goes without --force, as nobody has worked in it.
void remove_the_rest(const World& world) {
  if (is_listed(world)) world.wafers_ok({"rm", "a"});
  CHECK_FALSE(fs::exists(world / "state/a"));
  // A lock of the branch is in the repository, and no part of the wafer.
  fs::remove(world / "base/.git/refs/heads/wafers/a.lock");
  if (!world.base().git({"branch", "--list", "wafers/a"}).empty()) {
    world.base().git({"branch", "-q", "-D", "wafers/a"});
  }
}

/// Mounts, processes and directories of wafer `a`, and what an interrupted command left in the
/// state after others have come.
std::string left_over(const World& world) {
  world.add("next", any_backend());
  world.wafers_ok({"rm", "next"});
  std::istringstream lines(world.everything());
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    const bool concerns_it = line.find("wafers:a:") != std::string::npos ||
                             line.find("views") != std::string::npos ||
                             line.find("state/a") != std::string::npos ||
                             line.find("state/.adding") != std::string::npos;
    if (concerns_it) found += line + "\n";
  }
  return found;
}

/// Kills the command before its first change, its second, and so on, until it comes to its end.
void with_each_change_killed(const World& world, const Words& command,
                             const std::function<void()>& prepare,
                             const std::function<void()>& check) {
  constexpr int kEndless = 1000;
  for (int n = 1; n < kEndless; ++n) {
    prepare();
    Words words{"change:" + std::to_string(n), WAFERS_PROGRAM};
    words.insert(words.end(), command.begin(), command.end());
    const RunResult result = world.run_program(WAFERS_KILLED_AT, words, {});
    INFO("killed before change " << n << ": " << result.err);
    check();
    if (result.status == 0) continue;
    CHECK(n > 5);  // and they were counted at all
    return;
  }
  FAIL("it never ends");
}

/// Takes away what killed commands have left; false where some of it is there after half a minute.
bool is_swept(const World& world) {
  constexpr int kTries = 300;
  const auto is_there = [&] {
    const fs::directory_iterator entries(world.state());
    return std::any_of(begin(entries), end(entries), [&](const auto& entry) {
      const std::string name = entry.path().filename().native();
      return name.starts_with(".making-") || name.starts_with(".removing-");
    });
  };
  for (int i = 0; i < kTries && is_there(); ++i) {
    world.wafers_ok({"prune"});
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return !is_there();
}

TEST_CASE("add killed at each change") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const std::string place = GENERATE("views/a", "there");
  INFO("backend " << backend << ", at '" << place << "'");
  const World world;
  world.add("kept", backend);
  fs::create_directory(world / "there");
  constexpr fs::perms kMode{0710};
  fs::permissions(world / "there", kMode);
  const Words command{"add", "a", "--backend", backend, "--at", (world / place).native()};
  with_each_change_killed(
      world, command, [] {},
      [&] {
        remove_the_rest(world);
        CHECK_FALSE(fs::exists(world / "views"));
        CHECK(fs::is_empty(world / "there"));
        CHECK(fs::status(world / "there").permissions() == kMode);
      });
  CHECK(left_over(world) == "");
  CHECK(world.listed("kept")["status"] == "mounted");
}

TEST_CASE("add --git killed at each change leaves no worktree registered") {
  const World world;
  with_each_change_killed(
      world, {"add", "a", "--git", "--backend", any_backend()}, [] {},
      [&] {
        const bool is_whole = is_listed(world) && world.listed("a")["status"] == "mounted";
        if (is_whole) CHECK(world.inside("a", "git status --porcelain") == "");
        remove_the_rest(world);
        CHECK_FALSE(fs::exists(world.base() / ".git/worktrees"));
      });
  CHECK(left_over(world) == "");
}

TEST_CASE("git-commit killed at each change: git inside has the old commit or the new one") {
  const World world;
  world.add("a", any_backend(), {"--git"});
  const auto shown = [&] { return world.inside("a", "git status -s; git log -1 --format=%s"); };
  int round = 0;
  std::string before;
  with_each_change_killed(
      world, {"git-commit", "a", "-m", "killed", "--", "README"},
      [&] {
        const std::string content = std::to_string(++round);
        world.inside(
            "a",
            "git rm -q --cached --ignore-unmatch s; git commit -q --allow-empty -m before; echo " +
                content +
                " | tee README > s; "
                "git add s");
        before = world.base().git_line({"rev-parse", "wafers/a"});
      },
      [&] {
        // Git can change its index at once; the next command of wafers goes on where it was killed.
        world.inside("a", "git update-index --assume-unchanged .gitignore");
        world.wafers_ok({"git-status", "a"});
        const bool moved = world.base().git_line({"rev-parse", "wafers/a"}) != before;
        CHECK(shown() == (moved ? "A  s\nkilled\n" : " M README\nA  s\nbefore\n"));
        world.inside("a", "git fsck --connectivity-only; git add README");
      });
}

TEST_CASE("fork killed at each change loses nothing of the source") {
  const std::string backend = any_backend();
  INFO("backend " << backend);
  const World world;
  world.add("kept", backend);
  world.inside("kept", "mkdir d; echo work > d/work; ln d/work d/other; ln -s d link; rm README");
  const std::string before = read_file(world / "state/kept/metadata");
  const Words command{"fork", "kept", "a"};
  const auto shown = [&](const std::string& name) {
    return world.inside(name, "cat d/work d/other; ls -A . d; readlink link");
  };
  const std::string work = shown("kept");
  with_each_change_killed(
      world, command, [] {},
      [&] {
        CHECK(read_file(world / "state/kept/metadata") == before);
        CHECK(shown("kept") == work);
        if (is_listed(world) && world.listed("a")["status"] != "broken") {
          CHECK(shown("a") == work);  // it came to be
          world.wafers_ok({"rm", "--force", "--no-salvage", "a"});
        }
        remove_the_rest(world);
      });
  world.wafers_ok(command);
  CHECK(shown("a") == work);
  world.wafers_ok({"rm", "--force", "--no-salvage", "--delete-branch", "a"});
  CHECK(left_over(world) == "");
}

TEST_CASE("add --with-changes killed at each change leaves the checkout as it is") {
  const World world;
  world.in_base("echo 2 > README; git add README; mkdir d; echo work > d/work; rm src/old.c");
  const auto checkout = [&] {
    return world.in_base("git --no-optional-locks status --porcelain; sha1sum .git/index d/work");
  };
  const std::string before = checkout();
  with_each_change_killed(
      world, {"add", "a", "--with-changes", "--backend", any_backend()}, [] {},
      [&] {
        CHECK(checkout() == before);
        if (is_listed(world) && world.listed("a")["status"] != "broken") {
          CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
                " M README\n D src/old.c\n?? d/\n");
          world.wafers_ok({"rm", "--force", "--no-salvage", "a"});
        }
        remove_the_rest(world);
      });
}

TEST_CASE("mount killed at each change, where the mountpoint has gone") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  with_each_change_killed(
      world, {"mount", "a"},
      [&] {
        fs::create_directories(world / "views/a");
        world.add("a", backend, {"--at", (world / "views/a").native()});
        world.wafers_ok({"umount", "a"});
        test::remove_tree(world / "views");
      },
      [&] {
        REQUIRE(is_listed(world));
        remove_the_rest(world);
        CHECK_FALSE(fs::exists(world / "views"));
      });
  CHECK(left_over(world) == "");
}

TEST_CASE("git-add killed at each change, and what git then takes for garbage") {
  const World world;
  const std::string backend = any_backend();
  int round = 0;
  const auto content = [&] { return "precious " + std::to_string(round); };
  with_each_change_killed(
      world, {"git-add", "a", "--", "."},
      [&] {
        ++round;
        world.add("a", backend);
        // Nothing of the file is looked at but whether it is as it was.
        world.inside("a", "echo '*.bin binary' > .gitattributes; printf '" + content() +
                              "' > w.bin; touch -d 2001-01-01 w.bin");
      },
      [&] {
        world.base().git({"gc", "-q", "--prune=now"});
        world.wafers_ok({"git-commit", "a", "-m", "work"});
        CHECK(world.base().git({"show", "wafers/a:w.bin"}) == content());
        world.base().git({"fsck", "--connectivity-only"});
        remove_the_rest(world);
      });
}

TEST_CASE("rm --force killed at each change loses no work") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  int round = 0;
  const auto content = [&] { return "precious " + std::to_string(round) + "\n"; };
  with_each_change_killed(
      world, {"rm", "--force", "a"},
      [&] {
        ++round;
        world.add("a", backend);
        world.inside("a", "mkdir d; echo 'precious " + std::to_string(round) + "' > d/work");
      },
      [&] {
        if (is_listed(world)) world.wafers_ok({"rm", "--force", "a"});
        std::istringstream refs(
            world.base().git({"for-each-ref", "--format=%(refname)", "refs/wafers/removed/a"}));
        bool kept = false;
        for (std::string ref; std::getline(refs, ref);) {
          kept = kept || world.base().git({"show", ref + ":d/work"}) == content();
          world.base().git({"update-ref", "-d", ref});
        }
        CHECK(kept);
        remove_the_rest(world);
      });
  CHECK(left_over(world) == "");
  // Neither a ref nor a lock.
  std::string entries;
  const fs::path refs = world / "base/.git/refs/wafers";
  for (const auto& entry : fs::recursive_directory_iterator(refs)) {
    if (!entry.is_directory()) entries += entry.path().native() + "\n";
  }
  CHECK(entries == "");
}

TEST_CASE("rm killed at each change") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("kept", backend);
  with_each_change_killed(
      world, {"rm", "a"},
      [&] {
        world.add("a", backend, {"--at", (world / "views/a").native()});
        world.inside("a", "mkdir d; echo work > d/work");
        world.wafers_ok({"git-commit", "a", "-m", "work"});
      },
      [&] {
        remove_the_rest(world);
        CHECK_FALSE(fs::exists(world / "views"));
      });
  CHECK(left_over(world) == "");
  CHECK(world.listed("kept")["status"] == "mounted");
}

TEST_CASE("rename killed at each change leaves the wafer under one of the names") {
  const std::string backend = any_backend();
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  world.inside("a", "echo work > work");
  const auto name_now = [&] { return fs::exists(world.state() / "a") ? "a" : "b"; };
  with_each_change_killed(
      world, {"rename", "a", "b"},
      [&] {
        if (name_now() == std::string("b")) world.wafers_ok({"rename", "b", "a"});
      },
      [&] {
        CHECK(world.json({"ls"})["wafers"].size() == 1);
        CHECK(world.json({"ls"})["invalid_entries"].empty());
        CHECK(world.inside(name_now(), "cat work; echo $WAFERS_NAME") ==
              "work\n" + std::string(name_now()) + "\n");
      });
}

TEST_CASE("freeze killed at each change: what has a snapshot's name is whole") {
  const World world;
  world.base().git({"config", "wafers.freezeIgnored", "all"});
  const std::string files =
      run_ok({"sh", "-euc", "find . -path ./.git -prune -o -type f -printf '%P %s\n' | sort"},
             {.cwd = world.base().path(), .environment = {}, .input = {}});
  with_each_change_killed(
      world, {"freeze"}, [] {},
      [&] {
        if (!fs::exists(world / "state/.bases")) return;
        for (const auto& entry : fs::directory_iterator(world / "state/.bases")) {
          CHECK(run_ok({"sh", "-euc", "find . -type f -printf '%P %s\n' | sort"},
                       {.cwd = entry.path() / "tree", .environment = {}, .input = {}}) == files);
          test::remove_tree(entry.path());
        }
      });
}

TEST_CASE("add --frozen killed at each change leaves nothing half frozen") {
  const World world;
  const std::string files =
      world.in_base("find . -path ./.git -prune -o -type f -printf '%P %s\\n' | sort");
  with_each_change_killed(
      world, {"add", "a", "--frozen", "--backend", any_backend()}, [] {},
      [&] {
        if (is_listed(world) && world.listed("a")["status"] == "mounted") {
          CHECK(world.inside("a",
                             "find . -path ./.git -prune -o -type f -printf '%P %s\\n' | sort") ==
                files);
        }
        remove_the_rest(world);
        world.wafers_ok({"prune"});
        const fs::path layers = world.state() / ".bases";
        CHECK((!fs::exists(layers) || fs::is_empty(layers)));
      });
  CHECK(is_swept(world));
}

TEST_CASE("prune killed at each change takes nothing that a wafer needs") {
  const World world;
  world.add("kept", any_backend(), {"--frozen"});
  world.inside("kept", "echo work > work");
  const std::size_t needed = world.listed("kept")["base_layers"].size();
  int round = 0;
  with_each_change_killed(
      world, {"prune"},
      [&] {
        world.in_base("echo " + std::to_string(++round) + " > f; git add f; git commit -qm f");
        world.wafers_ok({"freeze"});
      },
      [&] {
        CHECK(world.inside("kept", "cat work; ls f || true") == "work\n");
        world.wafers_ok({"prune"});
        const fs::directory_iterator layers(world.state() / ".bases");
        CHECK(static_cast<std::size_t>(std::distance(begin(layers), end(layers))) == needed);
        world.wafers_ok({"umount", "kept"});
        CHECK(world.inside("kept", "cat work; ls f || true") == "work\n");
      });
  CHECK(is_swept(world));
}

TEST_CASE("a base that has moved, and exec killed at each change of healing it") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("a", backend);
  world.inside("a", "echo work > work");
  world.base().git({"tag", "before"});
  world.base().write("README", "moved\n");
  world.base().git({"commit", "-qam", "moved"});
  with_each_change_killed(
      world, {"exec", "a", "--", "true"},
      [&] {
        world.base().git({"reset", "-q", "--hard", "before"});
        world.inside("a", "true");
        world.base().git({"reset", "-q", "--hard", "HEAD@{1}"});
      },
      [&] {
        REQUIRE(is_listed(world));
        CHECK(world.inside("a", "cat README work") ==
              world.base().git({"show", "before:README"}) + "work\n");
        CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == "?? work\n");
      });
}

TEST_CASE("git-sync killed at each change: the wafer is the old one or the new one") {
  const Words with_git = GENERATE(Words{}, Words{"--git"});
  const World world;
  world.in_base("echo one > f; git add f; git commit -qm one; git tag one");
  world.in_base("echo two > f; git commit -qam two; git tag two");
  world.add("a", any_backend(), with_git);
  world.inside("a", "echo committed > committed");
  world.wafers_ok({"git-commit", "a", "-m", "committed"});
  world.inside("a", "mkdir d; echo work > d/work; echo o > ignored.o");
  std::string target = "two";
  const auto require_whole = [&](const std::string& base) {
    CHECK(world.inside("a", "cat f committed d/work ignored.o") == base + "\ncommitted\nwork\no\n");
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == "?? d/\n");
    CHECK(world.base().git({"log", "-2", "--format=%s", "wafers/a"}) ==
          "committed\n" + base + "\n");
    if (with_git.empty()) return;
    CHECK(world.inside("a", "git status -s; git log -2 --format=%s") ==
          "?? d/\ncommitted\n" + base + "\n");
  };
  with_each_change_killed(
      world, {"git-sync", "a"},
      [&] {
        target = target == "one" ? "two" : "one";
        world.base().git({"reset", "-q", "--hard", target});
      },
      [&] {
        const std::string base = world.listed("a")["base_commit"];
        const bool is_two = base + "\n" == world.base().git({"rev-parse", "two"});
        require_whole(is_two ? "two" : "one");
        world.wafers_ok({"git-sync", "a"});
        require_whole(target);
      });
  world.wafers_ok({"rm", "--force", "--no-salvage", "a"});
  CHECK(is_swept(world));
  CHECK(left_over(world) == "");
}

/// As by a command that was killed before it could write that the view is mounted.
void forget_mount(const World& world) {
  const fs::path path = world / "state/a/metadata";
  nlohmann::json record = nlohmann::json::parse(read_file(path));
  record["mount"] = nullptr;
  write_file(path, record.dump());
}

/// Within half a minute.
bool ends(pid_t pid) {
  constexpr int kTries = 3000;
  for (int i = 0; i < kTries && is_running(pid); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return !is_running(pid);
}

TEST_CASE("a holder that no record names ends with its view, wherever a command is killed") {
  const std::string command = GENERATE("umount", "rm");
  INFO(command);
  const World world;
  pid_t holder = -1;
  with_each_change_killed(
      world, {command, "a"},
      [&] {
        world.add("a", "namespace");
        holder = world.listed("a")["holder_pid"];
        forget_mount(world);
      },
      [&] {
        if (command == "umount") world.wafers_ok({"mount", "a"});
        remove_the_rest(world);
        CHECK(ends(holder));
      });
}

}  // namespace
}  // namespace wafers::test
