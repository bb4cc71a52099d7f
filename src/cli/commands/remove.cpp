#include "core/commands/remove.h"

#include <optional>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"

namespace wafers::cli {
namespace {

std::string what_is_left(const RemoveResult& result) {
  const std::string branch = " (branch " + printable(result.branch);
  switch (result.branch_left) {
    case BranchLeft::unknown:
      return {};
    case BranchLeft::kept:
      return branch + " is kept)";
    case BranchLeft::deleted:
      return branch + " is deleted)";
    case BranchLeft::gone:
      return branch + " is gone)";
  }
  return {};
}

void print_removed(const RemoveResult& result, Report& report) {
  if (report.form() == OutputForm::json) return;
  report.feedback("Removed wafer " + printable(result.name) + what_is_left(result));
  if (!result.salvaged) return;
  report.feedback("Its uncommitted work is kept: " + printable(result.salvaged->ref));
  report.feedback("To bring it back: " + printable(result.salvaged->restore));
}

/// `rm --json`: what was removed, also where something failed.
nlohmann::json document_of(const std::vector<RemoveResult>& removed) {
  nlohmann::json document{{"removed", nlohmann::json::array()},
                          {"salvaged", nlohmann::json::object()}};
  for (const RemoveResult& result : removed) {
    document["removed"].push_back(text_to_json(result.name));
    if (result.salvaged) document["salvaged"][utf8_text(result.name)] = result.salvaged->ref;
  }
  return document;
}

int remove_each(const std::vector<std::string>& names, const RemoveOptions& options,
                Report& report) {
  const Store store = open_store();
  Remover remover(store, names, options, Report::warning);
  std::vector<RemoveResult> removed;
  return for_each_name(
      names, report,
      [&](const std::string& name) {
        removed.push_back(remover.remove(name));
        print_removed(removed.back(), report);
      },
      [&] { return document_of(removed); });
}

}  // namespace

int run_rm(const Command& command, const Arguments& arguments, Report& report) {
  RemoveOptions options;
  bool all = false;
  bool no_salvage = false;
  bool json = false;
  Parser parser(command, arguments);
  parser.flag("--all", all, "remove every wafer");
  parser.flag("-f,--force", options.force, "even if it holds work that is not committed");
  parser.flag("--no-salvage", no_salvage, "with --force: don't keep that work as a commit");
  parser.flag("--kill", options.kill, "end the processes that are inside");
  parser.flag("--delete-branch", options.delete_branch,
              "delete its branch as 'git branch -d' does");
  parser.flag("--json", json, "print JSON");
  auto names = with_tail(parser.parse(), arguments);
  options.salvage = !no_salvage;
  if (all && !names.empty()) throw parser.usage("--all and names exclude each other");
  if (all)
    names = all_names(open_store());
  else if (names.empty())
    throw name_missing(parser);
  return remove_each(names, options, report);
}

}  // namespace wafers::cli
