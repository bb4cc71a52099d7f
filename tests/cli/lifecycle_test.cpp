// One wafer from add to rm, in every backend that works here.

#include <sys/stat.h>

#include <csignal>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

TEST_CASE("a wafer's life") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  const std::string head = world.base().head();
  const std::string base_before = world.base().git({"status", "--porcelain", "--ignored"});
  const std::string index_before = read_file(world / "base/.git/index");
  const std::string mountpoint = (world / "views/a").native();

  const auto added = world.json({"add", "a", "--backend", backend, "--at", mountpoint});
  REQUIRE(added.contains("wafers"));
  const auto& wafer = added["wafers"][0];
  CHECK(wafer["name"] == "a");
  CHECK(wafer["branch"] == "wafers/a");
  CHECK(wafer["base_repo"] == (world / "base").native());
  CHECK(wafer["base_commit"] == head);
  CHECK(wafer["last_commit"] == head);
  CHECK(wafer["backend"] == backend);
  CHECK(wafer["status"] == "mounted");
  CHECK(wafer["mountpoint"] == mountpoint);
  CHECK(wafer["upperdir"] == (world / "state/a/upper").native());
  CHECK(wafer["base_moved"] == false);
  CHECK(wafer["holder_pid"].is_number() == (backend == "namespace"));
  const fs::path host_path = wafer["host_path"].get<std::string>();
  CHECK(read_file(host_path / "README") == "base\n");

  CHECK(world.inside("a", "pwd; ls -A") == mountpoint + "\n.gitignore\nREADME\nignored.o\nsrc\n");
  world.inside("a", "echo changed > README; rm src/old.c; mkdir new; echo new > new/file");
  CHECK(read_file(host_path / "new/file") == "new\n");
  CHECK(read_file(world / "base/README") == "base\n");

  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) ==
        " M README\n D src/old.c\n?? new/\n");
  CHECK(world.wafers_ok({"git-diff", "a", "--uncommitted", "--name-status"}) ==
        "M\tREADME\nA\tnew/file\nD\tsrc/old.c\n");
  CHECK(world.wafers_ok({"git-diff", "a"}).empty());

  const auto commit = world.json({"git-commit", "a", "-m", "work"});
  CHECK(commit.at("branch") == "wafers/a");
  CHECK(commit["parent"] == head);
  CHECK(commit["files_changed"] == 3);
  CHECK(commit.at("commit") == world.base().git_line({"rev-parse", "wafers/a"}));
  CHECK(world.listed("a")["last_commit"] == commit.at("commit"));
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  CHECK(world.wafers_ok({"git-diff", "a", "--name-only"}) == "README\nnew/file\nsrc/old.c\n");

  world.wafers_ok({"umount", "a"});
  CHECK(world.listed("a")["status"] == "unmounted");
  CHECK(world.listed("a")["host_path"].is_null());
  world.wafers_ok({"umount", "a"});
  world.wafers_ok({"mount", "a"});
  CHECK(world.listed("a")["status"] == "mounted");
  world.wafers_ok({"umount", "a"});
  CHECK(world.inside("a", "cat new/file") == "new\n");

  CHECK(world.wafers_ok({"rm", "a"}) == "Removed wafer a (branch wafers/a is kept)\n");
  CHECK(commit.at("commit") == world.base().git_line({"rev-parse", "wafers/a"}));
  CHECK_FALSE(fs::exists(world / "views"));
  CHECK_FALSE(fs::exists(world / "state/a"));
  CHECK(world.base().head() == head);
  CHECK(read_file(world / "base/.git/index") == index_before);
  CHECK(world.base().git({"status", "--porcelain", "--ignored"}) == base_before);
}

TEST_CASE("paths with odd characters") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  // fuse-overlayfs has no way to escape a colon, and add says so.
  const std::string colon = backend == "fuse" ? "" : ":";
  const World world("a b,c" + colon + "d\\e'f\"g\nh=\xC3\xA9");
  world.add("a", backend, {"--at", (world / "view ,:\\'\"\n").native()});
  world.inside("a", "echo x > file; cat README > copy");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == "?? copy\n?? file\n");
  CHECK(world.listed("a")["mountpoint"] == (world / "view ,:\\'\"\n").native());
  world.wafers_ok({"umount", "a"});
  CHECK(world.inside("a", "cat copy") == "base\n");
  world.wafers_ok({"rm", "--force", "a"});
}

