// Commands that run into a limit of their process (ulimit): they need no more than they can have,
// or say which limit it is and undo all that they did.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <tuple>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// `wafers add` of so many names, with a limit of prlimit(1): "--nofile=64".
RunResult add_limited(const World& world, const std::string& backend, const std::string& limit,
                      int count) {
  Words words{limit, WAFERS_PROGRAM, "add", "--backend", backend};
  for (int i = 1; i <= count; ++i) words.push_back("n" + std::to_string(i));
  return world.run_program("/usr/bin/prlimit", words, {});
}

/// Processes and threads of this user, which is what RLIMIT_NPROC limits.
int own_threads() {
  int count = 0;
  std::error_code error;  // they come and go
  for (const auto& process : fs::directory_iterator("/proc")) {
    struct stat status {};
    if (::stat(process.path().c_str(), &status) != 0 || status.st_uid != ::geteuid()) continue;
    fs::directory_iterator threads(process.path() / "task", error);
    for (; !error && threads != fs::directory_iterator(); threads.increment(error)) ++count;
  }
  return count;
}

#ifndef __SANITIZE_ADDRESS__  // UBSan asks by a pipe(2) whether an object can be read
/// As World::everything(); a trial that fails for want of descriptors may leave its directory to
/// the next add.
std::string all_but_trials(const World& world) {
  std::istringstream lines(world.everything());
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("state/.trial-") == std::string::npos) kept += line + "\n";
  }
  return kept;
}

TEST_CASE("add of many names takes few descriptors, and undoes all where there are too few") {
  const std::string backend = GENERATE(from_range(working_backends()));
  constexpr int kMany = 60;
  const World world;
  world.add("kept", backend);
  const std::string before = all_but_trials(world);
  for (int limit = 8; limit < kMany; limit += 3) {
    const RunResult result =
        add_limited(world, backend, "--nofile=" + std::to_string(limit), kMany);
    INFO(backend << ", at most " << limit << " descriptors: " << result.err);
    if (result.ok()) break;
    CHECK_THAT(result.err, !Contains("install "));
    // With very few of them the program can't be started at all.
    REQUIRE(changes(before, all_but_trials(world)) == "");
  }
  // Fewer than one for each were enough, and each has a lock of its own.
  for (const char* const name : {"n1", "n2", "n60"}) {
    CHECK(world.inside(name, "cat README") == "base\n");
    world.wafers_ok({"umount", name});
    world.wafers_ok({"rm", name});
  }
}
#endif

TEST_CASE("more directories than descriptors that killed commands left are taken away") {
  constexpr int kLeft = 70;
  const World world;
  world.add("kept", any_backend());
  for (int i = 0; i < kLeft; ++i) {
    fs::create_directory(world.state() / (".removing-" + std::to_string(i)));
  }
  const RunResult result = add_limited(world, any_backend(), "--nofile=64", 1);
  INFO(result.err);
  CHECK(result.ok());
}

TEST_CASE("add is undone where there can be no more processes") {
  if (::geteuid() == 0) return;  // whom this limit does not concern
  const std::string backend =
      "namespace";  // what else the user does may leave none for fusermount3
  if (std::ranges::count(working_backends(), backend) == 0) return;
  constexpr int kMany = 20;
  const World world;
  world.add("kept", backend);
  const std::string before = world.everything();
  for (int more = 1; more < kMany; more += 2) {
    const RunResult result =
        add_limited(world, backend, "--nproc=" + std::to_string(own_threads() + more), kMany);
    INFO(backend << ", at most " << more << " more processes: " << result.err);
    if (result.ok()) break;  // others of this user's have ended
    CHECK_THAT(result.err, Contains("EAGAIN") && Contains("ulimit -u"));
    REQUIRE(changes(before, world.everything()) == "");
  }
}

/// A control group of its own, for root where they can be made. Ends when all in it have ended.
class ControlGroup {
 public:
  ControlGroup() {
    std::error_code error;
    if (::geteuid() == 0) made_ = fs::create_directory(path_, error);
  }
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;
  ~ControlGroup() {
    if (made_) std::ignore = ::rmdir(path_.c_str());
  }

  bool limits_processes() const { return fs::exists(path_ / "pids.max"); }

  /// As add_limited(), with at most so many processes and threads in the group.
  RunResult add(const World& world, const std::string& backend, int processes, int count) const {
    std::ofstream(path_ / "pids.max") << processes;
    Words words{"-c",
                R"(echo $$ > "$0"; exec "$@")",
                path_ / "cgroup.procs",
                WAFERS_PROGRAM,
                "add",
                "--backend",
                backend};
    for (int i = 1; i <= count; ++i) words.push_back("n" + std::to_string(i));
    return world.run_program("/bin/sh", words, {});
  }

