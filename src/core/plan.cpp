#include "core/plan.h"

#include <exception>
#include <utility>

namespace wafers {

void Plan::step(std::string name, Action run, Action undo) {
  steps_.push_back({std::move(name), std::move(run), std::move(undo)});
}

void Plan::run(const Action& between, const Notify& warn) {
  std::size_t begun = 0;
  try {
    for (const Step& step : steps_) {
      if (between) between();
      ++begun;
      step.run();
    }
    // A signal that came during the last step finds everything done; it is heard all the same.
    if (between) between();
  } catch (...) {
    undo_first(begun, warn);
    throw;
  }
}

void Plan::undo_first(std::size_t count, const Notify& warn) const {
  while (count-- > 0) {
    const Step& step = steps_[count];
    if (!step.undo) continue;
    try {
      step.undo();
    } catch (const std::exception& error) {
      if (warn) warn("cannot undo step '" + step.name + "': " + error.what());
    }
  }
}

}  // namespace wafers
