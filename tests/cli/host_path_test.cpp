#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "cli/world.h"
#include "support/catch.h"

// Programs outside that work through host_path: what they write lands in the view, or they fail.

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// Scripts with $H as host_path and $IN as a directory with a file `new`.
struct Work {
  const char* script;
  const char* lands;  ///< where in the view it writes; empty: namespace refuses it
};

/// By the path as it is, or relative to a working directory there.
constexpr Work kLiteral[] = {
    {"echo new > $H/made", "made"},
    {"echo new > $H/README.tmp; mv $H/README.tmp $H/README", "README"},
    {"sed -i s/base/new/ $H/README", "README"},
    {"cp -R $IN/. $H", "new"},
    {"cp -R $IN $H/made", "made/new"},
    {"tar -C $IN -cf - . | tar -C $H -xf -", "new"},
    {"cd $H; test \"$PWD\" = \"$H\"; echo new > made", "made"},
    {"cd $H/src; mkdir deep; cp $IN/new deep", "src/deep/new"},
    {"cd $H; rsync -a $IN/ .", "new"},
};

/// By what it resolves to.
constexpr Work kResolving[] = {
    {"rsync -a $IN/ $H/", "new"},
    {"rsync -r $IN/ $H/", "new"},
    {"rsync -r $IN/ $H/src/", "src/new"},
    {"rsync -a --mkpath $IN/ $H/made/deep/", "made/deep/new"},
    {"rsync -a --delete $IN/ $H/", "new"},
    {"rsync $IN/new $H", "new"},
    {"cd $H; rsync -a $IN/ ./", "new"},
    {"git init -q $H/made", "made/.git/HEAD"},
    {"git -C $H init -q made", "made/.git/HEAD"},
    {"cd $H; P=$(pwd -P); mkdir -p $P/made/deep; echo new > $P/made/deep/new", "made/deep/new"},
    {"cd $H; P=$(pwd -P); chmod u+w $P; echo new > $P/made", "made"},
    {"P=$(realpath -m $H); mkdir -p $P/made; echo new > $P/made/new", "made/new"},
    {"P=$(realpath $H); echo new > $P/made", "made"},
    {"printf 'all:\\n\\techo new > $(CURDIR)/made\\n' > Rules; make -s -f $PWD/Rules -C $H",
     "made"},
};

class Outside {
 public:
  explicit Outside(const std::string& backend) {
    world.add("a", backend, {"--at", (world / "view").native()});
    fs::create_directory(world / "in");
    write_file(world / "in/new", "new\n");
    host_path = world.listed("a")["host_path"].get<std::string>();
    before_ = listing();
  }

  RunResult run(const Work& work) const {
    return run_script(work.script,
                      {.cwd = world / "in",
                       .environment = {"H=" + host_path.native(), "IN=" + (world / "in").native()},
                       .input = {}});
  }

  bool landed(const Work& work) const {
    return world.inside("a", std::string("test -e ") + work.lands + " && grep -qs -e new -e ref: " +
                                 work.lands + " && echo yes || :") == "yes\n";
  }

  /// Nothing has been written beside the view.
  bool is_untouched() const { return listing() == before_; }

  World world;
  fs::path host_path;

 private:
  /// What lies where host_path and the mountpoint lead to outside, with modes.
  std::string listing() const {
    return run_script("find view state/a/host_path -printf '%p %m %s %T@\\n' 2> /dev/null | sort",
                      {.cwd = world / "", .environment = {}, .input = {}})
        .out;
  }

  std::string before_;
};

TEST_CASE("by host_path taken literally programs outside work in the view") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const Work work = GENERATE(from_range(std::begin(kLiteral), std::end(kLiteral)));
  INFO(backend << ": " << work.script);
  const Outside outside(backend);
  const RunResult result = outside.run(work);
  INFO(result.err);
  CHECK(result.ok());
  CHECK(outside.landed(work));
  if (backend == "namespace") CHECK(outside.is_untouched());
}

TEST_CASE("whoever resolves host_path fails, or works in the view, and never beside it") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const Work work = GENERATE(from_range(std::begin(kResolving), std::end(kResolving)));
  INFO(backend << ": " << work.script);
  const Outside outside(backend);
  const RunResult result = outside.run(work);
  INFO(result.err);
  if (backend == "namespace") {
    CHECK(outside.is_untouched());
    // Where the holder's root is no mount's (a chroot), the kernel has no path to resolve it to.
    if (result.ok()) {
      CHECK(outside.landed(work));
    } else {
      CHECK_THAT(result.err, Contains("Not a directory") || Contains("Directory nonexistent"));
      CHECK(outside.world.wafers_ok({"git-status", "a", "--porcelain"}) == "");
    }
  } else {
    // Everybody sees the view at its mountpoint, and host_path is nothing else.
    CHECK(outside.host_path == outside.world / "view");
    CHECK(result.ok());
    CHECK(outside.landed(work));
  }
}

TEST_CASE(
    "in JSON host_path is a path that leads nowhere outside, the mountpoint stays what it is") {
  const Outside outside("namespace");
  const World& world = outside.world;
  const auto wafer = world.listed("a");
  CHECK(wafer["mountpoint"] == (world / "view").native());
  const fs::path within = world.state() / "a/host_path/only-literally/view";
  CHECK(outside.host_path ==
        "/proc/" + std::to_string(wafer["holder_pid"].get<int>()) + "/root" + within.native());
  CHECK(fs::is_regular_file(within.parent_path()));
  CHECK_THAT(read_file(within.parent_path()), Contains("wafers exec <name> -- <command>"));
  // From inside it is the view as well, for whoever enters by what a program outside told him.
  CHECK(world.inside("a", "cat " + within.native() + "/README") == "base\n");
}

TEST_CASE("exec from a directory below host_path goes to the same place in the view") {
  const Outside outside("namespace");
  const auto directory_of = [&](const fs::path& here) {
    return outside.world
        .wafers({"exec", "a", "--", "/bin/pwd"}, {.cwd = here, .environment = {}, .input = {}})
        .out;
  };
  const std::string view = (outside.world / "view").native();
  CHECK(directory_of(outside.host_path / "src") == view + "/src\n");
  CHECK(directory_of(outside.host_path) == view + "\n");
  CHECK(directory_of(outside.world / "in") == view + "\n");
}

TEST_CASE("neither doctor nor a trial leaves a second place for a view behind") {
  const World world;
  world.wafers({"doctor"});
  world.add("a", "namespace");
  world.wafers_ok({"rm", "a"});
  world.wafers({"doctor"});
  for (const auto& entry : fs::directory_iterator(world.state())) {
    CHECK_FALSE(fs::is_directory(entry.path() / "host_path"));
    CHECK(entry.path().filename() != "host_path");
  }
}

}  // namespace
}  // namespace wafers::test
