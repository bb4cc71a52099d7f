// Completion in shells: bash's for real, the others' by what their scripts say.

#include <algorithm>

#include "base/text.h"
#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

/// What bash offers for the last of `words`, sorted; after `before`.
Words completed(const World& world, const Words& words, const std::string& before = {}) {
  std::string line;
  for (const std::string& word : words) line += " " + shell_quoted(word);
  const std::string last = std::to_string(words.size());
  const std::string script =
      before +
      "\nsource <('" WAFERS_PROGRAM
      "' completion bash)\n"
      "[[ $(complete -p wafers) == 'complete -F _wafers wafers' ]] || exit 1\n"
      "COMP_WORDS=('" WAFERS_PROGRAM "'" +
      line + ")\nCOMP_CWORD=" + last +
      "\n_wafers \"$COMP_WORDS\" \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"\n"
      "printf '%s\\n' \"${COMPREPLY[@]}\"\n";
  const std::string out =
      run_ok({"bash", "--norc", "-eu", "-c", script},
             {.cwd = world.base().path(),
              .environment = {"WAFERS_STATE_DIR=" + world.state().native(), "WAFERS_NAME"},
              .input = {}});
  Words offered = split(out, '\n');
  std::erase(offered, "");
  std::sort(offered.begin(), offered.end());
  return offered;
}

bool offers(const Words& offered, const std::string& word) {
  return std::find(offered.begin(), offered.end(), word) != offered.end();
}

/// A script with its commands, of which every shell must know each.
std::string script_for(const World& world, const std::string& shell) {
  const std::string script = world.wafers_ok({"completion", shell});
  for (const char* word : {"add", "exec", "git-add", "git-commit", "git-push", "completion",
                           "force-with-lease", "assume-clean", "gpg-sign", "namespace", "always"}) {
    CHECK_THAT(script, Contains(word));
  }
  for (const char* mark : {"@commands@", "@tails@", "@values@", "@options@", "@arguments@"}) {
    CHECK_THAT(script, !Contains(mark));
  }
  return script;
}

TEST_CASE("bash completes commands and options") {
  const World world;
  const Words commands = completed(world, {""});
  for (const char* command : {"add", "exec", "git-commit", "ls", "version", "--help"}) {
    CHECK(offers(commands, command));
  }
  CHECK(completed(world, {"git-p"}) == Words{"git-push"});
  CHECK(completed(world, {"git-push", "a", "--"}) ==
        Words{"--dry-run", "--force", "--force-with-lease", "--help"});
  CHECK(completed(world, {"add", "--assume"}) == Words{"--assume-clean"});
  CHECK(offers(completed(world, {"git-commit", "-"}), "-F"));
  CHECK(completed(world, {"ls", "--j"}) == Words{"--json"});
  CHECK(completed(world, {"frob", ""}).empty());
}

TEST_CASE("bash completes the values of options") {
  const World world;
  CHECK(completed(world, {"add", "a", "--backend", ""}) ==
        Words{"auto", "fuse", "host", "namespace"});
  CHECK(completed(world, {"add", "a", "--backend", "n"}) == Words{"namespace"});
  CHECK(completed(world, {"git-diff", "--color", "a"}) == Words{"always", "auto"});
  // As bash splits "--color=al" and "--color=".
  CHECK(completed(world, {"git-diff", "--color", "=", "al"}) == Words{"always"});
  CHECK(completed(world, {"git-diff", "--color", "="}) == Words{"always", "auto", "never"});
  CHECK(completed(world, {"add", "--from", "sr"}) == Words{"src"});
  CHECK(completed(world, {"add", "--from", "REA"}).empty());
  CHECK(completed(world, {"git-commit", "-F", "REA"}) == Words{"README"});
  CHECK(completed(world, {"git-commit", "-m", ""}).empty());
  CHECK(completed(world, {"completion", ""}) == Words{"bash", "fish", "zsh"});
  CHECK(offers(completed(world, {"help", "git-"}), "git-add"));
}

