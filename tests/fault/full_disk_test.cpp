// A state directory that is full, on a tmpfs of our own: with one inode more, or one page more,
// each time, every stage runs out of room once. What fails is undone or can be gone on with;
// nothing is left half made, and nothing is lost.

#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "cli/world.h"
#include "linux/capabilities.h"
#include "linux/namespaces.h"
#include "support/catch.h"
#include "support/needs.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// An ordinary user mounts in a user namespace of the whole suite.
std::optional<std::string> become_able_to_mount() {
  try {
    const uid_t uid = ::geteuid();
    const gid_t gid = ::getegid();
    if (has_sys_admin()) {
      unshare_mount();
    } else {
      unshare_user_and_mount();
      map_own_ids(uid, gid);
    }
    make_mounts_slave();
    return std::nullopt;
  } catch (const Error& error) {
    return error.message();
  }
}

const Need kNeedsMounting("CAP_SYS_ADMIN over a mount namespace", become_able_to_mount);

/// fusermount3 is setuid, which has no effect in an ordinary user's namespace.
std::vector<std::string> backends() {
  if (::geteuid() == 0) return {"namespace", "host", "fuse"};
  return {"namespace"};
}

/// A world whose state directory is a file system of its own.
class SmallWorld {
 public:
  SmallWorld() {
    fs::create_directory(world.state());
    mount("size=1m,nr_inodes=1000", 0);
  }
  SmallWorld(const SmallWorld&) = delete;
  SmallWorld& operator=(const SmallWorld&) = delete;
  ~SmallWorld() {
    relax();
    world.wafers({"rm", "--all", "--force", "--no-salvage", "--kill"});
    ::umount2(world.state().c_str(), MNT_DETACH);
  }

  /// Leaves room for so many inodes or pages more.
  void leave_inodes(unsigned long count) {
    struct statvfs now {};
    ::statvfs(world.state().c_str(), &now);
    mount("size=1m,nr_inodes=" + std::to_string(now.f_files - now.f_ffree + count), MS_REMOUNT);
  }
  void leave_pages(unsigned long count) {
    struct statvfs now {};
    ::statvfs(world.state().c_str(), &now);
    const unsigned long used = now.f_blocks - now.f_bfree;
    mount("nr_inodes=1000,size=" + std::to_string((used + count) * now.f_frsize), MS_REMOUNT);
  }
  void relax() { mount("size=1m,nr_inodes=1000", MS_REMOUNT); }

  World world;

 private:
  void mount(const std::string& options, unsigned long flags) const {
    const auto all = options + ",mode=700";
    REQUIRE(::mount("small", world.state().c_str(), "tmpfs", flags, all.c_str()) == 0);
  }
};

/// Runs a command with ever more room, until it has enough.
void with_ever_more_room(SmallWorld& small, const Words& command,
                         void (SmallWorld::*leave)(unsigned long),
                         const std::function<void()>& check_failed) {
  constexpr unsigned long kEnough = 100;
  for (unsigned long room = 0; room < kEnough; ++room) {
    (small.*leave)(room);
    const RunResult result = small.world.wafers(command);
    small.relax();
    INFO("room " << room << ": " << result.err);
    if (result.ok()) {
      CHECK(room > 0);  // it did fail at least once
      return;
    }
    CHECK((result.status == 1 || result.status == 5 || result.status == 125));
    // The reason is in the words of whoever ran out first: overlayfs says read-only.
    CHECK(result.err.starts_with("wafers: "));
    check_failed();
  }
  FAIL("no room is enough");
}

TEST_CASE("add undoes itself") {
  const std::string backend = GENERATE(from_range(backends()));
  const auto leave = GENERATE(&SmallWorld::leave_inodes, &SmallWorld::leave_pages);
  INFO("backend " << backend);
  SmallWorld small;
  const World& world = small.world;
  world.add("kept", backend);
  world.inside("kept", "echo kept > work");
  const std::string before = world.everything();
  Words command{"add", "a", "--backend", backend, "--at", (world / "view").native()};
  const bool with_git = backend == "namespace" && GENERATE(false, true);
  if (with_git) command.push_back("--git");
  with_ever_more_room(small, command, leave, [&] {
    CHECK(changes(before, world.everything()) == "");
    CHECK_FALSE(fs::exists(world.base() / ".git/worktrees"));
  });
  CHECK(world.inside("a", "cat README") == "base\n");
  if (with_git) CHECK(world.inside("a", "git status --porcelain") == "");
  CHECK(world.inside("kept", "cat work") == "kept\n");
}

