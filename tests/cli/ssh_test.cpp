#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "cli/world.h"
#include "support/catch.h"

// ssh inside a namespace, where root's files show as nobody's.

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

/// A home directory whose ssh configuration includes one of root's files, as that for all users
/// does on many systems.
class Home {
 public:
  explicit Home(const World& world) : path_(world / "home") {
    fs::create_directories(path_ / ".ssh");
    write_file(path_ / ".ssh/config", "Include " + kOfRoot + "\nHost a\n  Port 2222\n");
  }
  RunOptions options() const {
    return {.cwd = {}, .environment = {"HOME=" + path_.native()}, .input = {}};
  }
  Words ssh() const { return {"ssh", "-F", (path_ / ".ssh/config").native(), "-G", "a"}; }

  /// It is there wherever ssh is installed.
  static inline const std::string kOfRoot = "/etc/ssh/ssh_config";

 private:
  fs::path path_;
};

Words in_wafer(const Words& command) {
  Words words{"exec", "a", "--"};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

/// Lines of the mount table that a private copy of a file would show up in; the machine may have
/// some of its own.
std::string private_mounts() { return run({"grep", "wafers-private", "/proc/self/mountinfo"}).out; }

TEST_CASE("ssh takes the same configuration inside as outside") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  REQUIRE(fs::exists(Home::kOfRoot));  // of the package openssh-client
  const World world;
  const Home home(world);
  const std::string before = run_ok({"stat", "-c", "%u %g %a %i", Home::kOfRoot});
  const std::string content = read_file(Home::kOfRoot);
  const std::string private_before = private_mounts();
  REQUIRE(world.wafers({"add", "a", "--backend", backend}, home.options()).ok());

  const RunResult outside = run(home.ssh(), home.options());
  REQUIRE(outside.ok());
  const RunResult inside = world.wafers(in_wafer(home.ssh()), home.options());
  CHECK(inside.err == outside.err);
  CHECK(inside.out == outside.out);

  SECTION("from a copy that nobody can write, and no other mount shows") {
    CHECK(world.inside("a", "cat " + Home::kOfRoot) == content);
    if (::geteuid() != 0) {
      CHECK_FALSE(world.wafers(in_wafer({"sh", "-c", "echo x >> " + Home::kOfRoot})).ok());
    }
    CHECK(world.inside("a", "ls") == "README\nignored.o\nsrc\n");
    CHECK(world.inside("a", "grep -c ' '$WAFERS_ROOT' ' /proc/self/mountinfo") == "1\n");
  }
  SECTION("the host is left as it is, and so is the next mount") {
    world.wafers_ok({"umount", "a"});
    CHECK(world.wafers(in_wafer(home.ssh()), home.options()).out == outside.out);
    world.wafers_ok({"rm", "a"});
    CHECK(run_ok({"stat", "-c", "%u %g %a %i", Home::kOfRoot}) == before);
    CHECK(private_mounts() == private_before);
  }
}

}  // namespace
}  // namespace wafers::test
