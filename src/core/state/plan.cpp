#include "core/state/plan.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <exception>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "os/files.h"

namespace wafers {
namespace {

/// Descriptors and memory that nothing else in this process can use up.
class Reserve {
 public:
  Reserve() {
    while (descriptors_.size() < kDescriptors) {
      descriptors_.emplace_back(open_file("/dev/null", O_RDONLY));
      if (descriptors_.back()) continue;
      throw_errno("cannot begin");
    }
  }

  void release() noexcept {
    descriptors_.clear();
    memory_.reset();
  }

 private:
  /// Removing a tree takes one for each level.
  static constexpr std::size_t kDescriptors = 16;
  static constexpr std::size_t kMemory = std::size_t{1} << 20U;

  std::vector<UniqueFd> descriptors_;
  std::unique_ptr<char[]> memory_{new char[kMemory]};
};

}  // namespace

void Plan::step(std::string name, Action run, Action undo) {
  steps_.push_back({std::move(name), std::move(run), std::move(undo)});
}

void Plan::run(const Action& between, const Notify& warn) {
  Reserve reserve;
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
    reserve.release();
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
