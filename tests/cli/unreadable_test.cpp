#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/world.h"
#include "support/catch.h"

// What the permissions forbid to look at, as git has it. Root may look at everything.

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// Gives a path a mode, and in the end its owner everything, so that it can be removed.
class Mode {
 public:
  Mode(fs::path path, fs::perms mode) : path_(std::move(path)) { fs::permissions(path_, mode); }
  Mode(const Mode&) = delete;
  Mode& operator=(const Mode&) = delete;
  ~Mode() { fs::permissions(path_, fs::perms::owner_all); }

 private:
  fs::path path_;
};

void make_data(const World& world, const std::string& name = "pgdata") {
  world.base().write(name + "/x", "x\n");
}

TEST_CASE("an untracked directory of the base that may not be read is warned of") {
  for (const std::string& backend : working_backends()) {
    INFO(backend);
    const World world;
    make_data(world);
    const Mode closed(world.base() / "pgdata", fs::perms::none);
    const RunResult git = world.base().try_git({"status", "--porcelain"});
    const RunResult added = world.wafers({"add", "a", "--backend", backend});
    if (::geteuid() == 0) {
      CHECK(git.out == "?? pgdata/\n");
      CHECK(added.status == 3);
      continue;
    }
    CHECK(git.out.empty());
    CHECK(added.status == 0);
    CHECK_THAT(added.err, Contains("warning: could not open directory 'pgdata/': "
                                   "Permission denied (EACCES)\n"));
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
    world.inside("a", "echo n > new");
    world.wafers_ok({"git-commit", "a", "-m", "new"});
    world.wafers_ok({"rm", "a"});
  }
}

TEST_CASE("tracked files that may not be looked at count as unchanged") {
  if (::geteuid() == 0) return;
  const World world;
  for (const fs::perms mode : {fs::perms::none, fs::perms::owner_read, fs::perms::owner_exec}) {
    const Mode closed(world.base() / "src", mode);
    CHECK(world.base().git({"status", "--porcelain"}).empty());
    world.add("a", any_backend());
    world.wafers_ok({"rm", "a"});
  }
  const Mode closed(world.base() / "README", fs::perms::none);
  CHECK(world.base().git({"status", "--porcelain"}) == " M README\n");
  const RunResult refused = world.wafers({"add", "a"});
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, Contains(" M README"));
}

TEST_CASE("an unreadable directory of the base that the agent no longer ignores") {
  for (const std::string& backend : working_backends()) {
    if (::geteuid() == 0) return;
    INFO(backend);
    const World world;
    world.base().write(".gitignore", "pgdata\n");
    world.base().commit_all();
    make_data(world);
    const Mode closed(world.base() / "pgdata", fs::perms::none);
    world.add("a", backend);
    world.inside("a", "echo other > .gitignore");
    const RunResult status = world.wafers({"git-status", "a", "--porcelain"});
    CHECK(status.out == " M .gitignore\n");
    CHECK_THAT(status.err, Contains("could not open directory 'pgdata/'"));
    const RunResult committed = world.wafers({"git-commit", "a", "-m", "x"});
    CHECK(committed.status == 0);
    CHECK_THAT(committed.err, Contains("could not open directory 'pgdata/'"));
    CHECK(world.base().git_line({"diff", "--name-only", "main", "wafers/a"}) == ".gitignore");
    world.wafers_ok({"rm", "a"});
  }
}

TEST_CASE("directories that the agent closes") {
  for (const std::string& backend : working_backends()) {
    if (::geteuid() == 0) return;
    INFO(backend);
    const World world;
    world.add("a", backend);
    world.inside("a", "mkdir new; echo n > new/n; chmod 000 new");
    const RunResult status = world.wafers({"git-status", "a", "--porcelain"});
    CHECK(status.status == 0);
    CHECK(status.out.empty());
    CHECK_THAT(status.err, Contains("could not open directory 'new/'"));
    const RunResult nothing = world.wafers({"git-commit", "a", "-m", "x"});
    CHECK(nothing.status == 1);
    CHECK_THAT(nothing.err, Contains("nothing to commit, working tree clean\nhint: could not open "
                                     "directory 'new/'"));
    // What can't be read may be work.
    const RunResult kept = world.wafers({"rm", "a"});
    CHECK(kept.status == 3);
    CHECK_THAT(kept.err, Contains("could not open directory 'new/'"));

    world.inside("a", "echo 2 > README; chmod 000 src");
    world.wafers_ok({"git-commit", "a", "-m", "x"});
    CHECK(world.base().git_line({"diff", "--name-only", "main", "wafers/a"}) == "README");

    // Names that are seen and can't be added.
    world.inside("a", "chmod 755 src; chmod 444 new");
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == "?? new/\n");
    CHECK(world.wafers({"git-commit", "a", "-m", "x"}).status == 1);
    world.inside("a", "chmod 755 new");
    world.wafers_ok({"git-commit", "a", "-m", "x"});
    CHECK(world.base().git_line({"diff", "--name-only", "main", "wafers/a"}) == "README\nnew/n");
    world.inside("a", "chmod 000 new");
    CHECK(world.wafers({"rm", "a"}).status == 3);
    CHECK(world.wafers({"rm", "a", "--force", "--no-salvage"}).status == 0);
  }
}

