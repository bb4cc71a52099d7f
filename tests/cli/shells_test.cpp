// Completion in the shells themselves, each on a terminal.

#include <cstdlib>

#include "cli/world.h"
#include "support/catch.h"
#include "support/terminal.h"

namespace wafers::test {
namespace {

struct Line {
  std::string typed;      ///< before the tabulator key
  std::string completed;  ///< the whole line then
};

/// With `one`, `other` and `two` at work, of which the first has changed more.
class Fleet {
 public:
  Fleet() {
    world_.in_base("git branch feature; git remote add origin ../origin.git");
    for (const char* name : {"one", "other", "two"}) world_.add(name, any_backend());
    world_.inside("one", "mkdir -p view/deep; touch view/deep/er only-inside; echo x >> README");
  }

  RunOptions options() const {
    const std::string program = WAFERS_PROGRAM;
    return {
        .cwd = world_.base().path(),
        .environment = {"PATH=" + program.substr(0, program.rfind('/')) + ":" + ::getenv("PATH"),
                        "HOME=" + (world_ / "").native(), "TERM=dumb", "WAFERS_NAME",
                        "INPUTRC=/dev/null", "XDG_CONFIG_HOME=" + (world_ / "config").native(),
                        "XDG_DATA_HOME=" + (world_ / "data").native(),
                        "WAFERS_STATE_DIR=" + world_.state().native()},
        .input = {}};
  }

 private:
  World world_;
};

const std::vector<Line> kLines{
    {"wafers git-pu", "wafers git-push"},
    {"wafers help git-sy", "wafers help git-sync"},
    {"wafers add x --backend na", "wafers add x --backend namespace"},
    {"wafers run --assu", "wafers run --assume-clean"},
    {"wafers exec tw", "wafers exec two"},
    {"wafers rm one o", "wafers rm one other"},
    {"wafers git-push one ori", "wafers git-push one origin"},
    {"wafers git-sync one --onto fea", "wafers git-sync one --onto feature"},
    {"wafers add x --branch fea", "wafers add x --branch feature"},
    {"wafers git-add one -- onl", "wafers git-add one -- only-inside"},
    {"wafers git-commit -m two one -- READ", "wafers git-commit -m two one -- README"},
    {"wafers exec one --cwd view/d", "wafers exec one --cwd view/deep"},
    {"wafers exec one -- cat onl", "wafers exec one -- cat only-inside"},
    {"wafers exec one -- cat vie\tdee\te", "wafers exec one -- cat view/deep/er"},
};

/// What each line becomes by a tabulator, but for the blank or slash at its end; `shell` has been
/// told how to complete.
void check_lines(Terminal& shell) {
  for (const Line& line : kLines) {
    // Then to its begin, so that it is printed instead of being run.
    shell.type(line.typed + "\t\x01" + "echo LI''NE: \n");
    std::string completed = shell.read_between("LINE: ", "\n");
    completed.erase(completed.find_last_not_of(" /\r") + 1);
    CHECK(completed == line.completed);
  }
}

TEST_CASE("completion on a terminal: bash") {
  const Fleet fleet;
  Terminal shell({"bash", "--norc", "-i"}, fleet.options());
  shell.type("source <(wafers completion bash)\n");
  check_lines(shell);
}

TEST_CASE("completion on a terminal: zsh") {
  const Fleet fleet;
  Terminal shell({"zsh", "-f", "-i"}, fleet.options());
  shell.type(
      "bindkey -e; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D\n"
      "source <(wafers completion zsh)\n");
  check_lines(shell);
  shell.type("wafers git-status --\t");
  shell.read_between("print exactly what git status", "prints");
}

TEST_CASE("completion on a terminal: fish") {
  const Fleet fleet;
  Terminal shell({"fish", "--no-config", "-i"}, fleet.options());
  shell.type("wafers completion fish | source\n");
  check_lines(shell);
  const std::string offered =
      run_ok({"fish", "--no-config", "-c",
              "wafers completion fish | source; complete -C 'wafers git-status --'"},
             fleet.options());
  CHECK_THAT(offered, Catch::Matchers::Contains("--porcelain\tprint exactly what git status"));
}

}  // namespace
}  // namespace wafers::test
