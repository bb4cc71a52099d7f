// Bases with something mounted below them. Each script runs in a mount namespace of its own in
// which the caller may mount: root in one of the host, anybody else in a user namespace, whose
// ordinary user has no capability there.

#include <unistd.h>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

bool is_root() { return ::geteuid() == 0; }

/// `wafers` without the privilege that the script mounts with.
const char* unprivileged() {
  return is_root() ? "\"$0\"" : "setpriv --inh-caps=-all --ambient-caps=-all \"$0\"";
}

/// Runs a script with the program as $0, in the base, where a tmpfs with one file is mounted on the
/// directory `$1`.
RunResult with_mount(const World& world, const std::string& directory, const std::string& script) {
  Words argv{"unshare", "--mount"};
  if (!is_root()) argv.insert(argv.end(), {"--user", "--map-current-user", "--keep-caps"});
  const std::string mount = "mount -t tmpfs below \"$1\" && echo below > \"$1/file\" && ";
  argv.insert(argv.end(), {"sh", "-c", mount + script, WAFERS_PROGRAM, directory});
  return run(argv, {.cwd = world / "base",
                    .environment = {"WAFERS_STATE_DIR=" + world.state().native(), "WAFERS_NAME"}});
}

/// The world's base with a directory that is ignored and one that isn't.
void add_directories(const World& world) {
  world.base().write("modules/installed", "hidden\n");
  world.base().write(".gitignore", "*.o\nmodules/\n");
  world.base().write("src/file", "tracked\n");
  world.base().commit_all();
}

const char* const kIgnored = "'modules' of the base is a mount of its own (tmpfs)";
const char* const kTracked = "'src' of the base is a mount of its own (tmpfs)";

TEST_CASE("a namespace's view of a base with a mount below is refused, by its name") {
  const World world;
  add_directories(world);
  const std::string directory = GENERATE("modules", "src");
  const std::string add = std::string(unprivileged()) + " add a --assume-clean --backend namespace";
  const RunResult result = with_mount(world, directory, add);
  CHECK(result.status == 5);
  CHECK_THAT(world.shortened(result.err),
             Contains("backend 'namespace' can't show this base: '" + directory +
                      "' of the base is a mount of its own (tmpfs)"));
  CHECK_THAT(world.shortened(result.err), Contains("umount {top}/base/" + directory));
  CHECK_FALSE(std::filesystem::exists(world.state() / "a"));

  // One that came later, and went again.
  world.add("a", "namespace");
  world.wafers_ok({"umount", "a"});
  const RunResult mount = with_mount(world, directory, std::string(unprivileged()) + " mount a");
  CHECK(mount.status == 5);
  CHECK_THAT(mount.err, Contains("cannot mount wafer 'a': '" + directory + "' of the base is"));
  CHECK(world.inside("a", "cat src/file") == "tracked\n");
}

TEST_CASE("what is mounted below the checkout of a frozen base is none of its business") {
  const World world;
  add_directories(world);
  world.add("a", "namespace", {"--frozen"});
  world.wafers_ok({"umount", "a"});
  const RunResult later = with_mount(
      world, "src", std::string(unprivileged()) + " mount a && \"$0\" exec a -- cat src/file");
  CHECK(later.err.empty());
  CHECK(later.out == "tracked\n");
}

TEST_CASE("the host's view leaves an ignored mount out, with a word, and no tracked file") {
  const World world;
  add_directories(world);
  const RunResult ignored = with_mount(
      world, "modules", R"("$0" add a --backend host >&2 && "$0" exec a -- ls -A modules)");
  CHECK(ignored.out == "installed\n");
  CHECK(ignored.err.starts_with("wafers: warning: " + std::string(kIgnored) +
                                ": the view shows what that covers instead\n"));
  CHECK(with_mount(world, "modules", R"("$0" mount a)").ok());
  const RunResult later = with_mount(world, "src", R"("$0" mount a)");
  CHECK(later.status == 5);
  CHECK_THAT(later.err, Contains(std::string("cannot mount wafer 'a': ") + kTracked +
                                 ", whose tracked files the view would lack"));
  const RunResult tracked = with_mount(world, "src", R"("$0" add b --assume-clean --backend host)");
  CHECK(tracked.status == 5);
  CHECK_THAT(tracked.err,
             Contains(std::string("backend 'host' can't show this base: ") + kTracked));
}

TEST_CASE("a mount that another one covers is not below the base") {
  const World world;
  add_directories(world);
  const RunResult covered =
      with_mount(world, "src",
                 R"(mount --bind "$PWD" "$PWD" && cd "$PWD" && "$0" add a --backend host &&
                    "$0" exec a -- cat src/file)");
  CHECK(covered.err == "");
  CHECK_THAT(covered.out, Contains("\ntracked\n"));
}

TEST_CASE("nobody misses a mount over the git directory, which the view hides") {
  const World world;
  const RunResult result = with_mount(
      world, "src", R"(umount src && mount --bind .git .git && "$0" add a --backend host)");
  CHECK(result.err == "");
  CHECK(result.ok());
}

TEST_CASE("auto takes a backend that shows all tracked files, and says why") {
  const World world;
  add_directories(world);
  const RunResult result = with_mount(world, "src",
                                      std::string(unprivileged()) +
                                          " add a --assume-clean && \"$0\" exec a -- cat src/file; "
                                          "status=$?; \"$0\" rm a --force >&2; exit $status");
  INFO(result.err);
  if (is_root()) {
    CHECK(result.ok());
    CHECK_THAT(result.out, Contains("view (fuse)") && Contains("\nbelow\n"));
    CHECK_THAT(result.err, Contains("falling back from backend host to fuse: ") &&
                               Contains("falling back from backend namespace to fuse: ") &&
                               Contains(kTracked));
  } else {
    // In this user namespace fusermount3 gets no privilege.
    CHECK_THAT(result.err, Contains("no backend works on this host:\n  namespace: ") &&
                               Contains(kTracked) && Contains("umount"));
  }
}

TEST_CASE("doctor tells of a mount below the checkout, and which backend that leaves") {
  const World world;
  add_directories(world);
  const RunResult result =
      with_mount(world, "modules", std::string(unprivileged()) + " doctor; \"$0\" doctor --json");
  CHECK_THAT(result.out, Contains(std::string(kIgnored) +
                                  ": backend namespace can show no view of the base, and backend "
                                  "host leaves it out"));
  CHECK_THAT(world.shortened(result.out), Contains("sudo umount {top}/base/modules"));
  CHECK_THAT(result.out, !Contains("wafers add takes the backend namespace"));
}

}  // namespace
}  // namespace wafers::test
