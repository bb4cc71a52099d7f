#include "git/program/git_program.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "support/catch.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

TEST_CASE("a program gets its input, and is heard in full", "[program]") {
  const std::string input(1 << 20, 'x');
  const ProgramResult result = run_program({"sh", "-c", "cat; cat >&2; pwd >&2"}, "/", input);
  CHECK(result.success());
  CHECK(result.output == input);
  CHECK(result.errors == "/\n");
  CHECK(run_program({"sh", "-c", "exit 3"}, "/", {}).status == 3);
  CHECK(run_program({"sh", "-c", "kill -TERM $$"}, "/", {}).status == 128 + 15);
  // Whoever doesn't read all of it does no harm.
  CHECK(run_program({"true"}, "/", input).success());
  CHECK(run_program({"no such program"}, "/", {}).status == 127);
  CHECK_THROWS_AS(run_program({"/"}, "/", {}), Error);
}

TEST_CASE("a program that is nowhere isn't found, whoever may search PATH", "[program]") {
  const test::TempDir closed;
  fs::permissions(closed.path(), fs::perms::none);
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (closed.path().native() + ":" + path).c_str(), 1);
  const ProgramResult result = run_program({"no such program"}, "/", {});
  ::setenv("PATH", path.c_str(), 1);
  fs::permissions(closed.path(), fs::perms::owner_all);
  CHECK(result.status == 127);
}

TEST_CASE("programs don't inherit a repository, but configuration", "[program]") {
  const Words local = split(trimmed(test::run_ok({"git", "rev-parse", "--local-env-vars"})), '\n');
  REQUIRE(local.size() > 10);
  for (const std::string& name : local) ::setenv(name.c_str(), "0", 1);
  const ProgramResult result = run_program({"env"}, "/", {});
  clear_repository_variables();
  for (const std::string& name : local) {
    INFO(name);
    const bool inherited = ("\n" + result.output).find("\n" + name + "=") != std::string::npos;
    CHECK(inherited == (name == "GIT_CONFIG_COUNT" || name == "GIT_CONFIG_PARAMETERS"));
    CHECK(std::getenv(name.c_str()) == nullptr);
  }
}

TEST_CASE("command lines are split as git does it", "[program]") {
  CHECK(split_command_line("").empty());
  CHECK(split_command_line("  a  b\tc\n") == Words{"a", "b", "c"});
  CHECK(split_command_line("a 'b c' \"d e\"f") == Words{"a", "b c", "d ef"});
  CHECK(split_command_line("a\\ b '\\' \"\\\"\" ''") == Words{"a b", "\\", "\"", ""});
  CHECK_THROWS_AS(split_command_line("a 'b"), Error);
  CHECK_THROWS_AS(split_command_line("\"a\\\""), Error);
}

}  // namespace
}  // namespace wafers::git
