#include "core/commands/add.h"

#include "base/text.h"
#include "cli/add_options.h"
#include "cli/command.h"
#include "cli/git_options.h"
#include "cli/json.h"
#include "core/commands/fork.h"

namespace wafers::cli {
namespace {

/// `doing`: "Added wafer ".
void print(const AddResult& added, const std::string& doing, Report& report) {
  const StartingPoint& base = added.base;
  if (report.form() == OutputForm::json) {
    report.document({{"wafers", to_json(added.wafers)}, {"base", start_to_json(base)}});
    return;
  }
  for (const WaferInfo& info : added.wafers) {
    const Wafer& wafer = info.wafer;
    report.feedback(doing + wafer.name + " on branch " + printable(wafer.branch) + ", view (" +
                    std::string(to_string(wafer.backend)) + ") at " +
                    printable(wafer.root().native()) + (wafer.place.empty() ? "" : ", in place"));
  }
  report.feedback("Starting from " + described(base));
  if (base.behind == 0) return;
  Report::note(printable(base.ref) + " is " + std::to_string(base.behind) +
               (base.behind == 1 ? " commit" : " commits") + " behind " + printable(base.upstream) +
               ", as far as is known here");
}

}  // namespace

int run_add(const Command& command, const Arguments& arguments, Report& report) {
  AddOptions options;
  bool print_path = false;
  bool json = false;
  Parser parser(command, arguments);
  options.declare(parser);
  parser.flag("--print-path", print_path, "print the mountpoints alone, one in a line");
  parser.flag("--json", json, "print JSON");
  const auto names = with_tail(parser.parse(), arguments);
  if (names.empty()) throw parser.usage("the name of a wafer is missing");
  check_exclusive(parser, {{"--print-path", print_path}, {"--json", json}});
  AddRequest request = options.request(parser);
  request.names = names;
  const auto notify = [](std::string_view line) { Report::note(line); };
  const AddResult added = add_wafers(open_store(), request, notify);
  if (!print_path) {
    print(added, "Added wafer ", report);
    return Report::kDone;
  }
  for (const WaferInfo& info : added.wafers) report.line(info.wafer.mountpoint.native());
  return Report::kDone;
}

int run_fork(const Command& command, const Arguments& arguments, Report& report) {
  ForkRequest request;
  bool json = false;
  Parser parser(command, arguments);
  parser.option("--at", request.at, "mountpoint", "where the view shows; may hold {name}");
  parser.option("--branch", request.branch, "new-branch",
                "may hold {name} (default: wafers/{name})");
  parser.flag("--json", json, "print JSON");
  const auto names = with_tail(parser.parse(), arguments);
  if (names.empty()) throw parser.usage("the name of a wafer is missing");
  if (names.size() == 1) throw parser.usage("the name of the new wafer is missing");
  request.source = names.front();
  request.names.assign(names.begin() + 1, names.end());
  const auto notify = [](std::string_view line) { Report::note(line); };
  print(fork_wafer(open_store(), request, notify), "Forked " + request.source + " as wafer ",
        report);
  return Report::kDone;
}

}  // namespace wafers::cli
