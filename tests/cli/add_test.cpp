#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

mode_t mode_of(const fs::path& path) {
  struct stat stat {};
  REQUIRE(::lstat(path.c_str(), &stat) == 0);
  return stat.st_mode & 07777U;
}

TEST_CASE("several wafers at once") {
  const World world;
  const auto added = world.json({"add", "a", "b", "c", "--backend", any_backend(), "--branch",
                                 "work/{name}", "--at", (world / "views/{name}").native()});
  REQUIRE(added["wafers"].size() == 3);
  CHECK(added["wafers"][1]["name"] == "b");
  CHECK(added["wafers"][1]["branch"] == "work/b");
  CHECK(added["wafers"][1]["mountpoint"] == (world / "views/b").native());
  world.inside("b", "echo b > only-b");
  CHECK(world.inside("c", "ls") == "README\nignored.o\nsrc\n");
  world.wafers_ok({"rm", "--all", "--force"});
  CHECK_FALSE(fs::exists(world / "views"));
}

TEST_CASE("hard links in the base are told of where a write shows under every name") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  const fs::path base = world.base().path();
  fs::create_hard_link(base / "README", base / "src/second name");
  fs::create_hard_link(base / "src/main.c", world / "elsewhere");  // nobody's business
  world.base().commit_all("links");
  const RunResult result = world.wafers({"add", "a", "--backend", backend});
  REQUIRE(result.ok());
  world.inside("a", "stat README 'src/second name'; echo changed > README");
  const bool shows = world.inside("a", "cat 'src/second name'") == "changed\n";
  CHECK(shows == (backend != "namespace"));
  const std::string warning =
      "wafers: warning: 2 files of the base are hard links of each other ('README', 'src/second "
      "name'); a write to one shows under the other names too, but is committed under its own "
      "alone\n";
  CHECK(result.err == (shows ? warning : ""));
}

/// The names that come into a directory while it lives.
class Arrivals {
 public:
  explicit Arrivals(const fs::path& directory) : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    REQUIRE(::inotify_add_watch(fd_.get(), directory.c_str(), IN_CREATE) >= 0);
  }

  std::vector<std::string> so_far() {
    alignas(inotify_event) std::array<char, 65536> events{};
    const ssize_t size = ::read(fd_.get(), events.data(), events.size());
    std::vector<std::string> names;
    for (ssize_t at = 0; at < size;) {
      const auto* const event = reinterpret_cast<const inotify_event*>(events.data() + at);
      names.emplace_back(static_cast<const char*>(event->name));
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
    return names;
  }

 private:
  UniqueFd fd_;
};

TEST_CASE("a trial is made once, and again where anything is different") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("first", backend);
  const auto trials_of = [&](const std::string& name, const std::vector<std::string>& options) {
    Arrivals arrivals(world.state());
    std::vector<std::string> command{"add", name, "--backend", backend};
    command.insert(command.end(), options.begin(), options.end());
    world.wafers_ok(command);
    return std::ranges::count_if(arrivals.so_far(), [](const std::string& arrival) {
      return arrival.starts_with(".trial-");
    });
  };
  const bool remembers = backend == "namespace";
  CHECK(trials_of("same", {}) == (remembers ? 0 : 1));
  CHECK(trials_of("durable", {"--durable"}) == 1);
  CHECK(trials_of("durable-again", {"--durable"}) == (remembers ? 0 : 1));
  if (!remembers) return;
  const std::string_view other_boot = "00000000-0000-0000-0000-000000000000 1";
  REQUIRE(::setxattr(world.state().c_str(), "user.wafers.passed.volatile", other_boot.data(),
                     other_boot.size(), XATTR_REPLACE) == 0);
  CHECK(trials_of("after-a-boot", {}) == 1);
  CHECK(trials_of("same-again", {}) == 0);
}

