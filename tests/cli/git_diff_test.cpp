// git-diff against `git diff` of the same two commits, on a terminal and off it.

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

/// A wafer `a` whose branch differs from the base in many ways.
class Diffed {
 public:
  Diffed() {
    world_.add("a", any_backend());
    world_.inside("a",
                  "seq 400 > numbers; mv README 'READ ME'; echo '\tx \t' >> src/main.c\n"
                  "printf 'a\\0b' > binary; ln -s numbers link");
    world_.base().write(".git/info/attributes", "*.c diff=cpp\nnumbers diff=cpp\n");
    world_.wafers_ok({"git-commit", "a", "-m", "x"});
  }
  const World& world() const { return world_; }

  /// What both print, and how they end, must be the same. `command` gets the two as "$1".
  void check_same(const Words& environment, const std::string& command, const Settings& settings,
                  const std::string& option = {}) {
    for (const auto& [key, value] : settings) world_.base().git({"config", key, value});
    const RunResult ours = run("'" WAFERS_PROGRAM "' git-diff a " + option, environment, command);
    const RunResult theirs =
        run("git diff --binary " + option + " main wafers/a", environment, command);
    CHECK(ours.out == theirs.out);
    CHECK(ours.err == theirs.err);
    CHECK(ours.status == theirs.status);
    for (const auto& [key, value] : settings) world_.base().git({"config", "--unset", key});
  }

  RunResult run(const std::string& program, Words environment, const std::string& command) const {
    environment.insert(environment.begin(),
                       {"WAFERS_STATE_DIR=" + world_.state().native(), "TERM=xterm", "GIT_PAGER",
                        "PAGER", "LESS", "LV", "NO_COLOR", "COLUMNS"});
    return test::run({"sh", "-c", command, "sh", program},
                     {.cwd = world_.base().path(), .environment = environment, .input = {}});
  }

 private:
  World world_;
};

const char* const kOnTerminal = "script -qec \"$1\" /dev/null";
const char* const kPlain = "sh -c \"$1\"";

bool has_terminal() { return run_script("command -v script").ok(); }

TEST_CASE("git-diff heeds every setting that git diff heeds") {
  Diffed diffed;
  const std::vector<Settings> all{
      {},
      {{"diff.context", "1"}, {"diff.interHunkContext", "4"}},
      {{"diff.renames", "false"}},
      {{"diff.renames", "copies"}},
      {{"diff.algorithm", "histogram"}},
      {{"diff.suppressBlankEmpty", "true"}},
      {{"core.abbrev", "auto"}},
      {{"core.abbrev", "12"}},
      {{"core.quotePath", "false"}},
      {{"diff.cpp.xfuncname", "^[0-9]+$"}},
  };
  for (const Settings& settings : all) {
    INFO((settings.empty() ? "no setting" : settings.front().first));
    diffed.check_same({}, kPlain, settings);
  }
}

TEST_CASE("settings for people's eyes count on a terminal, and leave a program's patch alone") {
  Diffed diffed;
  const std::vector<Settings> all{
      {{"diff.noprefix", "true"}},
      {{"diff.mnemonicPrefix", "true"}},
      {{"color.ui", "always"}},
      {{"color.ui", "always"},
       {"color.diff.new", "bold blue"},
       {"diff.wsErrorHighlight", "all"},
       {"diff.colorMoved", "zebra"},
       {"core.whitespace", "tab-in-indent"}},
  };
  const auto patch = [&] { return diffed.run("'" WAFERS_PROGRAM "' git-diff a", {}, kPlain).out; };
  const std::string plain = patch();
  CHECK(plain == diffed.world().base().git({"diff", "--binary", "main", "wafers/a"}));
  for (const Settings& settings : all) {
    INFO(settings.front().first);
    if (has_terminal()) diffed.check_same({"GIT_PAGER=cat"}, kOnTerminal, settings);
    for (const auto& [key, value] : settings) diffed.world().base().git({"config", key, value});
    CHECK(patch() == plain);
    for (const auto& [key, value] : settings) {
      diffed.world().base().git({"config", "--unset", key});
    }
  }
}

