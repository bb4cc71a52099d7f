#include "core/commands/list.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "cli/command.h"
#include "cli/list_report.h"
#include "core/git_commands/overview.h"
#include "core/view/backends.h"

namespace wafers::cli {
namespace {

using Table = std::vector<std::vector<std::string>>;

/// Columns on a terminal, as long as every character is one wide.
std::size_t width_of(const std::string& text) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues));
}

/// Of the terminal that the table goes to, by COLUMNS where it is set.
std::size_t columns_of_terminal() {
  constexpr std::size_t kEndless = std::numeric_limits<std::size_t>::max();
  if (::isatty(STDOUT_FILENO) == 0) return kEndless;
  const char* const columns = std::getenv("COLUMNS");
  const long wanted = columns != nullptr ? std::atol(columns) : 0;
  if (wanted > 0) return static_cast<std::size_t>(wanted);
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kEndless;
}

/// a2 before a10: runs of digits count as numbers.
bool comes_before(const std::string& a, const std::string& b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto number_at = [&](const std::string& text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    std::string digits = text.substr(at, end - at);
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    return std::pair(digits, end);
  };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const auto [x, after_x] = number_at(a, i);
      const auto [y, after_y] = number_at(b, j);
      if (x != y) return x.size() != y.size() ? x.size() < y.size() : x < y;
      i = after_x;
      j = after_y;
    } else if (a[i] != b[j]) {
      return a[i] < b[j];
    } else {
      ++i;
      ++j;
    }
  }
  return a.size() - i != b.size() - j ? a.size() - i < b.size() - j : a < b;
}

/// "5m", "3h", "12d", since a time in RFC 3339.
std::string age_of(const std::string& created_at) {
  struct Unit {
    std::time_t seconds;
    char letter;
  };
  constexpr std::array kUnits = {Unit{86'400, 'd'}, Unit{3'600, 'h'}, Unit{60, 'm'}};
  std::tm then{};
  if (::strptime(created_at.c_str(), "%Y-%m-%dT%H:%M:%SZ", &then) == nullptr) return "?";
  const std::time_t age = std::max<std::time_t>(std::time(nullptr) - ::timegm(&then), 0);
  for (const Unit& unit : kUnits) {
    if (age >= unit.seconds) return std::to_string(age / unit.seconds) + unit.letter;
  }
  return std::to_string(age) + "s";
}

/// "12K": in units of 1024, one digit behind the point where it is less than ten.
std::string size_text(std::uintmax_t bytes) {
  constexpr std::uintmax_t kUnit = 1024;
  std::uintmax_t tenths = bytes * 10;
  std::size_t unit = 0;
  constexpr std::string_view kUnits = "BKMGT";
  while (tenths >= kUnit * 10 && unit + 1 < kUnits.size()) {
    tenths /= kUnit;
    ++unit;
  }
  const bool has_point = unit > 0 && tenths < 100;
  return std::to_string(tenths / 10) + (has_point ? "." + std::to_string(tenths % 10) : "") +
         kUnits[unit];
}

std::string base_state(const WaferInfo& info) {
  if (info.wafer.base_kind == BaseKind::frozen) return "frozen";
  if (!info.base_moved) return "unknown";
  return *info.base_moved ? "moved" : "live";
}

/// A wafer as it is listed.
struct Listed {
  const WaferInfo* info = nullptr;
  std::optional<Overview> overview;
  std::string problem;  ///< why there is none; empty where that is told otherwise
};

std::string number(const Listed& listed, std::size_t Overview::*member) {
  return listed.overview ? std::to_string((*listed.overview).*member) : "?";
}

std::string subject_in(const Listed& listed) {
  return listed.overview ? printable(listed.overview->subject) : std::string();
}

Table short_table(const std::vector<Listed>& all, bool with_repository) {
  Table rows{{"NAME", "STATUS", "BRANCH", "AHEAD", "CHANGED", "AGE", "SUBJECT"}};
  for (const Listed& listed : all) {
    const Wafer& wafer = listed.info->wafer;
    rows.push_back({wafer.name, std::string(to_string(listed.info->mount.status)),
                    printable(wafer.branch), number(listed, &Overview::ahead),
                    number(listed, &Overview::changed), age_of(wafer.created_at),
                    subject_in(listed)});
  }
  if (!with_repository) return rows;
  rows.front().insert(rows.front().begin() + 1, "REPOSITORY");
  for (std::size_t i = 0; i < all.size(); ++i) {
    rows[i + 1].insert(rows[i + 1].begin() + 1, printable(all[i].info->wafer.checkout.native()));
  }
  return rows;
}

