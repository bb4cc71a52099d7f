#include "core/view/rename.h"

#include "base/text.h"
#include "cli/command.h"

namespace wafers::cli {

int run_rename(const Command& command, const Arguments& arguments, Report& report) {
  Parser parser(command, arguments);
  const auto names = with_tail(parser.parse(), arguments);
  if (names.size() != 2) throw parser.usage("the old name and the new one are needed");
  const Wafer wafer = rename_wafer(open_store(), names[0], names[1]);
  report.feedback("Renamed wafer " + printable(names[0]) + " to " + wafer.name +
                  " (its branch stays " + printable(wafer.branch) + ")");
  return Report::kDone;
}

}  // namespace wafers::cli