TEST_CASE("git-diff's output goes through the pager that git would take") {
  if (!has_terminal()) return;
  Diffed diffed;
  const std::string shown = "env | grep -E '^(LESS|LV|GIT_PAGER_IN_USE)=' | sort; head -n 3";
  const std::vector<std::pair<Words, Settings>> all{
      {{"PAGER=" + shown}, {}},
      {{"PAGER=" + shown, "LESS=R", "LV=x"}, {}},
      {{"GIT_PAGER=sed s/^/1:/", "PAGER=sed s/^/2:/"}, {{"core.pager", "sed s/^/3:/"}}},
      {{"PAGER=sed s/^/2:/"}, {{"core.pager", "sed s/^/3:/"}}},
      {{}, {{"core.pager", "sed s/^/3:/"}, {"pager.diff", "sed s/^/4:/"}}},
      {{"GIT_PAGER=sed s/^/1:/"}, {{"pager.diff", "false"}}},
      {{"GIT_PAGER=sed s/^/1:/"}, {{"pager.diff", "sed s/^/4:/"}}},
      {{"GIT_PAGER="}, {}},
      {{"GIT_PAGER=cat"}, {}},
      {{"PAGER=cat"}, {{"color.ui", "false"}}},
      {{"PAGER=sed s/^/2:/"}, {{"color.pager", "false"}}},
      {{"GIT_PAGER=/no/such/pager"}, {}},
      {{"GIT_PAGER=cat; exit 3"}, {}},
      {{"GIT_PAGER=sed s/^/1:/", "TERM=dumb"}, {}},
  };
  for (const auto& [environment, settings] : all) {
    INFO((environment.empty() ? "no variable" : environment.front()));
    diffed.check_same(environment, kOnTerminal, settings);
  }
}

TEST_CASE("without any setting the pager is less, which leaves at the end of one page") {
  if (!has_terminal() || !run_script("command -v less").ok()) return;
  Diffed diffed;
  diffed.check_same({}, kOnTerminal, {}, "--name-status");
}

TEST_CASE("no pager where git-diff's output goes elsewhere") {
  Diffed diffed;
  const std::string marker = (diffed.world() / "paged").native();
  const RunResult result =
      diffed.run("'" WAFERS_PROGRAM "' git-diff a", {"GIT_PAGER=touch '" + marker + "'"}, kPlain);
  CHECK(result.status == 0);
  CHECK(result.out == diffed.world().base().git({"diff", "--binary", "main", "wafers/a"}));
  CHECK_FALSE(std::filesystem::exists(marker));
}

TEST_CASE("a pager that ends early ends git-diff quietly") {
  if (!has_terminal()) return;
  Diffed diffed;
  diffed.world().inside("a", "seq 100000 > numbers");
  diffed.world().wafers_ok({"git-commit", "a", "-m", "large"});
  diffed.check_same({"GIT_PAGER=head -n 2"}, kOnTerminal, {});
  CHECK(
      diffed.run("'" WAFERS_PROGRAM "' git-diff a", {"GIT_PAGER=head -n 2"}, kOnTerminal).status ==
      128 + SIGPIPE);
}

TEST_CASE("programs get a patch whatever shows differences to people") {
  Diffed diffed;
  const World& world = diffed.world();
  world.base().git({"config", "diff.external", "echo external"});
  world.base().git({"config", "diff.cpp.textconv", "rev"});
  const std::string patch = world.wafers_ok({"git-diff", "a"});
  world.base().git({"apply", "--check", "-"}, {.cwd = {}, .environment = {}, .input = patch});
  if (!has_terminal()) return;
  const std::string shown =
      diffed.run("'" WAFERS_PROGRAM "' git-diff a", {"GIT_PAGER=cat"}, kOnTerminal).out;
  CHECK(shown.find("external src/main.c ") != std::string::npos);
  world.base().git({"config", "--unset", "diff.external"});
  diffed.check_same({"GIT_PAGER=cat"}, kOnTerminal, {});
}

TEST_CASE("a wafer can be worked with while its diff is being read") {
  Diffed diffed;
  const World& world = diffed.world();
  world.inside("a", "seq 100000 > numbers");
  // The diff is larger than what a pipe holds: git-diff waits for its reader.
  const RunResult result =
      diffed.run("'" WAFERS_PROGRAM "' git-diff a --uncommitted | { read -r first; '" WAFERS_PROGRAM
                 "' git-commit a -m meanwhile >&2; cat > /dev/null; }",
                 {}, kPlain);
  CHECK(result.err.find("meanwhile") != std::string::npos);
  CHECK(result.status == 0);
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(world.state() / "a")) {
    if (entry.path().filename().native().starts_with("diff")) left.push_back(entry.path());
  }
  CHECK(left.empty());
}

}  // namespace
}  // namespace wafers::test