TEST_CASE("all or none: what was made for the others is undone") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.add("first", backend);
  write_file(world / "views/c/in-the-way", "x");
  const std::string before = world.everything();
  const RunResult result = world.wafers(
      {"add", "a", "b", "c", "--backend", backend, "--at", (world / "views/{name}").native()});
  CHECK(result.status == 3);
  CHECK_THAT(result.err, Contains("is not empty"));
  CHECK(changes(before, world.everything()) == "");
  CHECK(world.json({"ls"})["wafers"].size() == 1);
}

TEST_CASE("a first add that fails leaves no state directory") {
  const World world;
  write_file(world / "full/file", "x");
  const std::string before = world.everything();
  CHECK(world.wafers({"add", "a", "--at", (world / "full").native()}).status == 3);
  CHECK(changes(before, world.everything()) == "");
  CHECK_FALSE(fs::exists(world.state()));
}

TEST_CASE("the view hides .git and has the mode of the base's root") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  fs::permissions(world / "base", fs::perms(0750));
  world.add("a", backend);
  CHECK(world.inside("a", "ls -A; stat -c %a .") == ".gitignore\nREADME\nignored.o\nsrc\n750\n");
  CHECK(fs::exists(world / "base/.git/HEAD"));
  // Nor does git in there find another repository.
  CHECK(world.wafers({"exec", "a", "--", "git", "rev-parse"}).status == 128);
}

TEST_CASE("seen from outside, a namespace's mountpoint tells how to enter") {
  const World world;
  world.add("a", "namespace", {"--at", (world / "view").native()});
  CHECK(mode_of(world / "view") == 0555);
  std::size_t entries = 0;
  for (const auto& entry : fs::directory_iterator(world / "view")) {
    CHECK(entry.path().filename() == "WAFER-NOT-MOUNTED-HERE.txt");
    ++entries;
  }
  CHECK(entries == 1);
  CHECK_THAT(read_file(world / "view/WAFER-NOT-MOUNTED-HERE.txt"), Contains("wafers exec a -- "));
}

TEST_CASE("what is written to a namespace's mountpoint all the same is told of, and kept") {
  const World world;
  world.add("a", "namespace");
  const fs::path outside = world.state() / "a/mnt";
  CHECK(world.wafers({"git-status", "a"}).err == "");
  fs::permissions(outside, fs::perms(0755));  // as rsync -a gives itself the right
  write_file(outside / "new", "new");
  const std::string told =
      "wafers: warning: not in the view: files that were written to its mountpoint from outside, "
      "such as '{top}/state/a/mnt/new'\n";
  CHECK(world.shortened(world.wafers({"git-status", "a"}).err) == told);
  CHECK(world.inside("a", "ls; '" WAFERS_PROGRAM "' git-status --porcelain 2>&1") ==
        "README\nignored.o\nsrc\n");
  CHECK(world.wafers({"rm", "a"}).status == 3);
  CHECK(read_file(outside / "new") == "new");
}

TEST_CASE("a directory that was there is used, and stays") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  fs::create_directory(world / "view");
  fs::permissions(world / "view", fs::perms(0710));
  world.add("a", backend, {"--at", (world / "view").native()});
  world.wafers_ok({"rm", "a"});
  CHECK(mode_of(world / "view") == 0710);
  CHECK(fs::is_empty(world / "view"));
}

TEST_CASE("an existing branch shows in the view as committed work") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  const GitRepo& base = world.base();
  const std::string head = base.head();
  base.git({"checkout", "-q", "-b", "topic"});
  base.write("README", "topic\n");
  base.write("added/file", "added\n");
  base.git({"rm", "-q", "src/old.c"});
  base.commit_all("topic");
  base.git({"checkout", "-q", "main"});
  world.add("a", backend, {"--branch", "topic"});
  CHECK(world.inside("a", "cat README added/file; ls src") == "topic\nadded\nmain.c\n");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  CHECK(world.wafers_ok({"git-diff", "a", "--name-only"}) == "README\nadded/file\nsrc/old.c\n");
  CHECK(world.listed("a")["base_commit"] == head);
  CHECK(world.listed("a")["last_commit"] == base.git_line({"rev-parse", "topic"}));
  CHECK(world.wafers({"git-commit", "a", "-m", "x"}).status == 1);
  world.wafers_ok({"rm", "a"});
}

