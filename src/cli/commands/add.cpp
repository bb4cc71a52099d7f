#include "core/commands/add.h"

#include "base/text.h"
#include "cli/command.h"
#include "cli/git_options.h"
#include "cli/json.h"
#include "core/commands/fork.h"

namespace wafers::cli {
namespace {

std::optional<BackendKind> backend_named(const Parser& parser, const std::string& name) {
  if (name == "auto") return std::nullopt;
  const auto kind = parse_backend(name);
  if (!kind) {
    throw parser.usage("unknown backend " + in_quotes(name) +
                       ": it is one of auto, namespace, host and fuse");
  }
  return kind;
}

/// `doing`: "Added wafer ".
void print(const AddResult& added, const std::string& doing, Report& report) {
  const StartingPoint& base = added.base;
  if (report.form() == OutputForm::json) {
    report.document({{"wafers", to_json(added.wafers)}, {"base", start_to_json(base)}});
    return;
  }
  for (const WaferInfo& info : added.wafers) {
    const Wafer& wafer = info.wafer;
    report.line(doing + wafer.name + " on branch " + printable(wafer.branch) + ", view (" +
                std::string(to_string(wafer.backend)) + ") at " +
                printable(wafer.mountpoint.native()));
  }
  report.line("Starting from " + described(base));
  if (base.behind == 0) return;
  Report::note(printable(base.ref) + " is " + std::to_string(base.behind) +
               (base.behind == 1 ? " commit" : " commits") + " behind " + printable(base.upstream) +
               ", as far as is known here");
}

}  // namespace

int run_add(const Command& command, const Arguments& arguments, Report& report) {
  AddRequest request;
  std::optional<std::string> from;
  std::optional<std::string> backend;
  bool frozen = false;
  bool live = false;
  bool json = false;
  Parser parser(command, arguments);
  parser.option("--at", request.at, "mountpoint", "where the view shows; may hold {name}");
  parser.option("--branch", request.branch, "branch",
                "new or existing; may hold {name} (default: wafers/{name})");
  parser.option("--from", from, "repo", "the base: any directory of its checkout (default: .)");
  parser.option("--base", request.base, "rev", "the commit to start from (default: HEAD)");
  parser.flag("--frozen", frozen, "from a snapshot, which the checkout's changes don't reach");
  parser.flag("--live", live, "from the checkout itself (default: what wafers.base says, or live)");
  parser.option("--backend", backend, "backend", "auto (default), namespace, host or fuse");
  parser.flag("--assume-clean", request.assume_clean, "do not check that the base is clean");
  parser.flag("--with-changes", request.with_changes,
              "with what is uncommitted in the checkout, as changes of the wafer");
  parser.flag("--durable", request.durable,
              "let writing in the view wait for the disk, as the kernel would");
  parser.flag("--json", json, "print JSON");
  request.names = with_tail(parser.parse(), arguments);
  if (request.names.empty()) throw parser.usage("the name of a wafer is missing");
  check_exclusive(parser, {{"--frozen", frozen}, {"--live", live}});
  check_exclusive(
      parser, {{"--with-changes", request.with_changes}, {"--assume-clean", request.assume_clean}});
  if (frozen) request.kind = BaseKind::frozen;
  if (live) request.kind = BaseKind::live;
  if (from) request.from = *from;
  if (from && from->empty()) throw parser.usage("--from is empty");
  if (backend) request.backend = backend_named(parser, *backend);
  const auto notify = [](std::string_view line) { Report::note(line); };
  print(add_wafers(open_store(), request, notify), "Added wafer ", report);
  return Report::kDone;
}

int run_fork(const Command& command, const Arguments& arguments, Report& report) {
  ForkRequest request;
  bool json = false;
  Parser parser(command, arguments);
  parser.option("--at", request.at, "mountpoint", "where the view shows; may hold {name}");
  parser.option("--branch", request.branch, "branch",
                "new; may hold {name} (default: wafers/{name})");
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
