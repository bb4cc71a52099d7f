#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "linux/upper.h"

namespace wafers::test {

/// A writable view of a directory, made without wafers' own mounting: the table test of trees
/// compares what the overlay itself leaves in the upper. Unmounted at the end of the scope.
class View {
 public:
  virtual ~View() = default;
  View() = default;
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  virtual std::filesystem::path mountpoint() const = 0;
  virtual std::filesystem::path upper() const = 0;
  virtual UpperDialect dialect() const = 0;
  /// After this the upper's files hold what was written through the view.
  virtual void flush() = 0;
  /// Idempotent. Throws std::runtime_error.
  virtual void unmount() = 0;
};

/// Whether views of that dialect can be made by this process; else says why not. To be called once
/// before the first one: the process may get namespaces of its own.
struct Ability {
  bool can = false;
  std::string why_not;
};
Ability prepare_views(UpperDialect dialect);

/// Mounts `lower` with upper, work directory and mountpoint below `scratch`, `.git` hidden. Before
/// that the shell script `forged` runs in the upper, with the function `mark NAME VALUE FILE...`
/// for the dialect's own marks.
std::unique_ptr<View> make_view(UpperDialect dialect, const std::filesystem::path& lower,
                                const std::filesystem::path& scratch,
                                const std::string& forged = {});

}  // namespace wafers::test
