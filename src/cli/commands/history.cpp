#include "core/git_commands/history.h"

#include <algorithm>
#include <cstdlib>

#include "cli/command.h"

namespace wafers::cli {
namespace {

/// Inside a wafer its name may be left out.
std::string take_name(const Parser& parser, const Store& store, std::vector<std::string>& words) {
  const char* const inside = std::getenv("WAFERS_NAME");
  const bool is_inside = inside != nullptr && *inside != '\0';
  const bool has_word = !words.empty() && !words.front().starts_with('-');
  if (has_word) {
    const Lookup found = store.lookup(words.front());
    if (!is_inside || found.wafer || found.invalid) {
      std::string name = words.front();
      words.erase(words.begin());
      return name;
    }
  }
  return one_wafer(parser,
                   is_inside ? std::vector<std::string>{inside} : std::vector<std::string>{});
}

int run_history(const Command& command, const Arguments& arguments, const std::string& of_git) {
  Parser parser(command, arguments);
  const auto asks_for_help = [](const std::string& word) {
    return word == "-h" || word == "--help";
  };
  if (arguments.describe || std::ranges::any_of(arguments.own, asks_for_help)) parser.parse();
  std::vector<std::string> words = arguments.own;
  const Store store = open_store();
  const std::string name = take_name(parser, store, words);
  if (arguments.tail) {
    words.emplace_back("--");
    words = with_tail(std::move(words), arguments);
  }
  const std::optional<int> signal = show_history(store, name, of_git, words);
  if (signal) Report::die_of(*signal);
  return Report::kDone;
}

}  // namespace

int run_git_log(const Command& command, const Arguments& arguments, Report& /*report*/) {
  return run_history(command, arguments, "log");
}

int run_git_show(const Command& command, const Arguments& arguments, Report& /*report*/) {
  return run_history(command, arguments, "show");
}

}  // namespace wafers::cli
