// `wafers git-commit` on a terminal, without a message: the editor that git would open.

#include "base/text.h"
#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

/// As somebody does it at a terminal. `editor` is a shell script to which $1 is the file.
RunResult at_terminal(const World& world, const std::string& editor, const std::string& options) {
  write_file(world / "editor", "#!/bin/sh\n" + editor + "\n");
  std::filesystem::permissions(world / "editor", std::filesystem::perms::owner_all);
  return run({"script", "-qec", "'" WAFERS_PROGRAM "' git-commit a " + options, "/dev/null"},
             {.cwd = world.base().path(),
              .environment = {"WAFERS_STATE_DIR=" + world.state().native(), "WAFERS_NAME",
                              "GIT_EDITOR='" + (world / "editor").native() + "'"},
              .input = {}});
}

std::string message_of(const World& world) {
  return world.base().git({"log", "-1", "--format=%B", "wafers/a"});
}

TEST_CASE("without a message, git's editor is opened at a terminal") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 1 > f; rm src/old.c; echo more >> README");
  const std::string seen = (world / "seen").native();
  const RunResult done = at_terminal(
      world,
      "cp \"$1\" '" + seen +
          "'; { echo words; echo; echo body; cat \"$1\"; } > \"$1.new\"; mv \"$1.new\" \"$1\"",
      "");
  CAPTURE(done.out);
  REQUIRE(done.status == 0);
  CHECK(message_of(world) == "words\n\nbody\n\n");
  CHECK_THAT(read_file(seen), Contains("\n# On branch wafers/a\n# Changes to be committed:\n"
                                       "#\tmodified:   README\n#\tnew file:   f\n"
                                       "#\tdeleted:    src/old.c\n"));
  SECTION("of an amended commit it has the message") {
    CHECK(at_terminal(world, "sed -i 's/words/other words/' \"$1\"", "--amend").status == 0);
    CHECK(message_of(world) == "other words\n\nbody\n\n");
    CHECK(at_terminal(world, "exit 9", "--amend --no-edit --date 2020-01-01T00:00:00Z").status ==
          0);
  }
  SECTION("an empty message, and an editor that fails, commit nothing") {
    world.inside("a", "echo 2 > f");
    const std::string before = world.base().git({"rev-parse", "wafers/a"});
    const RunResult empty = at_terminal(world, "true", "");
    CHECK(empty.status == 1);
    CHECK_THAT(empty.out, Contains("empty commit message"));
    const RunResult failed = at_terminal(world, "echo words > \"$1\"; exit 3", "");
    CHECK(failed.status == 1);
    CHECK_THAT(failed.out, Contains("problem with the editor"));
    CHECK(world.base().git({"rev-parse", "wafers/a"}) == before);
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == " M f\n");
  }
  SECTION("where there is nothing to commit it is not opened") {
    CHECK(at_terminal(world, "echo words > \"$1\"; : > '" + seen + "'", "").status == 1);
    CHECK_FALSE(read_file(seen).empty());
  }
}

TEST_CASE("the editor gets commit.template, and comments as they are configured") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 1 > f");
  write_file(world / "template", "Subject\n\nTicket: \n");
  world.base().git({"config", "commit.template", (world / "template").native()});
  const RunResult untouched = at_terminal(world, "true", "");
  CHECK(untouched.status == 1);
  CHECK_THAT(untouched.out, Contains("you did not edit the message"));
  world.base().git({"config", "core.commentChar", ";"});
  CHECK(at_terminal(world, "sed -i 's/^Ticket: /&# 12/' \"$1\"", "-s").status == 0);
  CHECK_THAT(message_of(world),
             Contains("Ticket: # 12\n") && Contains("Signed-off-by: ") && !Contains(";"));
  world.inside("a", "echo 2 > f");
  world.base().git({"config", "commit.cleanup", "scissors"});
  CHECK(at_terminal(world, "sed -i '1s/.*/; kept/' \"$1\"", "").status == 0);
  CHECK(message_of(world) == "; kept\n\nTicket:\n\n");
}

TEST_CASE("hooks see what the editor left") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 1 > f");
  const auto hook = [&](const std::string& name, const std::string& script) {
    const auto file = world.base().path() / ".git/hooks" / name;
    std::filesystem::create_directories(file.parent_path());
    write_file(file, "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  };
  hook("prepare-commit-msg", "echo \"prepared $#\" > \"$1\"");
  hook("commit-msg", "echo checked >> \"$1\"");
  CHECK(at_terminal(world, "echo edited >> \"$1\"", "--verify").status == 0);
  CHECK(message_of(world) == "prepared 1\nedited\nchecked\n\n");
}

}  // namespace
}  // namespace wafers::test
