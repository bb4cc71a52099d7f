#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.h"
#include "core/view/backend.h"
#include "core/view/backends.h"
#include "support/git_repo.h"
#include "support/process.h"
#include "support/temp_dir.h"

namespace wafers::test {

/// A wafer made by hand, with a base that is a plain directory: what a backend needs, and no Git.
/// At the end it is unmounted by force, whatever the case left.
class MountFixture {
 public:
  /// `odd` is part of the paths of base, state and mountpoint; `odd_state` of the state's alone.
  explicit MountFixture(BackendKind kind, const std::string& odd = {});
  MountFixture(BackendKind kind, const std::string& odd, const std::string& odd_state);
  MountFixture(const MountFixture&) = delete;
  MountFixture& operator=(const MountFixture&) = delete;
  ~MountFixture();

  /// Mounts and keeps the record.
  void mount() { wafer.mount = backend->mount(wafer); }

  /// The mounted view. Throws Error where it isn't mounted.
  std::unique_ptr<MountedView> found() const;
  MountState state() const { return backend->state(wafer); }

  /// A path in the view that works from where the test runs.
  std::filesystem::path view(const std::string& path) const;

  /// Another wafer on the same base.
  Wafer make_wafer(const std::string& name) const;

 private:
  TempDir temp_;

 public:
  std::filesystem::path base;
  std::filesystem::path state_dir;
  std::filesystem::path mountpoints;
  std::unique_ptr<Backend> backend;
  Wafer wafer;
};

/// The backend that the suite is about, which defines this.
BackendKind suite_backend();

bool is_whiteout(const std::filesystem::path& path);

/// What the probe `inside` prints, run in the wafer the way `wafers exec` does it.
std::string probe_inside(const MountFixture& fixture, const std::string& command);
/// The same probe outside: what the answers are to be compared with.
std::string probe_outside(const std::string& command);

/// A running `inside wait`, or another command that says "ready" and waits for the end of its
/// input.
class Lodger {
 public:
  static Lodger inside(const MountFixture& fixture, const std::vector<std::string>& command);
  static Lodger outside(const std::vector<std::string>& command);
  Lodger(Lodger&&) noexcept = default;
  Lodger& operator=(Lodger&&) = delete;
  ~Lodger() { leave(); }

  pid_t pid() const noexcept { return pid_; }
  /// Lets it end, and waits for that.
  void leave();

 private:
  Lodger(const MountFixture* fixture, const std::vector<std::string>& command);

  pid_t pid_ = -1;
  UniqueFd input_;
};

/// Whether this process has a child, living or dead.
bool has_child();

std::vector<pid_t> pids_of(const std::vector<Occupant>& occupants);

/// Names that break a parser somewhere: of mount options, of mountinfo, of /etc/mtab.
const std::vector<std::string>& odd_names();

}  // namespace wafers::test
