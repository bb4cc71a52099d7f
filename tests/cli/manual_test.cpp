// The manual pages: there is one for each command, man(1) likes it, and it says what the help and
// the completion say.

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include "base/text.h"
#include "cli/world.h"
#include "support/catch.h"
#include "support/needs.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

const Need kNeedsPrograms("zsh, fish and mandoc", []() -> std::optional<std::string> {
  if (run_script("command -v zsh && command -v fish && command -v mandoc").ok()) {
    return std::nullopt;
  }
  return "not all of them are installed";
});

const fs::path kPages = WAFERS_MAN_PAGES;

/// "-m" and "--message" of the lines of `text` that begin with `begin` and a dash.
std::set<std::string> options_in(const std::string& text, const std::string& begin) {
  std::set<std::string> options;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(begin + "-")) continue;
    std::istringstream words(line.substr(begin.size()));
    for (std::string word; words >> word && word.starts_with('-');) {
      options.insert(word.substr(0, word.find_first_of(",[")));
    }
  }
  return options;
}

/// What stands between two titles of a page or a help.
std::string part(const std::string& text, const std::string& title, const std::string& next) {
  const std::size_t start = text.find(title);
  if (start == std::string::npos) return {};
  const std::size_t behind = start + title.size();
  return text.substr(behind, text.find(next, behind) - behind);
}

/// As a terminal shows it, without bold letters.
std::string shown_page(const std::string& name) {
  const std::string page = (kPages / name).native();
  return run_ok({"sh", "-c", "mandoc -T ascii -O width=200 \"$0\" | col -b", page});
}

std::set<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::set<std::string> words;
  for (std::string word; stream >> word;) words.insert(word);
  return words;
}

/// What fish was told of a command: "-s m -l message".
std::set<std::string> options_of_fish(const std::string& script, const std::string& command) {
  std::set<std::string> options;
  std::istringstream lines(script);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("complete -c wafers -n '__wafers_is " + command + "' -")) continue;
    std::istringstream words(line.substr(line.find("' -") + 2));
    for (std::string kind, name;
         words >> kind && (kind == "-s" || kind == "-l") && words >> name;) {
      options.insert((kind == "-s" ? "-" : "--") + name);
    }
  }
  return options;
}

/// What zsh's _arguments is told: "'(-m --message)--message=[...".
std::set<std::string> options_of_zsh(const std::string& script, const std::string& command) {
  std::set<std::string> options;
  const std::string own = part(script, "\n    " + command + ")\n      _arguments", "\n      ;;");
  std::istringstream lines(own);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t start = line.find_first_of("*)");
    if (start == std::string::npos || line.substr(start + 1, 1) != "-") continue;
    std::string name = line.substr(start + 1, line.find_first_of("[+=", start) - start - 1);
    if (name.size() == 3 && name.ends_with('-')) name.pop_back();  // "-S-": with its value
    options.insert(name);
  }
  return options;
}

TEST_CASE("help, manual page and completion of a command have the same options") {
  const World world;
  const std::string bash = world.wafers_ok({"completion", "bash"});
  const std::string zsh = world.wafers_ok({"completion", "zsh"});
  const std::string fish = world.wafers_ok({"completion", "fish"});
  const std::string overview = shown_page("man1/wafers.1");
  std::size_t checked = 0;
  std::istringstream commands(part(world.wafers_ok({"help"}), "\nCommands:\n", "\n\n"));
  for (std::string line; std::getline(commands, line);) {
    const std::string command = line.substr(2, line.find(' ', 2) - 2);
    const auto wanted =
        options_in(part(world.wafers_ok({"help", command}), "\nOptions:\n", "\n\n"), "  ");
    INFO(command);
    CHECK(wanted.contains("--help"));
    const std::string page = shown_page("man1/wafers-" + command + ".1");
    CHECK(options_in(part(page, "\nOPTIONS\n", "\nEXAMPLES"), "       ") == wanted);
    CHECK(words_of(part(bash, "\n      " + command + ") _wafers_words ", " ;;")) == wanted);
    CHECK(options_of_zsh(zsh, command) == wanted);
    CHECK(options_of_fish(fish, command) == wanted);
    CHECK_THAT(overview, Contains("wafers-" + command + "(1)"));
    ++checked;
  }
  CHECK(checked > 20);
}