TEST_CASE("a linked worktree is a base like any other") {
  const World world;
  world.base().git({"worktree", "add", "-q", "-b", "side", (world / "side").native()});
  world.add("a", any_backend(), {"--from", (world / "side/src").native()});
  CHECK(world.listed("a")["base_repo"] == (world / "side").native());
  CHECK(world.inside("a", "ls -A") == ".gitignore\nREADME\nsrc\n");
  // Its branches are those of the whole repository.
  const RunResult taken = world.wafers({"add", "b", "--branch", "wafers/a"});
  CHECK(taken.status == 3);
  CHECK_THAT(taken.err, Contains("belongs to wafer 'a'"));
}

TEST_CASE("--assume-clean takes the base as it is") {
  const World world;
  world.base().write("README", "dirty\n");
  world.add("a", any_backend(), {"--assume-clean", "--durable"});
  CHECK(world.inside("a", "cat README") == "dirty\n");
}

Words many_names() {
  constexpr int kMany = 30;
  Words names;
  for (int i = 0; i < kMany; ++i) names.push_back("n" + std::to_string(i));
  return names;
}

TEST_CASE("many wafers at once") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  const Words names = many_names();
  Words command{"add", "--backend", backend};
  command.insert(command.end(), names.begin(), names.end());
  world.wafers_ok(command);
  for (const std::string& name : names) {
    world.inside(name, "test \"$(cat README)\" = base; echo " + name + " > mine");
  }
  for (const std::string& name : names) {
    CHECK(world.inside(name, "cat mine") == name + "\n");
    CHECK_FALSE(fs::exists(world.state() / name / "metadata.new"));
  }
}

TEST_CASE("of many wafers all are undone where one can't be mounted") {
  const World world;
  const fs::path holder = fs::path(WAFERS_PROGRAM).parent_path() / "../helper/wafers-holder";
  const fs::path failing = world / "holder";
  const std::string bad = GENERATE("n0", "n5", "n29");
  INFO("fails for " << bad);
  write_file(failing,
             "#!/bin/sh\ntest \"$1\" != " + bad + " && exec '" + holder.native() + "' \"$@\"\n");
  fs::permissions(failing, fs::perms::owner_all);
  const std::string before = world.everything();
  Words command{"add", "--backend", "namespace"};
  const Words names = many_names();
  command.insert(command.end(), names.begin(), names.end());
  const RunResult result = world.wafers(
      command, {.cwd = {}, .environment = {"WAFERS_HOLDER=" + failing.native()}, .input = {}});
  CHECK(result.status == 1);
  CHECK(world.shortened(result.err) ==
        "wafers: cannot start a holder: '{top}/holder' ended without a report\n");
  CHECK(changes(before, world.everything()) == "");
}

TEST_CASE("wafers are not nested") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  const std::string view = (world / "view").native();
  world.add("a", backend, {"--at", view});
  world.inside("a", "git init -q . && git add -A && git commit -qm x");
  const RunResult inside = world.wafers({"exec", "a", "--", WAFERS_PROGRAM, "add", "b"});
  CHECK(inside.status == 3);
  CHECK_THAT(inside.err, Contains("cannot add a wafer from inside wafer 'a'"));
  if (backend == "namespace") return;  // outside there is no repository to be seen
  const RunResult outside = world.wafers({"add", "b", "--from", view});
  CHECK(outside.status == 3);
  CHECK_THAT(outside.err, Contains("lies inside the view of wafer 'a': wafers can't be nested"));
}

}  // namespace
}  // namespace wafers::test
