// What a terminal shows of a command that takes long.

#include <unistd.h>

#include "cli/world.h"
#include "support/catch.h"
#include "support/terminal.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

const std::string kAtOnce = "GIT_PROGRESS_DELAY=0";
const std::string kNever = "GIT_PROGRESS_DELAY=1000000";

/// All that a shell script says on a terminal, with the program as $0.
std::string on_terminal(const World& world, const std::string& script, const std::string& delay,
                        Words argv = {}) {
  argv.insert(argv.end(), {"sh", "-c", "echo begin; " + script + "; echo end", WAFERS_PROGRAM});
  Terminal terminal(argv, {.cwd = world / "base",
                           .environment = {"WAFERS_STATE_DIR=" + world.state().native(), delay,
                                           "NO_COLOR=1", "WAFERS_NAME"}});
  return terminal.read_between("begin\r\n", "end\r\n");
}

TEST_CASE("fork tells a terminal how many files it has copied, and takes that away again") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "touch one two three");
  const std::string fork = R"("$0" fork a )";
  const std::string said = on_terminal(world, fork + "b", kAtOnce);
  CHECK_THAT(said, Contains("\rcopying files: 1"));
  const std::size_t rest = said.find("Forked a as wafer b");
  REQUIRE(rest != std::string::npos);
  const std::string line = said.substr(0, rest);
  CHECK_THAT(line,
             EndsWith("\r" + std::string(std::string("copying files: 1").size(), ' ') + "\r"));
  CHECK_THAT(said.substr(rest), !Contains("copying"));

  CHECK_THAT(on_terminal(world, fork + "c", kNever), !Contains("copying"));
  CHECK_THAT(on_terminal(world, R"("$0" -q fork a d)", kAtOnce), !Contains("copying"));
  CHECK_THAT(on_terminal(world, fork + "e 2> said; cat said; rm said", kAtOnce),
             !Contains("copying"));
}

// Elsewhere a process of its own does it.
TEST_CASE("rm tells a terminal how many files it has removed where nobody waits for orphans") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "seq -f %g.o 3000 | xargs touch");
  world.wafers_ok({"umount", "a"});
  Words container{"unshare", "--pid", "--fork", "--mount-proc"};
  if (::geteuid() != 0) container.insert(container.end(), {"--user", "--map-current-user"});
  container.insert(
      container.end(),
      {"perl", "-e", "if (!($child = fork)) { exec @ARGV } waitpid($child, 0); exit($? >> 8)"});
  const std::string said = on_terminal(world, R"("$0" rm a)", kAtOnce, container);
  CHECK_THAT(said, Contains("\rremoving files: 1"));
  CHECK_THAT(said, Contains("\rRemoved wafer a"));
}

}  // namespace
}  // namespace wafers::test
