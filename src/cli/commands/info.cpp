#include "base/text.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/skill.h"
#include "core/state/store.h"

namespace wafers::cli {
namespace {

void expect_no_arguments(const Command& command, const Arguments& arguments) {
  Parser parser(command, arguments);
  const auto positional = parser.parse();
  if (!positional.empty()) {
    throw parser.usage("unexpected argument " + in_quotes(positional.front()));
  }
}

/// Empty unless there is a view in the place of its checkout around this process.
std::string in_place_text() {
  try {
    const std::filesystem::path place = Store(state_directory()).covered_place();
    if (place.empty()) return {};
    return "\n## In place\n\nYour view is in place, at `" + printable(place.native()) +
           "`: here the base's own path is `$WAFERS_ROOT`, and what\n"
           "has that path written into it (build directories, virtual environments, your own "
           "notes) "
           "means your view.\nSo rule 2 keeps itself, the base's files can't be reached by it, and "
           "`git -C` of it finds no repository: read\nhistory by `wafers git-log`.\n";
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

int run_skill(const Command& command, const Arguments& arguments, Report& report) {
  expect_no_arguments(command, arguments);
  report.data(std::string(skill_text()) + in_place_text());
  return Report::kDone;
}

int run_version(const Command& command, const Arguments& arguments, Report& report) {
  expect_no_arguments(command, arguments);
  report.line("wafers " WAFERS_VERSION);
  return Report::kDone;
}

int run_help(const Command& command, const Arguments& arguments, Report& report) {
  Parser parser(command, arguments);
  const auto positional = parser.parse();
  if (positional.size() > 1) {
    throw parser.usage("unexpected argument " + in_quotes(positional[1]));
  }
  if (positional.empty()) {
    report.data(overview());
    return Report::kDone;
  }
  const Command* const subject = find_command(positional.front());
  if (subject == nullptr) {
    throw parser.usage("unknown command " + in_quotes(positional.front()));
  }
  return run_command(*subject,
                     Arguments{.own = {"--help"}, .tail = {}, .invocation = arguments.invocation},
                     report);
}

}  // namespace wafers::cli
