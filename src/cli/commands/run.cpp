#include "core/commands/run.h"

#include "base/text.h"
#include "cli/add_options.h"
#include "cli/command.h"
#include "cli/enter_in_child.h"
#include "cli/json.h"
#include "os/interrupt.h"

namespace wafers::cli {
namespace {

using Commit = RunRequest::Commit;

Commit commit_wanted(const Parser& parser, const std::string& when) {
  if (when == "success") return Commit::on_success;
  if (when == "always") return Commit::always;
  if (when == "never") return Commit::never;
  throw parser.usage("--commit wants success, always or never, not " + in_quotes(when));
}

nlohmann::json to_json(const RunResult& result) {
  nlohmann::json document{{"name", result.name},
                          {"branch", text_to_json(result.branch)},
                          {"exit_status", result.status.shell_code()},
                          {"commit", nullptr},
                          {"kept", result.kept}};
  if (result.commit) document["commit"] = result.commit->commit;
  return document;
}

/// On stderr: stdout is the command's.
void tell(const RunResult& result) {
  if (result.commit) {
    Report::note("committed to " + printable(result.branch) + ": " + result.commit->short_id + " " +
                 printable(result.commit->subject));
  }
  if (!result.kept) return;
  Report::note("wafer " + result.name + " stays" +
               (result.why_kept.empty() ? "" : ": " + result.why_kept));
  Report::hint("look into it with 'wafers git-status " + result.name + "' and 'wafers shell " +
               result.name + "'; 'wafers rm " + result.name + "' removes it");
}

RunResult run_parsed(const Command& command, const Arguments& arguments) {
  RunRequest request;
  AddOptions options;
  std::optional<std::string> commit;
  bool json = false;
  Parser parser(command, arguments);
  options.declare(parser);
  parser.option("-m,--message", request.message, "message", "of the commit (default: the command)");
  parser.option("--commit", commit, "success|always|never",
                "when to commit what the command leaves (default: success)");
  parser.flag("--keep", request.keep, "keep the wafer afterwards");
  parser.flag("--json", json, "print JSON behind what the command prints");
  const auto names = parser.parse();
  if (names.size() > 1) {
    throw parser.usage("unexpected argument " + in_quotes(names[1]) +
                       ": a command to run stands behind '--'");
  }
  if (!arguments.tail || arguments.tail->empty()) {
    throw parser.usage("the command to run is missing: it stands behind '--'");
  }
  request.wafer = options.request(parser);
  request.wafer.names = names;
  request.command = *arguments.tail;
  if (commit) request.commit = commit_wanted(parser, *commit);
  const Store store = open_store();
  return run_in_wafer(
      store, request,
      [&](const std::string& name) { return enter_in_child(store, name, arguments); },
      [](std::string_view line) { Report::note(line); });
}

}  // namespace

int run_run(const Command& command, const Arguments& arguments, Report& report) {
  std::optional<RunResult> result;
  try {
    result = run_parsed(command, arguments);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    return report.enter_failure(error);
  }
  tell(*result);
  if (report.form() == OutputForm::json) report.document(to_json(*result));
  if (result->status.signal != 0) {
    report.finish(Report::kDone);
    Report::die_of(result->status.signal);
  }
  return result->status.code;
}

}  // namespace wafers::cli
