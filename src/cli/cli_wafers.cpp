#include <algorithm>
#include <array>
#include <functional>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "core/list.h"
#include "core/mount.h"
#include "core/remove.h"

namespace wafers::cli {
namespace {

constexpr std::size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

/// Columns on a terminal, as long as every character is one wide.
std::size_t width_of(const std::string& text) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues));
}

std::string base_state(const WaferInfo& info) {
  if (!info.base_moved) return "unknown";
  return *info.base_moved ? "moved" : "unmoved";
}

std::vector<Row> table_of(const std::vector<WaferInfo>& wafers) {
  constexpr std::size_t kShortId = 7;
  std::vector<Row> rows{{"NAME", "STATUS", "BACKEND", "BRANCH", "BASE", "MOUNTPOINT"}};
  for (const WaferInfo& info : wafers) {
    const Wafer& wafer = info.wafer;
    rows.push_back({wafer.name, std::string(to_string(info.mount.status)),
                    std::string(to_string(wafer.backend)), printable(wafer.branch),
                    wafer.base_commit.substr(0, kShortId) + " " + base_state(info),
                    printable(wafer.mountpoint.native())});
  }
  return rows;
}

void print_table(const std::vector<Row>& rows, Report& report) {
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i + 1 < kColumns; ++i) {
      line += row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ');
    }
    report.line(line + row.back());
  }
}

void print_list(const ListResult& list, Report& report) {
  if (report.form() == OutputForm::json) {
    auto invalid = nlohmann::json::array();
    for (const InvalidEntry& entry : list.invalid_entries) {
      invalid.push_back({{"name", text_to_json(entry.name)},
                         {"path", text_to_json(entry.path.native())},
                         {"reason", text_to_json(entry.reason)}});
    }
    report.document({{"wafers", to_json(list.wafers)}, {"invalid_entries", std::move(invalid)}});
    return;
  }
  if (!list.wafers.empty()) print_table(table_of(list.wafers), report);
  for (const WaferInfo& info : list.wafers) {
    if (info.mount.status != WaferStatus::broken) continue;
    Report::warning("wafer " + wafers::quoted(info.wafer.name) +
                    " is broken: " + info.mount.reason);
  }
  for (const InvalidEntry& entry : list.invalid_entries) {
    Report::warning("invalid entry " + wafers::quoted(entry.path.native()) + ": " + entry.reason);
  }
}

void expect_nothing(const Parser& parser, const std::vector<std::string>& positional) {
  if (positional.empty()) return;
  throw parser.usage("unexpected argument " + wafers::quoted(positional.front()));
}

std::vector<std::string> with_tail(std::vector<std::string> positional,
                                   const Arguments& arguments) {
  if (arguments.tail) {
    positional.insert(positional.end(), arguments.tail->begin(), arguments.tail->end());
  }
  return positional;
}

std::vector<std::string> names_from(Parser& parser, const Arguments& arguments) {
  auto names = with_tail(parser.parse(), arguments);
  if (names.empty()) throw parser.usage("the name of a wafer is missing");
  return names;
}

/// Does it for one wafer after the other; what fails for one is reported and does not keep the
/// others from it. Returns the status of the first failure.
int for_each(const std::vector<std::string>& names,
             const std::function<void(const std::string&)>& action) {
  int status = Report::kDone;
  for (const std::string& name : names) {
    try {
      action(name);
    } catch (const Error& error) {
      const int failed = Report::partial_failure(error);
      if (status == Report::kDone) status = failed;
    }
  }
  return status;
}

std::vector<std::string> all_names(const Store& store) {
  Store::Listing listing = store.list();
  std::vector<std::string> names;
  for (const Wafer& wafer : listing.wafers) names.push_back(wafer.name);
  for (const InvalidEntry& entry : listing.invalid) names.push_back(entry.name);
  return names;
}

void print_removed(const RemoveResult& result, Report& report) {
  if (report.form() == OutputForm::json) return;
  const std::string kept =
      result.branch.empty() ? "" : " (branch " + printable(result.branch) + " is kept)";
  report.line("Removed wafer " + printable(result.name) + kept);
}

/// `rm --json`: what was removed, also where something failed.
void print_removed_document(const std::vector<std::string>& removed,
                            const std::optional<Error>& failure, Report& report) {
  nlohmann::json document{{"removed", nlohmann::json::array()}};
  for (const std::string& name : removed) document["removed"].push_back(text_to_json(name));
  if (failure) document["error"] = Report::to_json(*failure);
  report.document(document);
}

/// Removes one after the other; what fails for one does not keep the others from it.
int remove_each(const std::vector<std::string>& names, const RemoveOptions& options,
                Report& report) {
  const Store store = open_store();
  const bool text = report.form() == OutputForm::text;
  std::vector<std::string> removed;
  std::optional<Error> first_failure;
  for (const std::string& name : names) {
    try {
      print_removed(remove_wafer(store, name, options, Report::warning), report);
      removed.push_back(name);
    } catch (const Error& error) {
      if (text || first_failure) Report::partial_failure(error);
      if (!first_failure) first_failure = error;
    }
  }
  if (!text) print_removed_document(removed, first_failure, report);
  return first_failure ? Report::status_of(*first_failure) : Report::kDone;
}

}  // namespace

int run_ls(const Command& command, const Arguments& arguments, Report& report) {
  bool json = false;
  Parser parser(command, arguments);
  parser.flag("--json", json, "print JSON");
  expect_nothing(parser, with_tail(parser.parse(), arguments));
  print_list(list_wafers(open_store()), report);
  return Report::kDone;
}

int run_rm(const Command& command, const Arguments& arguments, Report& report) {
  RemoveOptions options;
  bool all = false;
  bool json = false;
  Parser parser(command, arguments);
  parser.flag("--all", all, "remove every wafer");
  parser.flag("--force", options.force, "even if it holds work that is not committed");
  parser.flag("--kill", options.kill, "end the processes that are inside");
  parser.flag("--json", json, "print JSON");
  auto names = with_tail(parser.parse(), arguments);
  if (all && !names.empty()) throw parser.usage("--all and names exclude each other");
  if (all)
    names = all_names(open_store());
  else if (names.empty())
    throw parser.usage("the name of a wafer is missing");
  return remove_each(names, options, report);
}

int run_mount(const Command& command, const Arguments& arguments, Report& /*report*/) {
  bool accept_unclean = false;
  Parser parser(command, arguments);
  // Every mount is durable as yet, so that there is nothing unclean to accept.
  parser.flag("--accept-unclean", accept_unclean, "mount even after a crash of the host");
  const auto names = names_from(parser, arguments);
  const Store store = open_store();
  return for_each(names, [&](const std::string& name) { ensure_mounted(store, name); });
}

int run_umount(const Command& command, const Arguments& arguments, Report& /*report*/) {
  Parser parser(command, arguments);
  const auto names = names_from(parser, arguments);
  const Store store = open_store();
  return for_each(names, [&](const std::string& name) { unmount_wafer(store, name); });
}

}  // namespace wafers::cli