 private:
  // Version 1 has a hierarchy for each controller (cgroups(7)).
  fs::path path_ =
      fs::path(fs::exists("/sys/fs/cgroup/pids") ? "/sys/fs/cgroup/pids" : "/sys/fs/cgroup") /
      ("wafers-test-" + std::to_string(::getpid()));
  bool made_ = false;
};

TEST_CASE("add is undone where its control group has no place for more processes") {
  const ControlGroup group;
  if (!group.limits_processes()) return;
  const std::string backend = GENERATE(from_range(working_backends()));
  constexpr int kMany = 12;
  const World world;
  world.add("kept", backend);
  const std::string before = world.everything();
  for (const int processes : {2, 5}) {
    const RunResult result = group.add(world, backend, processes, kMany);
    INFO(backend << ", at most " << processes << " processes: " << result.err);
    if (backend == "host" && result.ok()) return;  // it keeps no process for a view
    CHECK(result.status != 0);
    CHECK_THAT(result.err, Contains("ulimit -u"));
    REQUIRE(changes(before, world.everything()) == "");
  }
}

TEST_CASE("add where files may not grow is undone, and says so") {
  // Enough for what it says, and too little for a record.
  const std::string limit = GENERATE("--fsize=300", "--fsize=600");
  const World world;
  world.add("kept", any_backend());
  const std::string before = world.everything();
  const RunResult result = add_limited(world, any_backend(), limit, 1);
  INFO(result.err);
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("File too large (EFBIG)") && Contains("ulimit -f"));
  CHECK(changes(before, world.everything()) == "");
}

#ifndef __SANITIZE_ADDRESS__  // whose programs don't start within such a limit
constexpr std::size_t kMebibyte = std::size_t{1} << 20U;
constexpr std::size_t kLarge = 48 * kMebibyte;
constexpr std::size_t kRest = 112 * kMebibyte;  // of the program

/// wafers with so many bytes of addresses, of which each thread's arena would take 64 MiB where
/// there are so many.
RunResult run_within(const World& world, std::size_t bytes, const Words& arguments) {
  Words words{"--as=" + std::to_string(bytes), WAFERS_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return world.run_program("/usr/bin/prlimit", words, {.environment = {"MALLOC_ARENA_MAX=1"}});
}

/// `piece`, repeated.
std::string text_of(const std::string& piece, std::size_t size) {
  std::string all;
  all.reserve(size + piece.size());
  while (all.size() < size) all += piece;
  return all;
}

TEST_CASE("a file that is converted for a commit is in memory once") {
  const std::string rule = GENERATE("text", "ident");
  const World world;
  world.base().write(".gitattributes", "* " + rule + "\n");
  world.base().commit_all();
  world.add("a", any_backend());
  const fs::path large = world.state() / "a/upper/large";
  write_file(large, text_of("$Id: " + std::string(kMebibyte - 9, 'x') + " $\r\n", kLarge));
  const RunResult result = run_within(world, kLarge + kRest, {"git-commit", "a", "-m", "large"});
  INFO(rule << ": " << result.err);
  REQUIRE(result.ok());
  const std::string wanted = world.base().git_line({"hash-object", "--path=large", large.native()});
  CHECK(world.base().git_line({"rev-parse", "wafers/a:large"}) == wanted);
}

TEST_CASE("a line of patterns that is longer than any path takes no more than its text") {
  const std::string start = GENERATE("", "*");
  const World world;
  world.add("a", any_backend());
  write_file(world.state() / "a/upper/.gitignore", start + std::string(kLarge, 'x'));
  const RunResult result = run_within(world, kLarge + kRest, {"git-status", "a", "--porcelain"});
  INFO(result.err);
  CHECK(result.ok());
  CHECK(result.out == " M .gitignore\n?? ignored.o\n");
}

TEST_CASE("millions of attributes take little more than their text") {
  const std::string line = GENERATE("a a\n", "* a=1 -b !c d e f g h i j k l m n o p q\n");
  constexpr std::size_t kText = 4 * kMebibyte;
  const World world;
  world.add("a", any_backend());
  write_file(world.state() / "a/upper/.gitattributes", text_of(line, kText));
  const RunResult result =
      run_within(world, 25 * kText + kRest, {"git-status", "a", "--porcelain"});
  INFO(line << result.err);
  CHECK(result.ok());
  CHECK(result.out == "?? .gitattributes\n");
}
#endif

}  // namespace
}  // namespace wafers::test