TEST_CASE("fork undoes itself, and leaves its source as it is") {
  const auto leave = GENERATE(&SmallWorld::leave_inodes, &SmallWorld::leave_pages);
  SmallWorld small;
  const World& world = small.world;
  world.add("kept", "namespace");
  world.inside("kept",
               "mkdir d; echo kept > d/work; ln -s d link; head -c 20000 /dev/zero > zeros");
  const std::string before = world.everything();
  with_ever_more_room(small, {"fork", "kept", "a", "--at", (world / "view").native()}, leave,
                      [&] { CHECK(changes(before, world.everything()) == ""); });
  CHECK(world.inside("a", "cat d/work link/work; wc -c < zeros") == "kept\nkept\n20000\n");
}

std::string files_below(const fs::path& directory) {
  return run_ok({"sh", "-euc", "find . -path ./.git -prune -o -type f -printf '%P %s\n' | sort"},
                {.cwd = directory, .environment = {}, .input = {}});
}

/// Frozen bases and delta layers.
std::vector<fs::path> layers_of(const World& world) {
  const fs::path layers = world.state() / ".bases";
  if (!fs::exists(layers)) return {};
  const fs::directory_iterator entries(layers);
  return {begin(entries), end(entries)};
}

TEST_CASE("add --frozen undoes itself; a base that was frozen by then is whole") {
  const std::string backend = GENERATE(from_range(backends()));
  const auto leave = GENERATE(&SmallWorld::leave_inodes, &SmallWorld::leave_pages);
  INFO("backend " << backend);
  SmallWorld small;
  const World& world = small.world;
  world.add("kept", backend);
  const std::string refs = world.base().git({"for-each-ref"});
  const std::string files = files_below(world.base().path());
  with_ever_more_room(small, {"add", "a", "--frozen", "--backend", backend}, leave, [&] {
    CHECK(world.json({"ls"})["wafers"].size() == 1);
    CHECK(world.base().git({"for-each-ref"}) == refs);
    for (const fs::path& layer : layers_of(world)) CHECK(files_below(layer / "tree") == files);
    world.wafers_ok({"prune"});
    CHECK(layers_of(world).empty());
  });
  CHECK(world.inside("a", "cat README") == "base\n");
}

TEST_CASE("freeze and a delta leave nothing half made") {
  const auto leave = GENERATE(&SmallWorld::leave_inodes, &SmallWorld::leave_pages);
  SmallWorld small;
  const World& world = small.world;
  world.add("kept", "namespace", {"--frozen"});
  const std::size_t needed = layers_of(world).size();
  world.in_base("mkdir more; echo 1 > more/f; echo 2 > README; git add -A; git commit -qm more");
  const std::string before = world.everything();
  with_ever_more_room(small, {"freeze"}, leave,
                      [&] { CHECK(changes(before, world.everything()) == ""); });
  CHECK(layers_of(world).size() == needed + 1);
  CHECK(world.inside("kept", "cat README; ls more || true") == "base\n");
}

TEST_CASE("git-sync on a full disk changes nothing, or is done") {
  const auto leave = GENERATE(&SmallWorld::leave_inodes, &SmallWorld::leave_pages);
  const Words with_git = GENERATE(Words{}, Words{"--git"});
  SmallWorld small;
  const World& world = small.world;
  world.add("a", "namespace", with_git);
  world.inside("a", "mkdir d; echo done > d/done");
  world.wafers_ok({"git-commit", "a", "-m", "done"});
  world.inside("a", "echo work > d/work; echo o > x.o; head -c 20000 /dev/zero > zeros");
  world.in_base("echo new > new; git add new; git commit -qm new");
  const std::string tip = world.base().git({"rev-parse", "wafers/a"});
  const std::string status = "?? d/work\n?? zeros\n";
  with_ever_more_room(small, {"git-sync", "a"}, leave, [&] {
    CHECK(world.base().git({"rev-parse", "wafers/a"}) == tip);
    CHECK(world.inside("a", "cat d/done d/work x.o; wc -c < zeros; ls new || true") ==
          "done\nwork\no\n20000\n");
    if (!with_git.empty()) CHECK(world.inside("a", "git status -s") == status);
  });
  CHECK(world.base().git({"log", "--format=%s", "-2", "wafers/a"}) == "done\nnew\n");
  CHECK(world.inside("a", "cat d/done d/work x.o new; wc -c < zeros") ==
        "done\nwork\no\nnew\n20000\n");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == status);
  if (!with_git.empty()) CHECK(world.inside("a", "git status -s") == status);
}

