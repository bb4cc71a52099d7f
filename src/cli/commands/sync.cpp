#include "core/commands/sync.h"

#include <cstddef>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"

namespace wafers::cli {
namespace {

std::string line_of(const SyncResult& result) {
  const std::string name = printable(result.name);
  if (!result.changed) return name + " is on " + described(result.base) + " already";
  std::string line = name + " is on " + described(result.base) + " now";
  if (result.commits > 0) {
    line += " (" + std::to_string(result.commits) + (result.commits == 1 ? " commit" : " commits") +
            " rebased)";
  }
  return line;
}

nlohmann::json to_json(const SyncResult& result) {
  return {{"name", result.name},
          {"branch", text_to_json(result.branch)},
          {"base", start_to_json(result.base)},
          {"last_commit", result.last_commit},
          {"changed", result.changed},
          {"commits_rebased", result.commits}};
}

}  // namespace

int run_git_sync(const Command& command, const Arguments& arguments, Report& report) {
  std::optional<std::string> onto;
  bool json = false;
  Parser parser(command, arguments);
  parser.option("--onto", onto, "rev",
                "the commit to bring them onto (default: the checkout's HEAD)");
  parser.flag("--json", json, "print JSON");
  const auto names = with_tail(parser.parse(), arguments);
  if (names.empty()) throw name_missing(parser);
  const Store store = open_store();
  auto wafers = nlohmann::json::array();
  return for_each_name(
      names, report,
      [&](const std::string& name) {
        const SyncResult result = sync_wafer(store, name, onto);
        wafers.push_back(to_json(result));
        if (report.form() == OutputForm::text) report.feedback(line_of(result));
      },
      [&] {
        return nlohmann::json{{"wafers", wafers}};
      });
}

}  // namespace wafers::cli
