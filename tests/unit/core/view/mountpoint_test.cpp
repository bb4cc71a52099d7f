#include "core/view/mountpoint.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using test::GitRepo;
using test::TempDir;

Wafer wafer_at(const fs::path& mountpoint, BackendKind backend = BackendKind::namespace_) {
  Wafer wafer;
  wafer.name = "a1";
  wafer.stage = WaferStage::adding;
  wafer.mountpoint = mountpoint;
  wafer.backend = backend;
  return wafer;
}

std::string refusal(const fs::path& mountpoint) {
  try {
    check_mountpoint(mountpoint);
    return {};
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::refused);
    return error.message();
  }
}

mode_t mode_of(const fs::path& path) {
  struct stat stat {};
  REQUIRE(::lstat(path.c_str(), &stat) == 0);
  return stat.st_mode & 07777U;
}

TEST_CASE("git's repository is found from below, as git finds it") {
  const TempDir temp;
  const GitRepo repo = GitRepo::init(temp / "base");
  repo.commit_all();
  repo.git({"init", "-q", "--bare", (temp / "bare.git").native()});
  repo.git({"worktree", "add", "-q", "-b", "side", (temp / "side").native()});
  CHECK(enclosing_repository(temp / "base/not/yet/there") == temp / "base");
  CHECK(enclosing_repository(temp / "base") == temp / "base");
  CHECK(enclosing_repository(temp / "base/.git/hooks") == temp / "base/.git");
  CHECK(enclosing_repository(temp / "bare.git/sub") == temp / "bare.git");
  CHECK(enclosing_repository(temp / "side/sub") == temp / "side");
  CHECK_FALSE(enclosing_repository(temp / "outside"));
  fs::create_directory_symlink(temp / "base", temp / "link");
  CHECK(enclosing_repository(temp / "link/sub") == temp / "base");
}

TEST_CASE("an empty directory called .git is no repository, for git neither") {
  const TempDir temp;
  fs::create_directories(temp / "place/.git");
  REQUIRE_FALSE(test::GitRepo(temp / "place").try_git({"rev-parse"}).ok());
  CHECK_FALSE(enclosing_repository(temp / "place/sub"));
}

TEST_CASE("where a wafer may be mounted") {
  const TempDir temp;
  const GitRepo repo = GitRepo::init(temp / "base");
  test::write_file(temp / "full/file", "x");
  fs::create_directory(temp / "empty");
  CHECK(refusal(temp / "missing/deep").empty());
  CHECK(refusal(temp / "empty").empty());
  CHECK_THAT(refusal(temp / "full"), Contains("is not empty: it holds 'file'"));
  CHECK_THAT(refusal(temp / "full/file"), Contains("is no directory"));
  CHECK_THAT(refusal(temp / "base/view"), Contains("inside the Git repository"));
}

TEST_CASE("a mountpoint is made with its parents, marked, closed, and taken back") {
  const TempDir temp;
  Wafer wafer = wafer_at(temp / "x/y/view");
  prepare_mountpoint(wafer);
  CHECK(wafer.mountpoint_made);
  CHECK(wafer.mountpoint_parents == std::vector<fs::path>{temp / "x", temp / "x/y"});
  CHECK(mode_of(wafer.mountpoint) == 0555);
  CHECK_THAT(test::read_file(wafer.mountpoint / kMountpointMarker), Contains("wafers exec a1 --"));
  CHECK(std::distance(fs::directory_iterator(wafer.mountpoint), {}) == 1);
  prepare_mountpoint(wafer);
  CHECK(wafer.mountpoint_parents.size() == 2);
  release_mountpoint(wafer);
  CHECK_FALSE(fs::exists(temp / "x"));
}

TEST_CASE("what is going to be made for a mountpoint is known before") {
  const TempDir temp;
  Wafer wafer = wafer_at(temp / "x/view");
  CHECK(plan_mountpoint(wafer));
  CHECK_FALSE(plan_mountpoint(wafer));
  CHECK(wafer.mountpoint_made);
  CHECK(wafer.mountpoint_parents == std::vector<fs::path>{temp / "x"});
  CHECK_FALSE(fs::exists(temp / "x"));
  release_mountpoint(wafer);  // nothing of it was made
  fs::create_directory(temp / "there");
  fs::permissions(temp / "there", fs::perms{0750});
  Wafer second = wafer_at(temp / "there");
  CHECK(plan_mountpoint(second));
  CHECK_FALSE(second.mountpoint_made);
  CHECK(second.mountpoint_mode == 0750U);
  release_mountpoint(second);
  CHECK(mode_of(temp / "there") == 0750);
}

