// The examples of the help do what they show.

#include <cstdlib>
#include <sstream>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

/// The lines of `text` that have two blanks before them and no more.
Words indented_by_two(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.size() > 2 && line.starts_with("  ") && line[2] != ' ')
      lines.push_back(line.substr(2));
  }
  return lines;
}

/// A project, in which the wafers a1 and a2 are at work.
class Project {
 public:
  Project() {
    world_.in_base(
        "echo '*.log' >> .gitignore; mkdir docs ../home ../home/src; cp README docs; echo TODO >> "
        "README\n"
        "printf 'test:\\n\\ttrue\\nformat:\\n\\techo >> README\\n' > Makefile\n"
        "printf '%s\\n' one two three four five six seven eight > src/list\n"
        "git add .; git commit -qm project; git tag v1.0\n"
        "git init -q --bare ../origin.git; git remote add origin ../origin.git\n"
        "mkdir -p ../home/.config/fish/completions; ln -s \"$PWD\" ../home/src/project\n");
  }

  /// A script for before an example of `command`. Both have a commit; for a command of git a1 has
  /// changes that are not committed, too. They are gone where wafers are made, and new where they
  /// are removed.
  static std::string preparation(const std::string& command, bool is_first) {
    const std::string none =
        "wafers rm --all -f --no-salvage --kill >&2\n"
        "git branch --list 'wafers/*' | xargs -r git branch -qD\n";
    if (command == "add" || command == "run") return is_first ? none : "";
    if (command == "rm") return none + "wafers add a1 a2\n";
    const std::string both = "git clean -fdq; [[ $(wafers ls -q | xargs) == 'a1 a2' ]] || {\n" +
                             none +
                             "wafers add a1 a2; for name in a1 a2; do\n"
                             "wafers exec $name -- sh -c 'echo $WAFERS_NAME >> src/list'\n"
                             "wafers git-commit $name -m 'Lengthen it'; done; }\n";
    if (!command.starts_with("git-")) return both;
    return both +
           "wafers exec a1 -- sh -c 'date +%N >> README; rm -f src/main.c; touch new build.log'\n";
  }

  void run_checked(const std::string& script) const {
    const std::string program = WAFERS_PROGRAM;
    const RunResult result =
        run({"bash", "-euc", script},
            {.cwd = world_.base().path(),
             .environment = {"PATH=" + program.substr(0, program.rfind('/')) + ":" + getenv("PATH"),
                             "HOME=" + (world_ / "home").native(), "XDG_CONFIG_HOME",
                             "WAFERS_STATE_DIR=" + world_.state().native(), "WAFERS_NAME"},
             .input = {}});
    INFO(script << "\n" << result.out << result.err);
    CHECK(result.status == 0);
  }

  const World& world() const { return world_; }

 private:
  World world_;
};

TEST_CASE("the examples that help shows work") {
  const Project project;
  const World& world = project.world();
  std::size_t tried = 0;
  for (const std::string& line : indented_by_two(world.wafers_ok({"help"}))) {
    if (line.starts_with('-')) continue;
    const std::string command = line.substr(0, line.find(' '));
    const std::string help = world.wafers_ok({"help", command});
    bool is_first = true;
    for (const std::string& example : indented_by_two(help.substr(help.find("\nExamples:\n")))) {
      if (example.find("  ") != std::string::npos) continue;  // an exit status
      project.run_checked(Project::preparation(command, is_first) + example);
      is_first = false;
      ++tried;
    }
  }
  CHECK(tried > 50);
}

}  // namespace
}  // namespace wafers::test
