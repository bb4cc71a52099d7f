#include <cstdlib>

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

/// Empty unless git works in the view around this process.
std::string git_text(const Store& store) {
  const char* const name = std::getenv("WAFERS_NAME");
  const auto wafer = name != nullptr ? store.lookup(name).wafer : std::nullopt;
  if (!wafer || !wafer->has_git_inside()) return {};
  return "\n## Git inside\n\nGit works in your view, as in a linked worktree on `" +
         printable(wafer->branch) +
         "`: rule 3, and what is said above of\n"
         "missing repositories, don't hold for you. Use git or `wafers git-*`, as you like: both "
         "see the same.\n"
         "The stash, branches and configuration are shared with other worktrees: commit rather "
         "than "
         "stash, and\nleave other branches alone.\n";
}

/// Empty unless there is a view in the place of its checkout around this process.
std::string in_place_text(const Store& store) {
  const std::filesystem::path& place = store.covered_place();
  if (place.empty()) return {};
  return "\n## In place\n\nYour view is in place, at `" + printable(place.native()) +
         "`: here the base's own path is `$WAFERS_ROOT`, and what\n"
         "has that path written into it (build directories, virtual environments, your own notes) "
         "means your view.\n"
         "So rule 2 keeps itself, the base's files can't be reached by it, and `git -C` of it "
         "finds "
         "no repository: read\nhistory by `wafers git-log`.\n";
}

/// What is special in the view around this process, if there is one.
std::string text_of_view() {
  try {
    const Store store(state_directory());
    return git_text(store) + in_place_text(store);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

int run_skill(const Command& command, const Arguments& arguments, Report& report) {
  expect_no_arguments(command, arguments);
  report.data(std::string(skill_text()) + text_of_view());
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