TEST_CASE("whichever wafer goes last takes the directories that were made for both") {
  const TempDir temp;
  Wafer first = wafer_at(temp / "x/first/view");
  prepare_mountpoint(first);
  Wafer second = wafer_at(temp / "x/second/view");
  share_parents(second, {taken_by(first)});
  prepare_mountpoint(second);
  CHECK(second.mountpoint_parents == std::vector<fs::path>{temp / "x", temp / "x/second"});
  release_mountpoint(first);
  CHECK_FALSE(fs::exists(temp / "x/first"));
  CHECK(fs::exists(second.mountpoint));
  release_mountpoint(second);
  CHECK_FALSE(fs::exists(temp / "x"));
}

TEST_CASE("a mountpoint that was there before gets its mode back") {
  const TempDir temp;
  fs::create_directory(temp / "view");
  REQUIRE(::chmod((temp / "view").c_str(), 0750) == 0);
  Wafer wafer = wafer_at(temp / "view");
  prepare_mountpoint(wafer);
  CHECK_FALSE(wafer.mountpoint_made);
  CHECK(mode_of(temp / "view") == 0555);
  release_mountpoint(wafer);
  CHECK(mode_of(temp / "view") == 0750);
  CHECK(fs::is_empty(temp / "view"));
}

TEST_CASE("a mountpoint that was removed comes back") {
  const TempDir temp;
  Wafer wafer = wafer_at(temp / "x/view");
  prepare_mountpoint(wafer);
  release_mountpoint(wafer);
  prepare_mountpoint(wafer);
  CHECK(fs::exists(wafer.mountpoint / kMountpointMarker));
  CHECK(wafer.mountpoint_parents.size() == 1);
}

TEST_CASE("files in an unmounted mountpoint are neither hidden nor removed") {
  const TempDir temp;
  Wafer wafer = wafer_at(temp / "x/view", BackendKind::host);
  prepare_mountpoint(wafer);
  CHECK(fs::is_empty(wafer.mountpoint));
  test::write_file(wafer.mountpoint / "work", "x");
  CHECK_THROWS_WITH(prepare_mountpoint(wafer), Contains("'work'"));
  CHECK(stray_entries(wafer) == std::vector<std::string>{"work"});
  release_mountpoint(wafer);
  CHECK(fs::exists(wafer.mountpoint / "work"));
}

/// A record that names directories which no `add` has made or been given.
Wafer forged(const fs::path& mountpoint, BackendKind backend) {
  Wafer wafer = wafer_at(mountpoint, backend);
  wafer.stage = WaferStage::ready;
  wafer.mountpoint_made = true;
  wafer.mountpoint_mode = 0777;
  wafer.mountpoint_parents = {mountpoint.parent_path().parent_path(), mountpoint.parent_path()};
  return wafer;
}

TEST_CASE("a directory is nothing to change, remove or mount over because a record names it") {
  const auto backend = GENERATE(BackendKind::namespace_, BackendKind::host, BackendKind::fuse);
  const TempDir temp;
  const fs::path place = temp / "x/y/mine";
  fs::create_directories(place);
  Wafer wafer = forged(place, backend);
  SECTION("empty") {}
  SECTION("with a foreign file of the marker's name") {
    test::write_file(place / kMountpointMarker, "precious");
  }
  REQUIRE(::chmod(place.c_str(), 0700) == 0);
  CHECK_THROWS_WITH(prepare_mountpoint(wafer), Contains("another directory than the one"));
  release_mountpoint(wafer);
  CHECK(mode_of(place) == 0700);
  if (fs::exists(place / kMountpointMarker)) {
    CHECK(test::read_file(place / kMountpointMarker) == "precious");
  }
}

