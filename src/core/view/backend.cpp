#include "core/view/backend.h"

#include "base/text.h"

namespace wafers {

Error not_mounted(const Wafer& wafer) {
  return Error(ErrorKind::failed, "the view of " + in_quotes(wafer.name) + " is not mounted",
               "mount it with 'wafers mount " + wafer.name + "'");
}

std::string listed(const std::vector<Occupant>& occupants) {
  std::string lines;
  for (const Occupant& occupant : occupants) {
    lines += "\n  " + std::to_string(occupant.pid) + " " + occupant.command;
    if (!occupant.note.empty()) lines += "\n    (" + occupant.note + ")";
  }
  return lines;
}

}  // namespace wafers
