#include "cli/command.h"
#include "cli/git_options.h"
#include "cli/json.h"
#include "core/git_commands/prepare.h"

namespace wafers::cli {
namespace {

nlohmann::json to_json(const StageResult& result) {
  auto staged = nlohmann::json::array();
  for (const StagedChange& change : result.changes) {
    staged.push_back(
        {{"path", text_to_json(change.path)}, {"status", std::string(1, change.letter)}});
  }
  return {{"tree", result.tree}, {"staged", std::move(staged)}};
}

}  // namespace

int run_git_add(const Command& command, const Arguments& arguments, Report& report) {
  StageRequest request;
  bool patch = false;
  bool json = false;
  Parser parser(command, arguments);
  parser.flag("-f,--force", request.force, "also ignored files");
  parser.flag("-p,--patch", patch, "choose hunk by hunk, as git asks for them");
  parser.flag("--accept-moved", request.accept_moved,
              "also what was taken from a base that has moved");
  parser.flag("--json", json, "print JSON: all that is staged now");
  const std::string name = one_wafer(parser, parser.parse());
  check_exclusive(parser, {{"--patch", patch}, {"--force", request.force}});
  check_exclusive(parser, {{"--patch", patch}, {"--json", json}});
  request.paths = arguments.tail.value_or(std::vector<std::string>());
  if (request.paths.empty() && !patch) {
    throw parser.usage("nothing specified, nothing added: paths stand behind '--'; '.' is all");
  }
  const Store store = open_store();
  const StageResult result =
      patch ? git_add_patch(store, name, request) : git_add(store, name, request);
  print_warnings(result.warnings);
  if (report.form() == OutputForm::json) report.document(to_json(result));
  return Report::kDone;
}

int run_git_restore(const Command& command, const Arguments& arguments, Report& /*report*/) {
  bool staged = false;
  Parser parser(command, arguments);
  parser.flag("-S,--staged", staged, "take back what is staged, and leave the view as it is");
  const std::string name = one_wafer(parser, parser.parse());
  const std::vector<std::string> paths = arguments.tail.value_or(std::vector<std::string>());
  if (paths.empty()) {
    throw parser.usage("you must specify paths to restore: they stand behind '--'; '.' is all");
  }
  git_restore(open_store(), name, paths, staged ? Restored::staged : Restored::view);
  return Report::kDone;
}

}  // namespace wafers::cli