Table long_table(const std::vector<Listed>& all) {
  constexpr std::size_t kShortId = 7;
  Table rows{{"NAME", "STATUS", "BACKEND", "BRANCH", "BASE", "AHEAD", "CHANGED", "DISK",
              "PROCESSES", "AGE", "MOUNTPOINT"}};
  for (const Listed& listed : all) {
    const Wafer& wafer = listed.info->wafer;
    rows.push_back({wafer.name, std::string(to_string(listed.info->mount.status)),
                    std::string(to_string(wafer.backend)), printable(wafer.branch),
                    wafer.base_commit.substr(0, kShortId) + " " + base_state(*listed.info),
                    number(listed, &Overview::ahead), number(listed, &Overview::changed),
                    size_text(disk_usage(wafer)),
                    std::to_string(make_backend(wafer.backend)->occupants(wafer).size()),
                    age_of(wafer.created_at), printable(wafer.mountpoint.native())});
  }
  return rows;
}

std::string coloured(const std::string& status, bool with_colour) {
  if (status == "mounted") return in_colour(status, Colour::green, with_colour);
  return in_colour(status, Colour::red, with_colour && status == "broken");
}

void print_table(const Table& rows, Report& report) {
  constexpr std::size_t kLeast = 10;
  const std::size_t columns = rows.front().size();
  const bool with_colour = shows_colour(STDOUT_FILENO);
  std::vector<std::size_t> widths(columns);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::size_t before_last = 0;
  for (std::size_t i = 0; i + 1 < columns; ++i) before_last += widths[i] + 2;
  const std::size_t all = columns_of_terminal();
  const std::size_t room = all > before_last + kLeast ? all - before_last : kLeast;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i + 1 < columns; ++i) {
      line += coloured(row[i], with_colour) + std::string(widths[i] - width_of(row[i]) + 2, ' ');
    }
    line += shortened(row.back(), room);
    line.erase(line.find_last_not_of(' ') + 1);
    report.line(line);
  }
}

/// Of the repository that we stand in; of all where that has none, or is none.
void leave_out_others(ListResult& list) {
  const auto own = repository_here();
  if (!own) return;
  std::map<std::filesystem::path, std::optional<std::filesystem::path>> repositories;
  for (const WaferInfo& info : list.wafers) {
    auto& repository = repositories[info.wafer.checkout];
    if (!repository) repository = repository_of(info.wafer);
  }
  const auto is_other = [&](const WaferInfo& info) {
    const auto& repository = repositories.at(info.wafer.checkout);
    return repository && *repository != *own;
  };
  if (std::ranges::all_of(list.wafers, is_other)) return;
  std::erase_if(list.wafers, is_other);
}

std::vector<Listed> looked_at(const ListResult& list) {
  std::vector<Listed> all;
  for (const WaferInfo& info : list.wafers) {
    Listed listed{&info, std::nullopt, {}};
    try {
      if (info.wafer.stage == WaferStage::ready) listed.overview = overview_of(info.wafer);
    } catch (const Error& error) {
      if (info.mount.status != WaferStatus::broken) listed.problem = error.message();
    }
    all.push_back(std::move(listed));
  }
  return all;
}

bool has_several_repositories(const ListResult& list) {
  std::set<std::filesystem::path> checkouts;
  for (const WaferInfo& info : list.wafers) checkouts.insert(info.wafer.checkout);
  return checkouts.size() > 1;
}

nlohmann::json document_of(const ListResult& list, const std::vector<Listed>& all) {
  nlohmann::json document = list_to_json(list);
  for (std::size_t i = 0; i < all.size(); ++i) {
    nlohmann::json& object = document["wafers"][i];
    const auto& overview = all[i].overview;
    object["changed_files"] = overview ? nlohmann::json(overview->changed) : nlohmann::json();
    object["disk_bytes"] = disk_usage(all[i].info->wafer);
  }
  return document;
}

}  // namespace

int run_ls_with_git(const Command& command, const Arguments& arguments, Report& report) {
  const ListOptions options = parse_list_options(command, arguments);
  const Store store = open_store();
  ListResult list = list_wafers(store);
  const bool json = report.form() == OutputForm::json;
  if (!json) {
    std::ranges::sort(list.wafers, comes_before,
                      [](const WaferInfo& info) -> const std::string& { return info.wafer.name; });
    if (!options.all) leave_out_others(list);
  }
  const std::vector<Listed> all = looked_at(list);
  if (json) {
    report.document(document_of(list, all));
    return Report::kDone;
  }
  if (!all.empty()) {
    print_table(
        options.is_long ? long_table(all) : short_table(all, has_several_repositories(list)),
        report);
  }
  tell_of_trouble(list);
  for (const Listed& listed : all) {
    if (listed.problem.empty()) continue;
    Report::warning("cannot look into wafer " + in_quotes(listed.info->wafer.name) + ": " +
                    listed.problem);
  }
  return Report::kDone;
}

}  // namespace wafers::cli
