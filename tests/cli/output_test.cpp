// Where output goes and what it looks like: streams that are closed or full, colours, JSON.

#include <sys/stat.h>

#include <csignal>
#include <set>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using nlohmann::json;

/// `script` with the program as $1, in the base.
RunResult shell(const World& world, const std::string& script, Words environment = {}) {
  environment.push_back("WAFERS_STATE_DIR=" + world.state().native());
  environment.emplace_back("WAFERS_NAME");
  return run({"sh", "-c", script, "sh", WAFERS_PROGRAM},
             {.cwd = world.base().path(), .environment = environment, .input = {}});
}

std::set<std::string> keys_of(const json& object) {
  std::set<std::string> keys;
  for (const auto& item : object.items()) keys.insert(item.key());
  return keys;
}

TEST_CASE("each program that is run can be told, with its time") {
  const World world;
  world.add("a", any_backend());
  const auto diff = [&](const std::string& trace) {
    return shell(world, WAFERS_PROGRAM " git-diff a", {trace}).err;
  };
  const std::string told = diff("WAFERS_TRACE=1");
  CHECK_THAT(told, StartsWith("wafers: ran in "));
  CHECK_THAT(told, Contains(" ms: 'git' '-C' ") || Contains(" ms: git -C "));
  CHECK(diff("WAFERS_TRACE=0").empty());
  CHECK(diff("WAFERS_TRACE").empty());
}

TEST_CASE("output that can't be written is a failure, told once") {
  const World world;
  world.add("a", any_backend());
  // More than any buffer holds, so that it fails in the middle as well as at the end.
  world.inside("a", "seq 100000 > numbers");
  const std::string full =
      "wafers: cannot write to standard output: No space left on device (ENOSPC)\n";
  const std::string closed =
      "wafers: cannot write to standard output: Bad file descriptor (EBADF)\n";
  for (const char* command :
       {"help", "ls", "ls --json", "git-status a", "git-status a --json", "skill", "version"}) {
    INFO(command);
    const RunResult to_full = shell(world, "\"$1\" " + std::string(command) + " > /dev/full");
    CHECK(to_full.status == 1);
    CHECK(to_full.err == full);
    const RunResult to_closed = shell(world, "\"$1\" " + std::string(command) + " >&-");
    CHECK(to_closed.status == 1);
    CHECK(to_closed.err == closed);
  }
  // What git prints, git tells of.
  for (const char* out : {" > /dev/full", " >&-"}) {
    const RunResult diff = shell(world, "\"$1\" git-diff a --uncommitted" + std::string(out));
    CHECK(diff.status == 1);
    CHECK_THAT(diff.err, StartsWith("fatal: "));
    CHECK_THAT(diff.err, EndsWith("\nwafers: git diff ended with status 128\n"));
  }
  // A failure keeps its own exit status.
  CHECK(shell(world, "\"$1\" frob --json > /dev/full").status == 2);
}

TEST_CASE("a reader that goes away ends us as it ends git") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "seq 100000 > numbers");
  // The pipe's reader is gone before anything is written.
  const std::string into_broken_pipe =
      "rm -f ../pipe; mkfifo ../pipe; sh -c 'exec 3<../pipe' & exec 4>../pipe; wait; exec ";
  for (const char* command : {"\"$1\" help", "\"$1\" git-diff a --uncommitted", "git log"}) {
    INFO(command);
    const RunResult result = shell(world, into_broken_pipe + command + " >&4");
    CHECK(result.signal == SIGPIPE);
    CHECK(result.err.empty());
  }
}

TEST_CASE("closed standard streams are not taken for files of ours") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  const auto closed = [&](const std::string& arguments) {
    return shell(world, "\"$1\" " + arguments + " <&- >&- 2>&-").status;
  };
  CHECK(closed("add a --backend " + backend) == 1);  // which it can't tell
  CHECK(world.listed("a")["status"] == "mounted");
  CHECK(closed("exec a -- sh -c 'echo x > file'") == 0);
  CHECK(closed("git-status a") == 1);
  CHECK(closed("git-commit a -m x --author bad") == 2);
  CHECK(closed("git-commit a -m x") == 1);
  CHECK(world.base().git({"show", "wafers/a:file"}) == "x\n");
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  world.base().git({"fsck", "--strict"});
  // The command finds its streams as closed as ours were.
  CHECK(shell(world,
              "\"$1\" exec a -- sh -c 'for n in 0 1 2; do [ ! -e /proc/$$/fd/$n ] || exit 1; "
              "done' <&- >&- 2>&-")
            .status == 0);
  CHECK(closed("rm a") == 1);
  CHECK_FALSE(fs::exists(world / "state/a"));
}