TEST_CASE("bash completes the names of wafers") {
  const World world;
  CHECK(completed(world, {"exec", ""}).empty());
  for (const char* name : {"one", "other", "two"}) world.add(name, any_backend());
  CHECK(completed(world, {"exec", ""}) == Words{"one", "other", "two"});
  CHECK(completed(world, {"rm", "o"}) == Words{"one", "other"});
  CHECK(completed(world, {"rm", "one", ""}) == Words{"other", "two"});
  CHECK(completed(world, {"exec", "one", ""}).empty());
  CHECK(completed(world, {"git-status", "--json", "t"}) == Words{"two"});
  // Names to come are nobody's yet.
  CHECK(completed(world, {"add", "o"}).empty());
  CHECK(completed(world, {"ls", "o"}).empty());
}

TEST_CASE("bash completes what is in the view") {
  const World world;
  world.add("a", any_backend());
  world.inside("a",
               "mkdir 'a dir' 'a dir/below'; touch 'two words' \"it's\"; mv src/old.c src/new.c");
  CHECK(offers(completed(world, {"exec", "a", "--", "prin"}), "printf"));
  CHECK(completed(world, {"exec", "a", "--", "cat", "REA"}) == Words{"README"});
  CHECK(completed(world, {"exec", "a", "--", "cat", "a\\ d"}) == Words{"a dir/"});
  CHECK(completed(world, {"exec", "a", "--", "cat", "src/o"}).empty());
  CHECK(completed(world, {"exec", "a", "-w", "\"a dir/"}) == Words{"a dir/below/"});
  CHECK(completed(world, {"exec", "a", "-w", "two"}).empty());
  // As the package bash-completion has it for git.
  CHECK(completed(world, {"exec", "a", "--", "git", "s"},
                  "_command_offset() { COMPREPLY=(show src \"at $1 of $COMP_CWORD\"); }") ==
        Words{"at 4 of 5", "show", "src/"});
  CHECK(completed(world, {"git-add", "a", "--", ""}) ==
        Words{"it's", "src/new.c", "src/old.c", "two words"});
  CHECK(completed(world, {"git-commit", "-m", "x", "a", "--", "src/o"}) == Words{"src/old.c"});
  CHECK(completed(world, {"git-restore", "a", "--", "REA"}).empty());
  CHECK(completed(world, {"git-log", "a", "--", "REA"}) == Words{"README"});
  CHECK(completed(world, {"git-add", "gone", "--", ""}).empty());
  CHECK(completed(world, {"ls", "--", ""}).empty());
}

TEST_CASE("bash completes branches and remotes of the wafer's repository") {
  const World world;
  world.add("a", any_backend());
  world.in_base(
      "git tag v1; git remote add origin ../o.git; git init -qb elsewhere ../other\n"
      "git -C ../other commit -qm x --allow-empty");
  CHECK(completed(world, {"git-push", "a", ""}) == Words{"origin"});
  CHECK(completed(world, {"git-push", "a", "origin", ""}).empty());
  CHECK(completed(world, {"git-sync", "a", "--onto", ""}) == Words{"main", "v1", "wafers/a"});
  CHECK(completed(world, {"add", "b", "--base", "v"}) == Words{"v1"});
  CHECK(completed(world, {"add", "b", "--from", "../other", "--base", ""}) == Words{"elsewhere"});
  CHECK(completed(world, {"fork", "a", "b", "--branch", ""}).empty());
}

TEST_CASE("zsh and fish get scripts of their own") {
  const World world;
  CHECK_THAT(script_for(world, "bash"), Contains("complete -F _wafers wafers"));
  CHECK_THAT(script_for(world, "zsh"), Contains("#compdef wafers\n"));
  CHECK_THAT(script_for(world, "fish"),
             Contains("complete -c wafers -n '__wafers_is add' -l backend -x -a 'auto namespace "
                      "host fuse' -d "));
  const RunResult none = world.wafers({"completion"});
  CHECK(none.status == 2);
  CHECK_THAT(none.err, Contains("completion: for which shell?"));
  CHECK(world.wafers({"completion", "tcsh"}).status == 2);
  CHECK(world.wafers({"completion", "bash", "zsh"}).status == 2);
}

}  // namespace
}  // namespace wafers::test
