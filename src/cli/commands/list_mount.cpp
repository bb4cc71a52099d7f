#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "core/base/live_base.h"
#include "core/commands/list.h"
#include "core/view/mount.h"

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
  if (info.wafer.base_kind == BaseKind::frozen) return "frozen";
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

void expect_nothing(const Parser& parser, const std::vector<std::string>& positional) {
  if (positional.empty()) return;
  throw parser.usage("unexpected argument " + in_quotes(positional.front()));
}

/// The wafers that were named, or all of them with --all.
std::vector<std::string> names_from(Parser& parser, const Arguments& arguments, const bool& all) {
  auto names = with_tail(parser.parse(), arguments);
  if (all && !names.empty()) throw parser.usage("--all and names exclude each other");
  if (all) return all_names(open_store());
  if (names.empty()) throw parser.usage("the name of a wafer is missing");
  return names;
}

}  // namespace

int run_ls(const Command& command, const Arguments& arguments, Report& report) {
  bool json = false;
  bool quiet = false;
  Parser parser(command, arguments);
  parser.flag("-q,--quiet", quiet, "print names only");
  parser.flag("--json", json, "print JSON");
  expect_nothing(parser, with_tail(parser.parse(), arguments));
  if (quiet && !json) {
    for (const std::string& name : all_names(open_store())) report.line(name);
    return Report::kDone;
  }
  print_list(list_wafers(open_store()), report);
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