TEST_CASE("data goes to stdout, all else to stderr") {
  const World world;
  write_file(world / "full/file", "x");
  world.wafers_ok({"add", "a", "--backend", any_backend()});
  CHECK(world.wafers({"add", "b", "--at", (world / "full").native()}).out.empty());
  CHECK(world.wafers({"git-status", "a"}).err.empty());
  CHECK(world.wafers({"mount", "a"}).out.empty());
  CHECK(world.wafers({"umount", "a"}).out.empty());
  const RunResult some = world.wafers({"mount", "none", "a", "nobody"});
  CHECK(some.status == 1);
  CHECK(some.err ==
        "wafers: there is no wafer 'none'\nhint: 'wafers ls' lists the wafers that there are\n"
        "wafers: there is no wafer 'nobody'\nhint: 'wafers ls' lists the wafers that there are\n");
  CHECK(world.listed("a")["status"] == "mounted");
  CHECK(world.wafers({"umount", "none", "a"}).status == 1);
  CHECK(world.listed("a")["status"] == "unmounted");
}

TEST_CASE("colours follow the terminal, NO_COLOR and TERM") {
  if (!run_script("command -v script").ok()) return;  // no terminal to be had
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README");
  const auto on_terminal = [&](const Words& environment, const std::string& options = {}) {
    Words all{"GIT_PAGER=cat", "PAGER=cat", "NO_COLOR", "TERM=xterm"};
    all.insert(all.end(), environment.begin(), environment.end());
    return shell(world, "script -qec \"'$1' git-diff a --uncommitted " + options + "\" /dev/null",
                 all)
        .out;
  };
  CHECK_THAT(on_terminal({}), Contains("\x1B["));
  CHECK_THAT(on_terminal({}), Contains("diff --git"));
  CHECK_THAT(on_terminal({"NO_COLOR="}), Contains("\x1B["));  // empty: as if unset (no-color.org)
  CHECK_THAT(on_terminal({"NO_COLOR=1"}), !Contains("\x1B["));
  CHECK_THAT(on_terminal({"NO_COLOR=1"}, "--color always"), Contains("\x1B["));
  CHECK_THAT(on_terminal({"TERM=dumb"}), !Contains("\x1B["));
  CHECK_THAT(on_terminal({}, "--color never"), !Contains("\x1B["));
}

