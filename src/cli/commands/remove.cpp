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
  report.line("Removed wafer " + printable(result.name) + what_is_left(result));
  if (!result.salvaged) return;
  report.line("Its uncommitted work is kept: " + printable(result.salvaged->ref));
  report.line("To bring it back: " + printable(result.salvaged->restore));
}

/// `rm --json`: what was removed, also where something failed.
void print_removed_document(const std::vector<RemoveResult>& removed,
                            const std::optional<Error>& failure, Report& report) {
  nlohmann::json document{{"removed", nlohmann::json::array()},
                          {"salvaged", nlohmann::json::object()}};
  for (const RemoveResult& result : removed) {
    document["removed"].push_back(text_to_json(result.name));
    if (result.salvaged) document["salvaged"][utf8_text(result.name)] = result.salvaged->ref;
  }
  if (failure) document["error"] = Report::to_json(*failure);
  report.document(document);
}

/// Removes one after the other; what fails for one does not keep the others from it.
int remove_each(const std::vector<std::string>& names, const RemoveOptions& options,
                Report& report) {
  const Store store = open_store();
  Remover remover(store, names, options, Report::warning);
  const bool text = report.form() == OutputForm::text;
  std::vector<RemoveResult> removed;
  std::optional<Error> first_failure;
  for (const std::string& name : names) {
    try {
      removed.push_back(remover.remove(name));
      print_removed(removed.back(), report);
    } catch (const Error& error) {
      if (text || first_failure) Report::partial_failure(error);
      if (!first_failure) first_failure = error;
    }
  }
  if (!text) print_removed_document(removed, first_failure, report);
  return first_failure ? Report::status_of(*first_failure) : Report::kDone;
}

}  // namespace

int run_rm(const Command& command, const Arguments& arguments, Report& report) {
  RemoveOptions options;
  bool all = false;
  bool no_salvage = false;
  bool json = false;
  Parser parser(command, arguments);
  parser.flag("--all", all, "remove every wafer");
  parser.flag("--force", options.force, "even if it holds work that is not committed");
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
    throw parser.usage("the name of a wafer is missing");
  return remove_each(names, options, report);
}

}  // namespace wafers::cli
