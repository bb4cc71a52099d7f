// The state is the caller's alone, or it isn't used.

#include <sys/stat.h>
#include <unistd.h>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

constexpr uid_t kSomebody = 59998;

mode_t mode_of(const fs::path& path) {
  struct stat stat {};
  REQUIRE(::lstat(path.c_str(), &stat) == 0);
  return stat.st_mode & 07777U;
}

const std::vector<Words> kCommands{
    {"add", "b"},           {"ls"},
    {"mount", "a"},         {"umount", "a"},
    {"rm", "--force", "a"}, {"rm", "--all", "--force"},
    {"git-status", "a"},    {"git-commit", "a", "-m", "x"},
};

TEST_CASE("a state directory that others can write is made private") {
  const World world;
  world.add("a", any_backend());
  for (const mode_t mode : {0755U, 0775U, 0777U}) {
    REQUIRE(::chmod(world.state().c_str(), mode) == 0);
    world.wafers_ok({"ls"});
    CHECK(mode_of(world.state()) == 0700);
  }
}

TEST_CASE("a directory that is shared on purpose is not used") {
  const World world;
  world.add("a", any_backend());
  REQUIRE(::chmod(world.state().c_str(), 01777) == 0);
  const std::string before = world.everything();
  for (const Words& words : kCommands) {
    const RunResult result = world.wafers(words);
    CHECK(result.status == 3);
    CHECK_THAT(result.err, Contains("can be written by others"));
  }
  CHECK(world.wafers({"exec", "a", "--", "true"}).status == 125);
  CHECK(changes(before, world.everything()).empty());
  REQUIRE(::chmod(world.state().c_str(), 0700) == 0);
}

TEST_CASE("the state of somebody else is not used, by root neither") {
  const World world;
  world.add("a", any_backend());
  const bool root = ::geteuid() == 0;
  if (root) REQUIRE(::chown(world.state().c_str(), kSomebody, kSomebody) == 0);
  const std::string before = world.everything();
  const RunOptions options{
      .cwd = {},
      .environment = {"WAFERS_STATE_DIR=" + (root ? world.state().native() : "/usr")},
      .input = {}};
  for (const Words& words : kCommands) {
    const RunResult result = world.wafers(words, options);
    CHECK(result.status == 3);
    CHECK_THAT(result.err, Contains("belongs to another user"));
  }
  CHECK(world.wafers({"exec", "a", "--", "true"}, options).status == 125);
  const RunResult doctor = world.wafers({"doctor"}, options);
  CHECK_THAT(doctor.out, Contains("belongs to another user"));
  CHECK(doctor.status == 5);
  CHECK(changes(before, world.everything()).empty());
  if (root) REQUIRE(::chown(world.state().c_str(), 0, 0) == 0);
}

TEST_CASE("a wafer of somebody else in the own state is not used") {
  if (::geteuid() != 0) return;  // only root can make it
  const World world;
  world.add("a", any_backend());
  REQUIRE(::chown((world.state() / "a").c_str(), kSomebody, kSomebody) == 0);
  for (const Words& words : {Words{"mount", "a"}, Words{"umount", "a"}, Words{"git-status", "a"},
                             Words{"rm", "--force", "a"}, Words{"rm", "--all", "--force"}}) {
    const RunResult result = world.wafers(words);
    CHECK(result.status == 3);
    CHECK_THAT(result.err, Contains("belongs to another user"));
  }
  CHECK_THAT(world.json({"ls"})["invalid_entries"][0]["reason"].get<std::string>(),
             Contains("belongs to another user"));
  REQUIRE(::chown((world.state() / "a").c_str(), 0, 0) == 0);
}

TEST_CASE("a setuid program is refused") {
  if (::geteuid() != 0) return;  // only root can make it
  const World world;
  fs::copy(fs::path(WAFERS_PROGRAM).parent_path() / "wafers", world / "wafers");
  REQUIRE(::chown((world / "wafers").c_str(), 0, 0) == 0);
  REQUIRE(::chmod((world / "wafers").c_str(), 04755) == 0);
  for (fs::path path = world / "."; path != "/tmp" && path != "/"; path = path.parent_path()) {
    REQUIRE(::chmod(path.c_str(), 0755) == 0);
  }
  const RunResult result = run({"setpriv", "--reuid=59998", "--regid=59998", "--clear-groups",
                                (world / "wafers").native(), "ls"});
  CHECK(result.status == 3);
  CHECK_THAT(result.err, Contains("more privileges than its caller"));
}

}  // namespace
}  // namespace wafers::test
