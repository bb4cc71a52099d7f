#include "core/git_commands/overlap.h"

#include "base/text.h"
#include "cli/command.h"
#include "cli/git_options.h"
#include "cli/json.h"

namespace wafers::cli {
namespace {

void print_document(const OverlapResult& result, Report& report) {
  auto overlaps = nlohmann::json::array();
  for (const Overlap& overlap : result.overlaps) {
    overlaps.push_back({{"repository", text_to_json(overlap.repository.native())},
                        {"path", text_to_json(overlap.path)},
                        {"wafers", overlap.wafers}});
  }
  report.document({{"overlaps", std::move(overlaps)}});
}

void print_lines(const OverlapResult& result, Report& report) {
  for (const Overlap& overlap : result.overlaps) {
    std::string names;
    for (const std::string& name : overlap.wafers) names += " " + name;
    const std::string path =
        result.several_repositories ? (overlap.repository / overlap.path).native() : overlap.path;
    report.line(printable(path) + ":" + names);
  }
}

}  // namespace

int run_overlap(const Command& command, const Arguments& arguments, Report& report) {
  bool json = false;
  Parser parser(command, arguments);
  parser.flag("--json", json, "print JSON");
  const auto names = with_tail(parser.parse(), arguments);
  const OverlapResult result = find_overlaps(open_store(), names);
  print_warnings(result.warnings);
  if (report.form() == OutputForm::json) {
    print_document(result, report);
  } else {
    print_lines(result, report);
  }
  return Report::kDone;
}

}  // namespace wafers::cli
