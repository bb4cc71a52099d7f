#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/list_report.h"
#include "core/base/live_base.h"
#include "core/commands/list.h"
#include "core/view/mount.h"

namespace wafers::cli {
namespace {

void expect_nothing(const Parser& parser, const std::vector<std::string>& positional) {
  if (positional.empty()) return;
  throw parser.usage("unexpected argument " + in_quotes(positional.front()));
}

/// The wafers that were named, or all of them with --all.
std::vector<std::string> names_from(Parser& parser, const Arguments& arguments, const bool& all) {
  auto names = with_tail(parser.parse(), arguments);
  if (all && !names.empty()) throw parser.usage("--all and names exclude each other");
  if (all) return all_names(open_store());
  if (names.empty()) throw name_missing(parser);
  return names;
}

}  // namespace

ListOptions parse_list_options(const Command& command, const Arguments& arguments) {
  ListOptions options;
  bool json = false;
  Parser parser(command, arguments);
  parser.flag("--all", options.all, "of all repositories, not only of that of this directory");
  parser.flag("-l,--long", options.is_long, "with backend, base, disk space, processes, place");
  parser.flag("-q,--quiet", options.quiet, "print names only, of all repositories");
  parser.flag("--json", json, "print JSON, of all repositories");
  expect_nothing(parser, with_tail(parser.parse(), arguments));
  return options;
}

nlohmann::json list_to_json(const ListResult& list) {
  auto invalid = nlohmann::json::array();
  for (const InvalidEntry& entry : list.invalid_entries) {
    invalid.push_back({{"name", text_to_json(entry.name)},
                       {"path", text_to_json(entry.path.native())},
                       {"reason", text_to_json(entry.reason)}});
  }
  return {{"wafers", to_json(list.wafers)}, {"invalid_entries", std::move(invalid)}};
}

void tell_of_trouble(const ListResult& list) {
  for (const WaferInfo& info : list.wafers) {
    if (info.mount.status != WaferStatus::broken) continue;
    Report::warning("wafer " + in_quotes(info.wafer.name) + " is broken: " + info.mount.reason);
  }
  for (const WaferInfo& info : list.wafers) {
    if (info.branch_note.empty()) continue;
    Report::warning("wafer " + in_quotes(info.wafer.name) + ": " + info.branch_note +
                    "; 'wafers git-status " + info.wafer.name + "' says what to do");
  }
  for (const InvalidEntry& entry : list.invalid_entries) {
    Report::warning("invalid entry " + in_quotes(entry.path.native()) + ": " + entry.reason);
  }
}

int run_ls(const Command& command, const Arguments& arguments, Report& report) {
  const ListOptions options = parse_list_options(command, arguments);
  const bool json = report.form() == OutputForm::json;
  if (!options.quiet && (!json || options.is_long)) {
    return arguments.invocation.git.run(command, arguments, report);
  }
  const Store store = open_store();
  if (json) {
    report.document(list_to_json(list_wafers(store)));
    return Report::kDone;
  }
  for (const std::string& name : all_names(store)) report.line(name);
  return Report::kDone;
}

int run_path(const Command& command, const Arguments& arguments, Report& report) {
  Parser parser(command, arguments);
  const std::string name = one_wafer(parser, with_tail(parser.parse(), arguments));
  report.line(open_store().load(name).mountpoint.native());
  return Report::kDone;
}

int run_mount(const Command& command, const Arguments& arguments, Report& report) {
  bool accept_unclean = false;
  bool all = false;
  Parser parser(command, arguments);
  parser.flag("--all", all, "mount every wafer");
  parser.flag("--accept-unclean", accept_unclean,
              "although the host went down while it was mounted");
  const auto names = names_from(parser, arguments, all);
  const Store store = open_store();
  const Unclean unclean = accept_unclean ? Unclean::accept : Unclean::refuse;
  return for_each_name(names, report, [&](const std::string& name) {
    ensure_healed(store, name, healing(arguments), unclean);
  });
}

int run_umount(const Command& command, const Arguments& arguments, Report& report) {
  bool all = false;
  Parser parser(command, arguments);
  parser.flag("--all", all, "unmount every wafer");
  const auto names = names_from(parser, arguments, all);
  const Store store = open_store();
  return for_each_name(names, report, [&](const std::string& name) { unmount_wafer(store, name); });
}

}  // namespace wafers::cli
