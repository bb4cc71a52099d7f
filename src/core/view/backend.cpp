#include "core/view/backend.h"

namespace wafers {

std::string listed(const std::vector<Occupant>& occupants) {
  std::string lines;
  for (const Occupant& occupant : occupants) {
    lines += "\n  " + std::to_string(occupant.pid) + " " + occupant.command;
    if (!occupant.note.empty()) lines += "\n    (" + occupant.note + ")";
  }
  return lines;
}

}  // namespace wafers