TEST_CASE("the keys of JSON documents") {
  const World world;
  const std::set<std::string> wafer_keys{
      "base_kind",  "base_ref",    "base_layers", "name",    "branch", "branch_note",
      "base_repo",  "base_commit", "last_commit", "backend", "status", "mountpoint",
      "in_place",   "host_path",   "holder_pid",  "user_ns", "mnt_ns", "upperdir",
      "created_at", "base_moved",  "reason",      "durable", "git"};
  const json added = world.json({"add", "a", "b"});
  CHECK(keys_of(added) == std::set<std::string>{"base", "wafers"});
  for (const json& wafer : added["wafers"]) CHECK(keys_of(wafer) == wafer_keys);
  CHECK_THAT(added["wafers"][0]["created_at"].get<std::string>(),
             Catch::Matchers::Matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ"));
  world.wafers_ok({"umount", "a"});
  const json unmounted = world.listed("a");
  CHECK(keys_of(unmounted) == wafer_keys);
  for (const char* absent : {"host_path", "holder_pid", "user_ns", "mnt_ns"}) {
    CHECK(unmounted[absent].is_null());
  }
  CHECK(keys_of(world.json({"ls"})) == std::set<std::string>{"wafers", "invalid_entries"});
  world.inside("b", "echo x > new");
  const json status = world.json({"git-status", "b"});
  CHECK(keys_of(status) == std::set<std::string>{"entries"});
  CHECK(keys_of(status["entries"][0]) == std::set<std::string>{"path", "status"});
  const json commit = world.json({"git-commit", "b", "-m", "x"});
  CHECK(keys_of(commit) ==
        std::set<std::string>{"commit", "tree", "parent", "branch", "files_changed"});
  CHECK(commit["tree"] == world.base().git_line({"rev-parse", "wafers/b^{tree}"}));
  CHECK(keys_of(world.json({"rm", "a", "b"})) == std::set<std::string>{"removed", "salvaged"});
  const json doctor = world.json({"doctor"});
  CHECK(keys_of(doctor) == std::set<std::string>{"checks", "backend", "verdict"});
  CHECK(keys_of(doctor["checks"][0]) == std::set<std::string>{"id", "status", "message", "remedy"});
}

TEST_CASE("namespaces in JSON are those of the holder") {
  const World world;
  world.add("a", "namespace");
  const json wafer = world.listed("a");
  const std::string holder = std::to_string(wafer["holder_pid"].get<int>());
  CHECK(wafer["user_ns"] == "/proc/" + holder + "/ns/user");
  CHECK(wafer["mnt_ns"] == "/proc/" + holder + "/ns/mnt");
  CHECK(
      run_ok({"nsenter", "--preserve-credentials", "--user=" + wafer["user_ns"].get<std::string>(),
              "--mount=" + wafer["mnt_ns"].get<std::string>(), "cat",
              (world / "state/a/mnt/README").native()}) == "base\n");
}

TEST_CASE("failures as JSON: one document, the kind by the exit status, and nothing on stderr") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo x > new");
  world.inside("a", "sleep 1000 >/dev/null 2>&1 &");  // keeps it busy
  struct Failing {
    Words arguments;
    int status;
    const char* kind;
  };
  const std::vector<Failing> cases{
      {{"add"}, 2, "usage"},
      {{"add", "a b"}, 2, "usage"},
      {{"add", "a"}, 1, "failed"},
      {{"add", "b", "--branch", "main"}, 3, "refused"},
      {{"ls", "x"}, 2, "usage"},
      {{"rm"}, 2, "usage"},
      {{"rm", "none"}, 1, "failed"},
      {{"rm", "a"}, 3, "refused"},
      {{"rm", "--force", "a"}, 4, "busy"},
      {{"git-status", "none"}, 1, "failed"},
      {{"git-status", "a", "b"}, 2, "usage"},
      {{"git-commit", "a", "-m", "x", "--", "missing"}, 2, "usage"},
      {{"git-commit", "none", "-m", "x"}, 1, "failed"},
      {{"doctor", "x"}, 2, "usage"},
  };
  for (Failing wanted : cases) {
    wanted.arguments.insert(std::next(wanted.arguments.begin()), "--json");
    INFO(wanted.arguments[0] << " -> " << wanted.kind);
    const RunResult result = world.wafers(wanted.arguments);
    CHECK(result.status == wanted.status);
    CHECK(result.err.empty());
    const json error = json::parse(result.out)["error"];
    CHECK(keys_of(error) == std::set<std::string>{"kind", "message", "hint"});
    CHECK(error["kind"] == wanted.kind);
  }
  const RunResult unsupported =
      world.wafers({"add", "b", "--backend", "namespace", "--json"},
                   {.cwd = {}, .environment = {"WAFERS_HOLDER=/nonexistent"}, .input = {}});
  CHECK(unsupported.status == 5);
  CHECK(json::parse(unsupported.out)["error"]["kind"] == "unsupported");
}

TEST_CASE("whatever the umask") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const std::string umask = GENERATE("000", "027", "077");
  INFO("backend " << backend << ", umask " << umask);
  const World world;
  const auto masked = [&](const std::string& arguments) {
    const RunResult result = shell(world, "umask " + umask + "; \"$1\" " + arguments);
    INFO(result.err);
    CHECK(result.ok());
  };
  masked("add a --backend " + backend);
  masked("exec a -- sh -c 'umask 022; echo x > file'");
  masked("git-commit a -m x");
  masked("umount a");
  masked("mount a");
  CHECK(world.inside("a", "cat file; umask") == "x\n" + world.inside("a", "umask"));
  struct stat stat {};
  for (const char* path : {"state", "state/a"}) {
    REQUIRE(::stat((world / path).c_str(), &stat) == 0);
    CHECK((stat.st_mode & 07777U) == 0700);
  }
  REQUIRE(::stat((world / "state/a/metadata").c_str(), &stat) == 0);
  CHECK((stat.st_mode & 0177U) == 0);
  masked("rm a");
  CHECK_FALSE(fs::exists(world / "state/a"));
}

// ESC, CSI as a C1 control, and the right-to-left override, as no name may bring them to a
// terminal.
const std::string kHostile =
    "h\x1b[31m\xc2\x9b"
    "32m\xe2\x80\xae";

bool reaches_terminal(const std::string& text) {
  return text.find('\x1b') != std::string::npos || text.find("\xc2\x9b") != std::string::npos ||
         text.find("\xe2\x80\xae") != std::string::npos;
}