TEST_CASE("a directory that add was given is mounted on again, and given back") {
  const auto backend = GENERATE(BackendKind::namespace_, BackendKind::host, BackendKind::fuse);
  const TempDir temp;
  fs::create_directory(temp / "view");
  Wafer wafer = wafer_at(temp / "view", backend);
  prepare_mountpoint(wafer);
  wafer.stage = WaferStage::ready;
  prepare_mountpoint(wafer);
  release_mountpoint(wafer);
  CHECK(fs::is_empty(temp / "view"));
  CHECK_THROWS_WITH(prepare_mountpoint(wafer), Contains("another directory than the one"));
  fs::remove(temp / "view");
  prepare_mountpoint(wafer);
  CHECK(fs::exists(temp / "view"));
}

TEST_CASE("a mountpoint that an earlier version marked by its file alone is ours") {
  const TempDir temp;
  Wafer wafer = wafer_at(temp / "view");
  prepare_mountpoint(wafer);
  wafer.stage = WaferStage::ready;
  REQUIRE(::chmod((temp / "view").c_str(), 0755) == 0);
  REQUIRE(::removexattr((temp / "view").c_str(), "user.wafers.mountpoint") == 0);
  REQUIRE(::chmod((temp / "view").c_str(), 0555) == 0);
  prepare_mountpoint(wafer);
  release_mountpoint(wafer);
  CHECK_FALSE(fs::exists(temp / "view"));
}

TEST_CASE("root follows no symlink of others to a mountpoint") {
  if (::geteuid() != 0) return;
  const TempDir temp;
  const auto is_refused = [&](const fs::path& place) {
    try {
      refuse_place_of_others(temp.path() / place);
      return false;
    } catch (const Error& error) {
      return error.kind() == ErrorKind::refused;
    }
  };
  fs::create_directories(temp / "roots/place");
  fs::create_directory(temp / "theirs");
  fs::create_directory_symlink("../roots", temp / "theirs/link");
  fs::create_directory_symlink("theirs/link", temp / "through");
  fs::create_directory_symlink(temp / "roots", temp / "straight");
  fs::create_directory_symlink("round", temp / "round");
  REQUIRE(::chown((temp / "theirs").c_str(), 59998, 59998) == 0);
  for (const char* safe : {"roots/place", "roots/new/view", "straight/place", "straight/../roots",
                           "./straight/./place", "round/view", "new/view"}) {
    INFO(safe);
    CHECK_FALSE(is_refused(safe));
  }
  for (const char* theirs :
       {"theirs/link/place", "through/place", "through/new/view", "theirs/new/view",
        "straight/../theirs/link", "theirs/../roots/place"}) {
    INFO(theirs);
    CHECK(is_refused(theirs));
    CHECK_THROWS_AS(resolved_place(temp.path() / theirs), Error);
  }
  // Looked at and resolved by one walk: nobody can put a symlink there in between.
  for (const auto& [place, resolved] :
       std::vector<std::pair<std::string, std::string>>{{"straight/place", "roots/place"},
                                                        {"straight/new/../view", "roots/view"},
                                                        {"./straight/./new/view", "roots/new/view"},
                                                        {"new/view", "new/view"}}) {
    INFO(place);
    CHECK(resolved_place(temp.path() / place) == fs::canonical(temp.path()) / resolved);
  }
}

TEST_CASE("root mounts nowhere that others can replace") {
  if (::geteuid() != 0) return;
  const TempDir temp;
  fs::create_directory(temp / "theirs");
  const auto refused = [&] {
    Wafer wafer = wafer_at(temp / "theirs/view");
    try {
      prepare_mountpoint(wafer);
      release_mountpoint(wafer);
      return false;
    } catch (const Error& error) {
      CHECK_THAT(error.message(), Contains("could put something else in its place"));
      CHECK_FALSE(fs::exists(temp / "theirs/view/x"));
      return error.kind() == ErrorKind::refused;
    }
  };
  CHECK_FALSE(refused());
  REQUIRE(::chmod((temp / "theirs").c_str(), 0777) == 0);
  CHECK(refused());
  REQUIRE(::chmod((temp / "theirs").c_str(), 01777) == 0);
  CHECK_FALSE(refused());
  fs::create_directory(temp / "theirs/view");
  REQUIRE(::chown((temp / "theirs/view").c_str(), 59998, 59998) == 0);
  CHECK(refused());
  REQUIRE(::chmod((temp / "theirs").c_str(), 0755) == 0);
  REQUIRE(::chown((temp / "theirs").c_str(), 59998, 59998) == 0);
  CHECK(refused());
}

}  // namespace
}  // namespace wafers
