#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/state/store.h"

namespace wafers {

/// An ordered list of named steps, each with its undo.
class Plan {
 public:
  using Action = std::function<void()>;

  /// `undo` takes back what `run` did. It is also called where `run` itself threw, and must cope
  /// with a step that was done only in part.
  void step(std::string name, Action run, Action undo = {});

  /// Runs the steps in order, calling `between` before each. Where anything throws, undoes in
  /// reverse order all that was begun and passes the exception on; an undo that fails goes to
  /// `warn`, and the others still run. What an undo takes of descriptors and memory is set aside
  /// before the first step, so that a step may fail for want of them. Throws Error where there is
  /// not even that much.
  void run(const Action& between, const Notify& warn);

 private:
  struct Step {
    std::string name;
    Action run;
    Action undo;
  };
  void undo_first(std::size_t count, const Notify& warn) const;

  std::vector<Step> steps_;
};

}  // namespace wafers
