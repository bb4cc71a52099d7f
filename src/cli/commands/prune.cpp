#include "core/commands/prune.h"

#include "base/text.h"
#include "cli/command.h"
#include "cli/git_options.h"
#include "cli/json.h"

namespace wafers::cli {
namespace {

nlohmann::json list_to_json(const std::vector<std::string>& texts) {
  auto list = nlohmann::json::array();
  for (const std::string& text : texts) list.push_back(text_to_json(text));
  return list;
}

void print(const PruneResult& result, bool dry_run, Report& report) {
  const std::string did = dry_run ? "Would remove " : "Removed ";
  const auto tell = [&](const std::string& what) { report.feedback(did + what); };
  for (const std::string& name : result.wafers) tell("unfinished wafer " + name);
  for (const std::string& layer : result.layers) tell("layer " + printable(layer));
  for (const std::string& ref : result.salvaged) tell("expired work " + printable(ref));
}

}  // namespace

int run_prune(const Command& command, const Arguments& arguments, Report& report) {
  bool dry_run = false;
  bool json = false;
  Parser parser(command, arguments);
  parser.flag("-n,--dry-run", dry_run, "only say what would go");
  parser.flag("--json", json, "print JSON");
  const auto positional = with_tail(parser.parse(), arguments);
  if (!positional.empty()) {
    throw parser.usage("unexpected argument " + in_quotes(positional.front()));
  }
  const PruneResult result = prune(open_store(), dry_run);
  print_warnings(result.warnings);
  if (report.form() == OutputForm::json) {
    report.document({{"wafers", list_to_json(result.wafers)},
                     {"layers", list_to_json(result.layers)},
                     {"salvaged", list_to_json(result.salvaged)}});
  } else {
    print(result, dry_run, report);
  }
  return result.warnings.empty() ? Report::kDone : 1;
}

}  // namespace wafers::cli
