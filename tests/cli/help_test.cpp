#include <algorithm>
#include <sstream>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

/// As `wafers help` lists them.
Words commands(const World& world) {
  std::istringstream lines(world.wafers_ok({"help"}));
  Words names;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    if (line.starts_with("  ") && words >> word && word[0] != '-') names.push_back(word);
  }
  return names;
}

TEST_CASE("help lists every command, and every command has help") {
  const World world;
  const RunResult overview = world.wafers({"help"});
  CHECK(overview.status == 0);
  CHECK(overview.err.empty());
  CHECK(world.wafers({"--help"}).out == overview.out);
  CHECK(world.wafers({"-h"}).out == overview.out);
  for (const char* command : {"add", "exec", "git-commit", "ls", "doctor", "version"}) {
    CHECK_THAT(overview.out, Contains("\n  " + std::string(command) + " "));
  }
  for (const std::string& command : commands(world)) {
    const RunResult help = world.wafers({"help", command});
    CHECK(help.status == 0);
    CHECK(help.err.empty());
    CHECK_THAT(help.out, Contains("Usage: wafers " + command));
    CHECK(world.wafers({command, "--help"}).out == help.out);
    CHECK(world.wafers({command, "-h"}).out == help.out);
  }
}

/// The options that a command's help lists, each with all its names.
std::vector<Words> options_in(const std::string& help) {
  std::vector<Words> options;
  const std::size_t start = help.find("\nOptions:\n") + 1;
  std::istringstream lines(help.substr(start, help.find("\n\n", start) - start));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  -")) continue;
    std::istringstream words(line);
    options.emplace_back();
    for (std::string word; words >> word && word.starts_with('-');) {
      options.back().push_back(word.substr(0, word.find_first_of(",[")));
    }
  }
  return options;
}

std::string usage_in(const std::string& help) { return help.substr(0, help.find("\n\n")); }

TEST_CASE("the usage of a command names each of its options") {
  const World world;
  std::size_t checked = 0;
  for (const std::string& command : commands(world)) {
    if (command == "run") continue;  // "[options of add]"
    const std::string help = world.wafers_ok({"help", command});
    for (const Words& names : options_in(help)) {
      if (names.back() == "--help") continue;
      const bool named = std::ranges::any_of(names, [&](const std::string& name) {
        return usage_in(help).find(name) != std::string::npos;
      });
      CHECKED_ELSE(named) FAIL_CHECK(command << " " << names.back() << ": " << usage_in(help));
      ++checked;
    }
  }
  CHECK(checked > 50);
}

/// What stands under a title of a help.
std::string part(const std::string& help, const std::string& title) {
  const std::size_t start = help.find("\n" + title + ":\n");
  if (start == std::string::npos) return {};
  const std::size_t text = start + title.size() + 3;
  return help.substr(text, help.find("\n\n", text) - text);
}

TEST_CASE("help says what each argument of a command is, and shows two examples or more") {
  const World world;
  for (const std::string& command : commands(world)) {
    const std::string help = world.wafers_ok({"help", command});
    INFO(help);
    const std::string usage = usage_in(help);
    const std::string arguments = part(help, "Arguments");
    for (const char* argument :
         {"<name>", "<new-name>", "<remote>", "[<rev>]", "<paths>", "<command>", "bash|zsh|fish"}) {
      std::string name = argument;
      std::erase_if(name, [](char c) { return c == '[' || c == ']'; });
      CHECK((usage.find(argument) == std::string::npos) ==
            (arguments.find("  " + name + "  ") == std::string::npos));
    }
    std::istringstream examples(part(help, "Examples"));
    int shown = 0;
    for (std::string line; std::getline(examples, line);) {
      if (line.starts_with("  ") && line[2] != ' ') ++shown;
    }
    CHECK(shown >= 2);
  }
}

TEST_CASE("help fits into 80 columns") {
  const World world;
  Words texts{world.wafers_ok({"help"})};
  for (const std::string& command : commands(world)) {
    texts.push_back(world.wafers_ok({"help", command}));
  }
  for (const std::string& text : texts) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const bool plain = std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; });
      const bool fits = line.size() <= 80 && plain && !line.ends_with(' ');
      CHECKED_ELSE(fits) FAIL_CHECK(line);
    }
  }
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
  for (const std::string& command : commands(world)) {
    const std::string help = world.wafers({"help", command}).out;
    CHECK(world.wafers({command, "a", "b", "--help"}).out == help);
    CHECK(world.wafers({command, "-h", "--", "x"}).out == help);
  }
}

}  // namespace
}  // namespace wafers::test
