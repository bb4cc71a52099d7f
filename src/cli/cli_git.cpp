#include <algorithm>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "core/git_commands.h"

namespace wafers::cli {
namespace {

void print_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) Report::warning(printable(warning));
}

nlohmann::json to_json(const StatusResult& status) {
  auto entries = nlohmann::json::array();
  for (const StatusEntry& entry : status.entries) {
    const char letter = entry.view_column != ' ' ? entry.view_column : entry.index_column;
    entries.push_back({{"path", text_to_json(entry.path)}, {"status", std::string(1, letter)}});
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

/// At most one of these options, as git has it for those that exclude each other.
void check_exclusive(const Parser& parser, const std::vector<std::pair<const char*, bool>>& given) {
  const char* first = nullptr;
  for (const auto& [name, set] : given) {
    if (!set) continue;
    if (first != nullptr) {
      throw parser.usage(std::string(first) + " and " + name + " exclude each other");
    }
    first = name;
  }
}

bool colour_wanted(const Parser& parser, const std::string& when) {
  if (when == "always") return true;
  if (when == "never") return false;
  if (when == "auto") return stdout_likes_colour();
  throw parser.usage("--color wants auto, always or never, not " + wafers::quoted(when));
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
    throw parser.usage("unexpected argument " + wafers::quoted(arguments.tail->front()));
  }
  const NamedStatus named = git_status(open_store(), name);
  print_status(named, porcelain, report);
  print_warnings(named.status.warnings);
  return Report::kDone;
}

int run_git_diff(const Command& command, const Arguments& arguments, Report& report) {
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
  request.colour = colour_wanted(parser, colour.value_or("auto"));
  request.width = terminal_width();
  request.paths = arguments.tail.value_or(std::vector<std::string>());
  git_diff(open_store(), name, request, [&](std::string_view piece) { report.data(piece); });
  return Report::kDone;
}

int run_git_commit(const Command& command, const Arguments& arguments, Report& report) {
  CommitRequest request;
  std::optional<std::string> file;
  bool json = false;
  Parser parser(command, arguments);
  parser.repeated("-m,--message", request.messages, "message", "a paragraph of the message");
  parser.option("-F,--file", file, "file", "take the message from a file; - is standard input");
  parser.option("--author", request.author, "author", "\"Name <email>\"");
  parser.flag("--allow-empty", request.allow_empty, "commit even if nothing has changed");
  parser.flag("--json", json, "print JSON");
  const std::string name = one_wafer(parser, parser.parse());
  check_exclusive(parser, {{"-m", !request.messages.empty()}, {"-F", file.has_value()}});
  if (request.messages.empty() && !file) {
    throw parser.usage("the message is missing: give it with -m or -F");
  }
  if (file) request.message_file = *file;
  request.paths = arguments.tail.value_or(std::vector<std::string>());
  const CommitResult result = git_commit(open_store(), name, request);
  print_warnings(result.warnings);
  if (report.form() == OutputForm::json) {
    report.document({{"commit", result.commit},
                     {"tree", result.tree},
                     {"parent", result.parent},
                     {"branch", text_to_json(result.branch)},
                     {"files_changed", result.files_changed}});
    return Report::kDone;
  }
  report.line("[" + result.branch + " " + result.short_id + "] " + result.subject);
  if (!result.summary.empty()) report.line(result.summary);
  return Report::kDone;
}

}  // namespace wafers::cli
