#include "base/text.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/skill.h"

namespace wafers::cli {
namespace {

void expect_no_arguments(const Command& command, const Arguments& arguments) {
  Parser parser(command, arguments);
  const auto positional = parser.parse();
  if (!positional.empty()) {
    throw parser.usage("unexpected argument " + in_quotes(positional.front()));
  }
}

}  // namespace

int run_skill(const Command& command, const Arguments& arguments, Report& report) {
  expect_no_arguments(command, arguments);
  report.data(skill_text());
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