TEST_CASE("paths that are not UTF-8 are quoted in JSON, as git quotes them") {
  const World world("bytes-\xFF");
  world.add("a", any_backend());
  const std::string base_repo = world.listed("a")["base_repo"];
  CHECK_THAT(base_repo, Contains("bytes-\\377"));
  CHECK(base_repo.front() == '"');
  world.wafers_ok({"rm", "a"});
}

TEST_CASE("a killed holder loses nothing") {
  const World world;
  world.add("a", "namespace");
  world.inside("a", "echo work > file");
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    // The kernel takes the process away in its own time; whoever asks next must cope with both.
    const auto holder = world.listed("a")["holder_pid"];
    if (holder.is_number()) ::kill(holder.get<pid_t>(), SIGKILL);
    CHECK(world.inside("a", "cat file") == "work\n");
  }
  world.wafers_ok({"git-commit", "a", "-m", "work"});
  CHECK(world.base().git({"show", "wafers/a:file"}) == "work\n");
}

TEST_CASE("a mountpoint that somebody removed comes back") {
  const World world;
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  world.add("a", backend, {"--at", (world / "views/a").native()});
  world.wafers_ok({"umount", "a"});
  fs::permissions(world / "views/a", fs::perms::owner_all);
  fs::remove_all(world / "views");
  CHECK(world.inside("a", "cat README") == "base\n");
  world.wafers_ok({"rm", "a"});
  CHECK_FALSE(fs::exists(world / "views"));
}

TEST_CASE("ls tells of a base that moved, and of one that is gone") {
  const World world;
  world.add("a", any_backend());
  CHECK(world.listed("a")["base_moved"] == false);
  world.base().write("README", "moved\n");
  world.base().commit_all();
  CHECK(world.listed("a")["base_moved"] == true);
  world.base().git({"pack-refs", "--all"});
  CHECK(world.listed("a")["base_moved"] == true);
  world.wafers_ok({"umount", "a"});
  fs::rename(world / "base", world / "elsewhere");
  const RunResult listing =
      world.wafers({"ls"}, {.cwd = world / ".", .environment = {}, .input = {}});
  CHECK(listing.status == 0);
  CHECK_THAT(listing.out, Contains("broken"));
  CHECK(world.shortened(listing.err) ==
        "wafers: warning: wafer 'a' is broken: its base '{top}/base' is gone\n");
  fs::rename(world / "elsewhere", world / "base");
}

TEST_CASE("ls shows a table, or nothing") {
  const World world;
  CHECK(world.wafers_ok({"ls"}).empty());
  CHECK(world.json({"ls"})["wafers"].empty());
  CHECK_FALSE(fs::exists(world.state()));
  world.add("a", any_backend());
  world.add("longer-name", any_backend());
  const std::string table = world.wafers_ok({"ls"});
  CHECK_THAT(table, Contains("NAME         STATUS   BRANCH"));
  CHECK_THAT(table, Contains("\na            mounted"));
  CHECK_THAT(table, Contains("\nlonger-name  mounted"));
}

TEST_CASE("records that can't be read are listed, and removed by force") {
  const World world;
  world.add("good", any_backend());
  write_file(world / "state/torn/metadata", "{\"version\"");
  write_file(world / "state/torn/upper/file", "work");
  const auto listing = world.json({"ls"});
  REQUIRE(listing["invalid_entries"].size() == 1);
  CHECK(listing["invalid_entries"][0]["name"] == "torn");
  CHECK(listing["invalid_entries"][0]["path"] == (world / "state/torn").native());
  CHECK(listing["wafers"].size() == 1);
  CHECK(world.wafers({"exec", "torn", "--", "true"}).status == 125);
  CHECK(world.wafers({"git-status", "torn"}).status == 1);
  const RunResult refused = world.wafers({"rm", "torn"});
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, Contains("its record can't be read"));
  CHECK(fs::exists(world / "state/torn/upper/file"));
  world.wafers_ok({"rm", "--force", "torn"});
  CHECK_FALSE(fs::exists(world / "state/torn"));
  CHECK(world.json({"ls"})["invalid_entries"].empty());
}

}  // namespace
}  // namespace wafers::test