TEST_CASE("what lies deeper than any path leads is not removed") {
  for (const std::string& backend : working_backends()) {
    if (backend == "fuse") continue;  // fuse-overlayfs itself makes no longer paths
    INFO(backend);
    const World world;
    world.add("a", backend);
    world.inside("a",
                 "i=0; while [ $i -lt 2100 ]; do mkdir d; cd -P d; i=$((i+1)); done; echo 1 > w");
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
    const RunResult kept = world.wafers({"rm", "a"});
    CHECK(kept.status == 3);
    CHECK_THAT(kept.err, Contains("could not open directory 'd/d/d/"));
    CHECK(world.wafers({"rm", "a", "--force"}).status == 3);
    CHECK(world.wafers({"rm", "a", "--force", "--no-salvage"}).status == 0);
  }
}

TEST_CASE("a deep view is walked with a small stack") {
  const World world;
  world.add("a", any_backend());
  world.inside("a",
               // Deep enough for a walk that recurses; git's own diff does, and copes with this.
               "i=0; while [ $i -lt 900 ]; do mkdir d; cd -P d; i=$((i+1)); done; echo 1 > w");
  const std::string small = "ulimit -s 1024; exec '" WAFERS_PROGRAM "' ";
  const auto with_small_stack = [&](const std::string& command) {
    const Words words{"-c", small + command};
    return world.run_program("/bin/sh", words, {});
  };
  CHECK(with_small_stack("git-status a --porcelain").out == "?? d/\n");
  CHECK(with_small_stack("rm a").status == 3);
  CHECK(with_small_stack("git-diff a --name-only --uncommitted").status == 0);
  CHECK(with_small_stack("git-add a -- d").status == 0);
  CHECK(with_small_stack("git-commit a -m deep").status == 0);
  CHECK(with_small_stack("rm a").status == 0);
}

/// A file below nearly as many directories as a path can lead through.
void write_deep_file(const fs::path& top, const char* name) {
  UniqueFd directory(::open(top.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < 1990; ++i) {
    REQUIRE(::mkdirat(directory.get(), "d", 0777) == 0);
    directory.reset(::openat(directory.get(), "d", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  const UniqueFd file(::openat(directory.get(), name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  REQUIRE(::write(file.get(), "1\n", 2) == 2);
}

TEST_CASE("a deep base, and a branch with deep trees, are taken with a small stack") {
  const World world;
  const auto add = [&](const Words& more) {
    // The soft limits: under such a hard one git's own status ends by SIGSEGV.
    Words words{"-c", "ulimit -S -s 1024; ulimit -S -n 1024; exec \"$0\" add \"$@\"",
                WAFERS_PROGRAM};
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), {"--backend", any_backend()});
    return world.run_program("/bin/sh", words, {});
  };
  SECTION("untracked in the base") {
    write_deep_file(world.base().path(), "w");
    const RunResult refused = add({"a"});
    CHECK(refused.status == 3);
    CHECK_THAT(refused.err, Contains("\n  ?? d/\n"));
  }
  SECTION("only ignored files, untracked in the base") {
    write_deep_file(world.base().path(), "w.o");
    CHECK(add({"a"}).status == 0);
  }
  SECTION("on the branch") {
    world.add("a", any_backend());
    write_deep_file(world.listed("a").at("host_path").get<std::string>(), "w");
    world.wafers_ok({"git-commit", "a", "-m", "deep"});
    world.wafers_ok({"rm", "a"});
    CHECK(add({"b", "--branch", "wafers/a"}).status == 0);
    CHECK(world.wafers_ok({"git-status", "b", "--porcelain"}).empty());
  }
}

}  // namespace
}  // namespace wafers::test
