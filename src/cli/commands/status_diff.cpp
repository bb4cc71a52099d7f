#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/git_options.h"
#include "cli/json.h"
#include "core/git_commands/prepare.h"

namespace wafers::cli {
namespace {

nlohmann::json to_json(const StatusResult& status) {
  auto entries = nlohmann::json::array();
  for (const StatusEntry& entry : status.entries) {
    const char letter = entry.view_column != ' ' ? entry.view_column : entry.index_column;
    nlohmann::json object{{"path", text_to_json(entry.path)}, {"status", std::string(1, letter)}};
    const bool staged = entry.index_column != ' ' && entry.index_column != '?';
    if (staged) object["staged"] = std::string(1, entry.index_column);
    if (!entry.old_path.empty()) object["old_path"] = text_to_json(entry.old_path);
    entries.push_back(std::move(object));
  }
  return {{"entries", std::move(entries)}};
}

void print_status(const NamedStatus& named, bool porcelain, Report& report) {
  if (report.form() == OutputForm::json) {
    report.document(to_json(named.status));
    return;
  }
  if (!porcelain) {
    report.line("On branch " + printable(named.branch));
    if (named.status.lines.empty()) report.line("nothing to commit, working tree clean");
  }
  for (const std::string& line : named.status.lines) report.line(line);
}

/// For `git diff --color`. Git knows nothing of NO_COLOR.
std::optional<std::string> colour_wanted(const Parser& parser,
                                         const std::optional<std::string>& when) {
  if (!when) return no_colour_wanted() ? std::optional<std::string>("never") : std::nullopt;
  if (*when == "always" || *when == "never" || *when == "auto") return when;
  throw parser.usage("--color wants auto, always or never, not " + in_quotes(*when));
}

}  // namespace

int run_git_status(const Command& command, const Arguments& arguments, Report& report) {
  bool porcelain = false;
  bool json = false;
  Parser parser(command, arguments);
  parser.flag("--porcelain", porcelain, "print exactly what git status --porcelain prints");
  parser.flag("--json", json, "print JSON");
  const std::string name = one_wafer(parser, parser.parse());
  if (arguments.tail && !arguments.tail->empty()) {
    throw parser.usage("unexpected argument " + in_quotes(arguments.tail->front()));
  }
  const NamedStatus named = git_status(open_store(), name);
  print_status(named, porcelain, report);
  for (const std::string& path : named.status.taken) {
    Report::warning(in_quotes(path) + " holds what the base brought when it moved; it is no work " +
                    "of this wafer");
  }
  print_warnings(named.status.warnings);
  if (!named.status.hint.empty()) Report::hint(named.status.hint);
  return Report::kDone;
}

int run_git_diff(const Command& command, const Arguments& arguments, Report& /*report*/) {
  bool uncommitted = false;
  bool all = false;
  bool stat = false;
  bool name_only = false;
  bool name_status = false;
  std::optional<std::string> colour;
  Parser parser(command, arguments);
  parser.flag("--uncommitted", uncommitted, "from the branch to the view");
  parser.flag("--all", all, "from the base to the view");
  parser.flag("--stat", stat, "print counts only");
  parser.flag("--name-only", name_only, "print names only");
  parser.flag("--name-status", name_status, "print names and kinds of change only");
  parser.option("--color", colour, "when", "auto (default), always or never");
  const std::string name = one_wafer(parser, parser.parse());
  check_exclusive(parser, {{"--uncommitted", uncommitted}, {"--all", all}});
  check_exclusive(parser,
                  {{"--stat", stat}, {"--name-only", name_only}, {"--name-status", name_status}});
  DiffRequest request;
  if (uncommitted) request.range = DiffRange::tip_to_view;
  if (all) request.range = DiffRange::base_to_view;
  if (stat) request.style = DiffStyle::stat;
  if (name_only) request.style = DiffStyle::name_only;
  if (name_status) request.style = DiffStyle::name_status;
  request.colour = colour_wanted(parser, colour);
  request.to_terminal = ::isatty(STDOUT_FILENO) == 1;
  request.paths = arguments.tail.value_or(std::vector<std::string>());
  const std::optional<int> signal = git_diff(open_store(), name, request);
  if (signal) Report::die_of(*signal);
  return Report::kDone;
}

}  // namespace wafers::cli
