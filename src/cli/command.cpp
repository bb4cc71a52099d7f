#include "cli/command.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/hand_over.h"
#include "cli/progress.h"
#include "core/base/live_base.h"

namespace wafers::cli {
namespace {

constexpr auto kCommands = command_table<Program::wafers>();

}  // namespace

std::span<const Command> all_commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto* const found = std::ranges::find(kCommands, name, &Command::name);
  return found == kCommands.end() ? nullptr : &*found;
}

int run_command(const Command& command, const Arguments& arguments, Report& report) {
  const Runner run = command.run != nullptr ? command.run : arguments.invocation.git.run;
  return run(command, arguments, report);
}

const GitParts kGitOfAnotherProgram{
    .run = [](const Command&, const Arguments& arguments, Report&) -> int {
      execute_git_program(arguments.invocation.argv);
    },
    .heal =
        [](LockedWafer& wafer, char** argv) {
          if (moved_head(*wafer)) execute_git_program(argv);
        }};

PrepareLayers healing(const Arguments& arguments) {
  return [&invocation = arguments.invocation](LockedWafer& wafer) {
    invocation.git.heal(wafer, invocation.argv);
  };
}

Store open_store() {
  const std::filesystem::path root = state_directory();
  require_own_state(root);
  return Store(
      root, [](std::string_view line) { Report::note(line); }, show_progress);
}

std::vector<std::string> all_names(const Store& store) {
  const Store::Listing listing = store.list();
  std::vector<std::string> names;
  for (const Wafer& wafer : listing.wafers) names.push_back(wafer.name);
  for (const InvalidEntry& entry : listing.invalid) names.push_back(entry.name);
  return names;
}

Error name_missing(const Parser& parser) {
  constexpr std::size_t kMost = 8;
  Error error = parser.usage("the name of a wafer is missing");
  std::vector<std::string> names;
  try {
    names = all_names(open_store());
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): what is wrong here is another thing
  }
  if (names.empty()) return error;
  if (names.size() > kMost) {
    names.resize(kMost);
    names.emplace_back("...");
  }
  return Error(ErrorKind::usage, error.message(),
               "there are " + printable(joined(names, ", ")) + "; " + error.hint());
}

std::string one_wafer(const Parser& parser, const std::vector<std::string>& positional) {
  if (positional.size() > 1) {
    throw parser.usage("unexpected argument " + in_quotes(positional[1]));
  }
  if (!positional.empty()) return positional.front();
  const char* const inside = std::getenv("WAFERS_NAME");
  if (inside != nullptr && *inside != '\0') return inside;
  throw name_missing(parser);
}

int for_each_name(const std::vector<std::string>& names, Report& report,
                  const std::function<void(const std::string&)>& action,
                  const std::function<nlohmann::json()>& document) {
  const bool text = report.form() == OutputForm::text;
  std::optional<Error> first_failure;
  for (const std::string& name : names) {
    try {
      action(name);
    } catch (const Error& error) {
      if (text || first_failure) Report::partial_failure(error);
      if (!first_failure) first_failure = error;
    }
  }
  if (!text) {
    nlohmann::json printed = document();
    if (first_failure) printed["error"] = Report::to_json(*first_failure);
    report.document(printed);
  }
  return first_failure ? Report::status_of(*first_failure) : Report::kDone;
}

}  // namespace wafers::cli
