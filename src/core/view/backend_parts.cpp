#include "core/view/backend_parts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <thread>

#include "base/text.h"
#include "core/view/background_server.h"
#include "core/view/host_checks.h"
#include "linux/fuse_overlayfs.h"
#include "linux/host_facts.h"
#include "linux/mount_table.h"
#include "linux/process_scan.h"
#include "linux/upper.h"
#include "os/process.h"
#include "os/remove_tree.h"

namespace wafers {
namespace {

constexpr auto kTakingDown = std::chrono::seconds(2);

/// The remedy of the first check that isn't passed.
std::optional<std::string> remedy_of(const Check& check) {
  if (check.status == CheckStatus::ok) return std::nullopt;
  return check.remedy;
}

}  // namespace

std::string view_source(const Wafer& wafer) {
  struct stat status {};
  const std::string upper = wafer.upper();
  const bool there = ::lstat(upper.c_str(), &status) == 0;
  return "wafers:" + wafer.name + ":" + std::to_string(there ? status.st_ino : 0);
}

OverlaySpec overlay_of(const Wafer& wafer) {
  OverlaySpec spec;
  spec.lowers = wafer.layers;
  spec.upper = wafer.upper();
  spec.work = wafer.work();
  spec.mountpoint = wafer.mountpoint;
  spec.source = view_source(wafer);
  spec.xattrs =
      wafer.dialect == UpperDialect::kernel_trusted ? OverlayXattrs::trusted : OverlayXattrs::user;
  spec.is_volatile = !wafer.volatile_boot.empty();
  return spec;
}

void tidy_work_directory(const Wafer& wafer) noexcept {
  try {
    forget_volatile(wafer.work());
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the next mount tells of it
  }
}

void retry_while_in_use(const Wafer& wafer, const std::function<void()>& attempt) {
  const auto give_up = std::chrono::steady_clock::now() + kTakingDown;
  bool forgot_origin = false;
  for (auto pause = std::chrono::milliseconds(1);; pause *= 2) {
    try {
      forget_volatile(wafer.work());
      attempt();
      return tidy_work_directory(wafer);
    } catch (const Error& error) {
      const bool still_in_use = error.errnum() == EBUSY;
      const bool other_base = error.errnum() == ESTALE && !forgot_origin;
      const bool was_marked = error.errnum() == EINVAL && forget_volatile(wafer.work());
      if (!still_in_use && !other_base && !was_marked) throw;
      if (!other_base && std::chrono::steady_clock::now() + pause > give_up) throw;
      if (other_base) {
        forget_origin(wafer.upper());
        remove_children(wafer.work());  // nothing but the kernel's own notes on the old base
      }
      forgot_origin = forgot_origin || other_base;
    }
    std::this_thread::sleep_for(pause);
  }
}

bool is_of_this_boot(const std::optional<MountRecord>& record) {
  return record && !record->boot_id.empty() && record->boot_id == boot_id();
}

UniqueFd open_recorded_process(const std::optional<MountRecord>& record) {
  if (!is_of_this_boot(record) || !record->process) return {};
  return open_process(record->process->pid, record->process->start_ticks);
}

Occupant describe_occupant(pid_t pid) {
  constexpr std::size_t kLongest = 100;
  const std::string line = command_of(pid);
  Occupant occupant{pid, shortened(line, kLongest), {}};
  const auto stat = read_process_stat(pid);
  if (const auto server = known_server(pid, stat ? stat->comm : "", line)) {
    occupant.note = server->what + "; end it with: " + server->how_to_end;
  }
  return occupant;
}

std::vector<Occupant> occupants_of_view(const Wafer& wafer, const ViewIdentity& view) {
  std::vector<Occupant> occupants;
  for (const pid_t pid : all_processes()) {
    if (pid != ::getpid() && uses_view(pid, view, wafer.mountpoint)) {
      occupants.push_back(describe_occupant(pid));
    }
  }
  return occupants;
}

void Backend::unmount_for_good(const Wafer& wafer) const {
  if (const auto inside = occupants(wafer); !inside.empty()) throw view_is_busy(wafer, inside);
  unmount(wafer);
}

Error view_is_busy(const Wafer& wafer, const std::vector<Occupant>& occupants) {
  const std::string view = "the view of " + in_quotes(wafer.name) + " is in use";
  if (occupants.empty()) {
    return Error(ErrorKind::busy, view + ", by nobody that this process can see",
                 "look for a process whose working directory is in it, also in other namespaces "
                 "and containers: grep -l " +
                     shell_quoted(view_source(wafer)) + " /proc/*/mountinfo");
  }
  return Error(ErrorKind::busy, view + " by:" + listed(occupants),
               "end these processes, then try again");
}

Trial trial_failed(const Error& error, const std::string& hint) {
  if (error.is_shortage()) throw Error(error);
  Trial trial;
  trial.reason = error.message();
  trial.hint = error.hint().empty() ? hint : error.hint();
  return trial;
}

std::string hint_for_kernel_overlay(const std::filesystem::path& state_dir) {
  const FileSystemFacts facts = probe_file_system(state_dir);
  if (const auto remedy = remedy_of(check_state_directory(state_dir, facts, CheckStatus::fail))) {
    return *remedy;
  }
  const Check kernel = check_kernel(read_kernel_facts(), OverlayMount::tried, CheckStatus::fail);
  if (const auto remedy = remedy_of(kernel)) {
    return *remedy;
  }
  return "the kernel's log may say more: sudo dmesg | grep -iE 'overlay|apparmor|avc'";
}

std::string hint_for_namespaces(const std::filesystem::path& state_dir) {
  const Check check =
      check_user_namespaces(read_restriction_facts(), probe_user_namespace(), CheckStatus::fail);
  return remedy_of(check).value_or(hint_for_kernel_overlay(state_dir));
}

std::string hint_for_fuse() {
  const FuseFacts facts = read_fuse_facts();
  const Caller caller = ::geteuid() == 0 ? Caller::root : Caller::ordinary_user;
  for (const Check& check :
       {check_fuse_server(facts, CheckStatus::fail),
        check_fusermount(facts, read_restriction_facts(), caller, CheckStatus::fail),
        check_fuse_device(facts, CheckStatus::fail)}) {
    if (const auto remedy = remedy_of(check)) return *remedy;
  }
  return "run fuse-overlayfs by hand to see what it says";
}

}  // namespace wafers
