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

/// For `git-status`: how its entries are printed.
struct StatusForm {
  bool porcelain = false;
  bool is_short = false;
  bool zero = false;
  bool colour = false;
};

/// As `git status -z`: names as they are, what was renamed from behind what it is now.
std::string with_zeros(const std::vector<StatusEntry>& entries) {
  std::string text;
  for (const StatusEntry& entry : entries) {
    text += {entry.index_column, entry.view_column, ' '};
    text += entry.path + '\0';
    if (!entry.old_path.empty()) text += entry.old_path + '\0';
  }
  return text;
}

/// wt-status.c: wt_shortstatus_status() and wt_shortstatus_other(), in their usual colours.
std::string coloured(const StatusEntry& entry, const std::string& line, bool wanted) {
  const std::string rest = line.substr(2);
  if (entry.index_column == '?') return in_colour("??", Colour::red, wanted) + rest;
  const auto letter = [&](char column, Colour colour) {
    return in_colour(std::string(1, column), colour, wanted && column != ' ');
  };
  return letter(entry.index_column, Colour::green) + letter(entry.view_column, Colour::red) + rest;
}

void print_status(const NamedStatus& named, const StatusForm& form, Report& report) {
  if (report.form() == OutputForm::json) {
    report.document(to_json(named.status));
    return;
  }
  if (form.zero) return report.data(with_zeros(named.status.entries));
  if (!form.porcelain && !form.is_short) {
    report.line("On branch " + printable(named.branch));
    if (named.status.lines.empty()) report.line("nothing to commit, working tree clean");
  }
  for (std::size_t i = 0; i < named.status.lines.size(); ++i) {
    report.line(form.porcelain
                    ? named.status.lines[i]
                    : coloured(named.status.entries[i], named.status.lines[i], form.colour));
  }
}

/// For `git diff --color`. Git knows nothing of NO_COLOR.
std::optional<std::string> colour_wanted(const Parser& parser,
                                         const std::optional<std::string>& when) {
  if (!when) return no_colour_wanted() ? std::optional<std::string>("never") : std::nullopt;
  if (*when == "always" || *when == "never" || *when == "auto") return when;
  throw parser.usage("--color wants auto, always or never, not " + in_quotes(*when));
}

/// As `when` says, which may be git's own setting.
bool shows_status_in_colour(const std::optional<std::string>& when) {
  if (when == "always") return true;
  return when != "never" && when != "false" && shows_colour(STDOUT_FILENO);
}

const std::string& context_wanted(const Parser& parser, const std::string& lines) {
  const bool is_number = !lines.empty() && lines.find_first_not_of("0123456789") == lines.npos;
  if (is_number) return lines;
  throw parser.usage("-U wants a number of lines right behind it, as in -U10, not " +
                     in_quotes(lines));
}

}  // namespace

int run_git_status(const Command& command, const Arguments& arguments, Report& report) {
  StatusForm form;
  std::optional<std::string> colour;
  bool json = false;
  Parser parser(command, arguments);
  parser.flag("-s,--short", form.is_short, "print the entries alone");
  parser.flag("--porcelain", form.porcelain, "print exactly what git status --porcelain prints");
  parser.flag("-z", form.zero, "the same with names as they are, each with a NUL behind it");
  parser.option("--color", colour, "auto|always|never",
                "whether to use colour (default: auto, on a terminal)");
  parser.flag("--json", json, "print JSON");
  const std::string name = one_wafer(parser, parser.parse());
  if (arguments.tail && !arguments.tail->empty()) {
    throw parser.usage("unexpected argument " + in_quotes(arguments.tail->front()));
  }
  const std::optional<std::string> when = colour_wanted(parser, colour);
  const NamedStatus named = git_status(open_store(), name);
  form.colour = shows_status_in_colour(when ? when : named.status.colour);
  print_status(named, form, report);
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
  bool staged = false;
  bool all = false;
  bool stat = false;
  bool numstat = false;
  bool name_only = false;
  bool name_status = false;
  bool ignore_blanks = false;
  std::optional<std::string> context;
  std::optional<std::string> colour;
  Parser parser(command, arguments);
  parser.flag("--uncommitted", uncommitted, "from the branch to the view");
  parser.flag("--staged,--cached", staged, "from the branch to what git-add has staged");
  parser.flag("--all", all, "from the base to the view");
  parser.flag("--stat", stat, "print counts only");
  parser.flag("--numstat", numstat, "print counts only, for programs");
  parser.flag("--name-only", name_only, "print names only");
  parser.flag("--name-status", name_status, "print names and kinds of change only");
  parser.attached("-U,--unified", context, "n", "print n lines of context around each change");
  parser.flag("-w,--ignore-all-space", ignore_blanks, "take no notice of blanks");
  parser.option("--color", colour, "auto|always|never",
                "whether to use colour (default: auto, on a terminal)");
  const std::string name = one_wafer(parser, parser.parse());
  check_exclusive(parser, {{"--uncommitted", uncommitted}, {"--staged", staged}, {"--all", all}});
  check_exclusive(parser, {{"--stat", stat},
                           {"--numstat", numstat},
                           {"--name-only", name_only},
                           {"--name-status", name_status}});
  DiffRequest request;
  if (uncommitted) request.range = DiffRange::tip_to_view;
  if (staged) request.range = DiffRange::tip_to_staged;
  if (all) request.range = DiffRange::base_to_view;
  if (stat) request.style = DiffStyle::stat;
  if (numstat) request.style = DiffStyle::numstat;
  if (name_only) request.style = DiffStyle::name_only;
  if (name_status) request.style = DiffStyle::name_status;
  if (context) request.options.push_back("-U" + context_wanted(parser, *context));
  if (ignore_blanks) request.options.emplace_back("-w");
  request.colour = colour_wanted(parser, colour);
  request.to_terminal = ::isatty(STDOUT_FILENO) == 1;
  request.paths = arguments.tail.value_or(std::vector<std::string>());
  const std::optional<int> signal = git_diff(open_store(), name, request);
  if (signal) Report::die_of(*signal);
  return Report::kDone;
}

}  // namespace wafers::cli
