#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "core/commands/freeze_commit.h"

namespace wafers::cli {

int run_freeze(const Command& command, const Arguments& arguments, Report& report) {
  FreezeRequest request;
  std::optional<std::string> from;
  bool json = false;
  Parser parser(command, arguments);
  parser.option("--from", from, "repo", "any directory of the checkout (default: .)");
  parser.flag("--refresh", request.refresh, "anew, with the ignored files that are there now");
  parser.flag("--json", json, "print JSON");
  const auto positional = with_tail(parser.parse(), arguments);
  if (positional.size() > 1) {
    throw parser.usage("unexpected argument " + in_quotes(positional[1]));
  }
  if (!positional.empty()) request.revision = positional.front();
  if (from) request.from = *from;
  const FrozenCommit frozen = freeze_commit(open_store(), request);
  if (report.form() == OutputForm::json) {
    report.document(
        {{"base", start_to_json(frozen.base)}, {"base_layers", paths_to_json(frozen.layers)}});
  } else {
    report.feedback("Frozen: " + described(frozen.base));
  }
  return Report::kDone;
}

}  // namespace wafers::cli