TEST_CASE("no name that is printed writes to the terminal") {
  const World world(kHostile);
  world.base().git({"branch",
                    "other\xc2\x9b"
                    "m\xe2\x80\xae"});
  world.add("a", any_backend());
  world.add("b", any_backend(),
            {"--branch",
             "other\xc2\x9b"
             "m\xe2\x80\xae"});
  world.inside("a", "mkfifo '" + kHostile + "'; mkdir -p '" + kHostile + ".d'; echo x > '" +
                        kHostile + ".d/" + kHostile + "'");
  fs::create_directory(world.state() / ("planted" + kHostile));
  const std::vector<Words> commands{
      {"ls"},
      {"ls", "--json"},
      {"git-status", "a"},
      {"git-status", "a", "--json"},
      {"git-status", kHostile},
      {"git-commit", "a", "-m", "x", "--", kHostile},
      {"git-commit", "a", "-m", "subject " + kHostile},
      {"git-commit", "b", "--allow-empty", "-m", "x"},
      {"git-add", "a", "--json", "--", kHostile},
      {"add", kHostile},
      {"add", "c", "--from", (world / kHostile).native()},
      {"add", "c", "--branch",
       "other\xc2\x9b"
       "m\xe2\x80\xae"},
      {"exec", "a", "--", kHostile},
      {"rm", kHostile},
      {"rm", "planted" + kHostile},
      {"doctor"},
      {"doctor", "--json"},
      {"help", kHostile},
      {kHostile},
  };
  for (const Words& command : commands) {
    INFO(world.shortened(command.front()) << " " << command.size());
    const RunResult result = world.wafers(command);
    CHECK_FALSE(reaches_terminal(result.out));
    CHECK_FALSE(reaches_terminal(result.err));
  }
}

/// What a command prints at a terminal.
std::string at_terminal(const World& world, const std::string& environment,
                        const std::string& arguments) {
  return run({"sh", "-c",
              environment + " script -qec \"'" WAFERS_PROGRAM "' " + arguments + "\" /dev/null"},
             {.cwd = world.base().path(),
              .environment = {"WAFERS_STATE_DIR=" + world.state().native(), "WAFERS_NAME"},
              .input = {}})
      .out;
}

TEST_CASE("git-status, doctor and errors have colours at a terminal, as git has them") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 2 > README; echo new > new; rm src/old.c");
  world.wafers_ok({"git-add", "a", "--", "README"});
  const std::string status = at_terminal(world, "", "git-status a -s");
  CHECK_THAT(status, Contains("\x1B[32mM\x1B[m  README") &&
                         Contains(" \x1B[31mD\x1B[m src/old.c") &&
                         Contains("\x1B[31m??\x1B[m new"));
  const std::string plain = world.wafers_ok({"git-status", "a", "-s"});
  CHECK(plain == "M  README\n D src/old.c\n?? new\n");
  for (const char* options : {"git-status a --porcelain", "git-status a -s --color never"}) {
    CHECK_THAT(at_terminal(world, "", options), !Contains("\x1B["));
  }
  CHECK_THAT(at_terminal(world, "NO_COLOR=1", "git-status a"), !Contains("\x1B["));
  CHECK_THAT(world.wafers_ok({"git-status", "a", "--color", "always"}), Contains("\x1B[32mM"));
  world.base().git({"config", "color.ui", "false"});
  CHECK_THAT(at_terminal(world, "", "git-status a"), !Contains("\x1B["));
  CHECK_THAT(at_terminal(world, "", "doctor"), Contains("\x1B[32mok\x1B[m "));
  const std::string error = at_terminal(world, "", "path none");
  CHECK_THAT(error, Contains("\x1B[31mwafers:\x1B[m ") && Contains("\x1B[36mhint:\x1B[m "));
  CHECK_THAT(world.wafers({"path", "none"}).err, !Contains("\x1B["));
}

TEST_CASE("git-diff of what isn't committed says so at a terminal") {
  const World world;
  world.add("a", any_backend());
  const std::string words = "nothing is committed yet: 'wafers git-diff a --uncommitted'";
  CHECK_THAT(at_terminal(world, "", "git-diff a"), !Contains(words));
  world.inside("a", "echo new > new");
  CHECK_THAT(at_terminal(world, "", "git-diff a"), Contains(words));
  CHECK_THAT(at_terminal(world, "", "git-diff a --all"), !Contains(words));
  CHECK(world.wafers({"git-diff", "a"}).err.empty());
}

TEST_CASE("-q leaves out what was done, and -v tells how") {
  const World world;
  CHECK(world.wafers_ok({"-q", "add", "a", "--backend", any_backend()}).empty());
  world.inside("a", "echo 2 > README");
  CHECK(world.wafers_ok({"--quiet", "git-commit", "a", "-m", "x"}).empty());
  CHECK(world.wafers_ok({"-q", "path", "a"}) == world.wafers_ok({"path", "a"}));
  CHECK(world.wafers({"-q", "path", "none"}).status == 1);
  const RunResult told = world.wafers({"-v", "git-diff", "a", "--stat"});
  CHECK(told.status == 0);
  CHECK_THAT(told.err, Contains("git") && Contains(" diff"));
  CHECK(world.wafers({"-q"}).status == 2);
  CHECK(world.wafers_ok({"-q", "rm", "a"}).empty());
}

}  // namespace
}  // namespace wafers::test