TEST_CASE("the options before the command are the same everywhere, too") {
  const World world;
  const auto wanted = options_in(part(world.wafers_ok({"help"}), "\nOptions:\n", "\n\n"), "  ");
  CHECK(wanted.contains("--verbose"));
  const std::string page = part(shown_page("man1/wafers.1"), "\nOPTIONS\n", "\nEXAMPLES");
  CHECK(options_in(page, "       ") == wanted);
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = world.wafers_ok({"completion", shell});
    for (const std::string& name : wanted) {
      const std::string shown = std::string(shell) != "fish" ? name
                                : name.starts_with("--")     ? "-l " + name.substr(2)
                                                             : "-s " + name.substr(1);
      CHECK_THAT(script, Contains(shown));
    }
  }
  for (const char* option : {"-q", "--quiet", "-v", "--verbose"}) world.wafers_ok({option, "ls"});
}

TEST_CASE("the manual names each variable and setting of wafers that the sources read") {
  const std::string manual = read_file(WAFERS_MANUAL_SOURCE "/wafers.md");
  const std::string read_by_sources =
      run_ok({"sh", "-c",
              "cd \"$0/../..\"; grep -rhoE "
              "'(getenv|environment|config|config_bool)\\(\"(WAFERS_|wafers\\.)[A-Za-z_]+' . |"
              "sed 's/.*\"//' | sort -u",
              WAFERS_MANUAL_SOURCE});
  const auto names = words_of(read_by_sources);
  CHECK(names.size() > 5);
  for (const std::string& name : names) CHECK_THAT(manual, Contains("- `" + name + "`: "));
}

TEST_CASE("manual pages are as man wants them") {
  std::vector<std::string> pages;
  for (const auto& entry : fs::recursive_directory_iterator(kPages)) {
    if (entry.is_regular_file()) pages.push_back(entry.path().native());
  }
  CHECK(pages.size() > 25);
  std::vector<std::string> argv{"mandoc", "-T", "lint", "-W", "warning"};
  argv.insert(argv.end(), pages.begin(), pages.end());
  const RunResult lint = run(argv);
  CHECK(lint.out + lint.err == "");
  for (const char* page : {"man7/wafers-tutorial.7", "man7/wafers-faq.7"}) {
    CHECK_THAT(shown_page(page), Contains("wafers git-commit"));
  }
}

TEST_CASE("pages that others name are there") {
  for (const auto& entry : fs::recursive_directory_iterator(kPages)) {
    if (!entry.is_regular_file()) continue;
    const std::string page = shown_page(entry.path().lexically_relative(kPages).native());
    for (std::size_t at = page.find("wafers-"); at != std::string::npos;
         at = page.find("wafers-", at + 1)) {
      const std::size_t bracket = page.find('(', at);
      const std::string name = page.substr(at, bracket - at);
      if (name.find_first_of(" \n,./") != std::string::npos) continue;
      const char section = page[bracket + 1];
      if (section != '1' && section != '7') continue;
      const std::string file = "man" + std::string(1, section) + "/" + name + "." + section;
      CHECKED_ELSE(fs::exists(kPages / file)) FAIL_CHECK(entry.path() << ": " << file);
    }
  }
}

TEST_CASE("what the tutorial types works") {
  const World world;
  std::istringstream lines(read_file(WAFERS_MANUAL_SOURCE "/wafers-tutorial.md"));
  std::string script;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("    ")) script += line.substr(4) + "\n";
  }
  const std::string program = WAFERS_PROGRAM;
  const RunResult result =
      run({"bash", "-euxc", script},
          {.cwd = world / "",
           .environment = {"PATH=" + program.substr(0, program.rfind('/')) + ":" + getenv("PATH"),
                           "WAFERS_STATE_DIR=" + world.state().native(), "WAFERS_NAME"},
           .input = {}});
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("there was a cat"));
}

}  // namespace
}  // namespace wafers::test