TEST_CASE("a view whose base has moved waits for room, and prune makes some") {
  const auto leave = GENERATE(&SmallWorld::leave_inodes, &SmallWorld::leave_pages);
  SmallWorld small;
  const World& world = small.world;
  world.add("a", "namespace");
  world.inside("a", "echo work > work");
  world.wafers_ok({"freeze"});
  const nlohmann::json frozen = world.listed("a")["base_commit"];
  world.in_base("echo moved > README; git commit -qam moved");
  with_ever_more_room(small, {"exec", "a", "--", "true"}, leave,
                      [&] { CHECK(world.listed("a")["base_commit"] == frozen); });
  CHECK(world.inside("a", "cat README work") == "base\nwork\n");
  (small.*leave)(0);
  world.wafers_ok({"prune"});
  small.relax();
  CHECK(world.inside("a", "cat README work") == "base\nwork\n");
}

TEST_CASE("a wafer on a full disk keeps what it has") {
  const auto leave = GENERATE(&SmallWorld::leave_inodes, &SmallWorld::leave_pages);
  const Words with_git = GENERATE(Words{}, Words{"--git"});
  SmallWorld small;
  const World& world = small.world;
  world.add("a", "namespace", with_git);
  world.inside("a", "echo work > work");

  SECTION("git-commit fails before the branch moves, or is done") {
    const std::string main = world.base().head();
    const auto tip = [&] { return world.base().git_line({"rev-parse", "wafers/a"}); };
    constexpr unsigned long kEnough = 100;
    for (unsigned long room = 0; room < kEnough && tip() == main; ++room) {
      (small.*leave)(room);
      const RunResult full = world.wafers({"git-commit", "a", "-m", "x"});
      // There is nothing left to write, and no room for it. Git writes an index to read one.
      if (full.ok() && with_git.empty()) {
        CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
      }
      small.relax();
      INFO("room " << room << ": " << full.err);
      CHECK(full.ok() == (tip() != main));
      if (full.ok()) continue;
      CHECK_THAT(full.err, Contains("No space left on device") || Contains("Out of diskspace"));
    }
    CHECK(world.wafers({"git-commit", "a", "-m", "x"}).status == 1);
    CHECK(world.listed("a")["last_commit"] == tip());
    CHECK(world.base().git({"show", "wafers/a:work"}) == "work\n");
    if (!with_git.empty()) CHECK(world.inside("a", "git status -s") == "");
  }
  SECTION("the agent hears of it, and so does nobody else") {
    (small.*leave)(0);
    CHECK_FALSE(world.wafers({"exec", "a", "--", "sh", "-c", "echo more > more"}).ok());
    small.relax();
  }
  SECTION("a view is mounted again as soon as there is room") {
    world.wafers_ok({"umount", "a"});
    (small.*leave)(0);
    const RunResult full = world.wafers({"exec", "a", "--", "cat", "work"});
    small.relax();
    if (!full.ok()) CHECK_THAT(full.err, Contains("No space left on device"));
  }
  SECTION("it can always be removed") {
    (small.*leave)(0);
    world.wafers_ok({"rm", "--force", "a"});
    CHECK_FALSE(fs::exists(world / "state/a"));
  }
  if (world.json({"ls"})["wafers"].empty()) return;
  CHECK(world.inside("a", "cat work") == "work\n");
}

}  // namespace
}  // namespace wafers::test
