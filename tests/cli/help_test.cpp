#include <sstream>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

const Words kCommands{"add",      "fork",    "exec",       "shell",    "git-status",
                      "git-diff", "git-add", "git-commit", "git-push", "git-sync",
                      "overlap",  "ls",      "mount",      "umount",   "rm",
                      "doctor",   "skill",   "completion", "help",     "version"};

TEST_CASE("help lists every command, and every command has help") {
  const World world;
  const RunResult overview = world.wafers({"help"});
  CHECK(overview.status == 0);
  CHECK(overview.err.empty());
  CHECK(world.wafers({"--help"}).out == overview.out);
  CHECK(world.wafers({"-h"}).out == overview.out);
  for (const std::string& command : kCommands) {
    CHECK_THAT(overview.out, Contains("\n  " + command + " "));
    const RunResult help = world.wafers({"help", command});
    CHECK(help.status == 0);
    CHECK(help.err.empty());
    CHECK_THAT(help.out, Contains("Usage: wafers " + command));
    CHECK(world.wafers({command, "--help"}).out == help.out);
    CHECK(world.wafers({command, "-h"}).out == help.out);
  }
}

/// The options that a command's help lists, each with all its names: "-F,--file".
Words options_in(const std::string& help) {
  Words options;
  std::istringstream lines(help.substr(help.find("\nOptions:")));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    if (std::string word; line.starts_with("  -") && words >> word) options.push_back(word);
  }
  return options;
}

TEST_CASE("the usage of a command names each of its options") {
  const World world;
  std::size_t checked = 0;
  for (const std::string& command : kCommands) {
    const std::string help = world.wafers_ok({"help", command});
    const std::size_t start = help.find("Usage:");
    const std::string usage = help.substr(start, help.find("\nOptions:") - start);
    for (const std::string& names : options_in(help)) {
      if (names == "-h,--help") continue;
      const std::size_t comma = names.find(',');
      const bool named = comma == std::string::npos
                             ? usage.find(names) != std::string::npos
                             : usage.find(names.substr(0, comma)) != std::string::npos ||
                                   usage.find(names.substr(comma + 1)) != std::string::npos;
      CHECKED_ELSE(named) FAIL_CHECK(command << " " << names << ": " << usage);
      ++checked;
    }
  }
  CHECK(checked > 30);
}

TEST_CASE("the version, said in three ways") {
  const World world;
  const std::string version = world.wafers_ok({"version"});
  CHECK_THAT(version, StartsWith("wafers 0."));
  CHECK(world.wafers_ok({"--version"}) == version);
  CHECK(world.wafers_ok({"-V"}) == version);
}

TEST_CASE("the skill is Markdown") {
  const World world;
  CHECK_THAT(world.wafers_ok({"skill"}), Contains("wafers git-commit"));
}

TEST_CASE("help comes before everything else that is wrong") {
  const World world;
  for (const std::string& command : kCommands) {
    const std::string help = world.wafers({"help", command}).out;
    CHECK(world.wafers({command, "a", "b", "--help"}).out == help);
    CHECK(world.wafers({command, "-h", "--", "x"}).out == help);
  }
}

}  // namespace
}  // namespace wafers::test
