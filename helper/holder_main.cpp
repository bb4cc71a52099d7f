// wafers-holder <name>: keeps one wafer's user and mount namespaces alive. It is started by wafers
// with a job and a pipe for its report (linux/holder_job.h), does the job, reports, and then
// becomes wafers-idle, which lies beside it and waits for SIGTERM. Capabilities are dropped here
// and not left to that execve, which would give them back to uid 0.

#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "linux/capabilities.h"
#include "linux/failure.h"
#include "linux/files.h"
#include "linux/group_map.h"
#include "linux/holder_job.h"
#include "linux/namespaces.h"
#include "linux/overlay.h"
#include "linux/own_copies.h"
#include "linux/process.h"

namespace {

using wafers::Error;
using wafers::HolderJob;
using wafers::HolderReport;

/// Without them ssh is refused its configuration, and all else works.
void show_own_copies(const HolderJob& job) {
  try {
    wafers::show_as_own(job.own_copies, job.overlay.mountpoint);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): doctor tries it, and tells why
  }
}

void mount_in_new_namespaces(const HolderJob& job) {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  std::optional<wafers::GroupMapper> mapper;
  if (!job.mapped.groups.empty()) mapper.emplace(job.mapped, gid);
  wafers::unshare_user_and_mount();
  wafers::map_own_ids(uid, gid, mapper ? &*mapper : nullptr);
  wafers::make_mounts_slave();
  show_own_copies(job);
  wafers::OverlaySpec overlay = job.overlay;
  const wafers::UniqueFd place(
      ::open(overlay.mountpoint.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!place) {
    const int err = errno;
    throw Error::system(
        err, "cannot mount an overlay on " + wafers::quoted(overlay.mountpoint.native()));
  }
  overlay.mountpoint_fd = place.get();
  wafers::mount_overlay(overlay);
}

void do_job(const HolderJob& job) {
  if (job.kind == HolderJob::Kind::adopt) {
    wafers::enter_user_and_mount_of(wafers::kHolderTargetFd);
  } else {
    mount_in_new_namespaces(job);
  }
  wafers::drop_all_capabilities();
}

/// Nobody's victim by inheritance: an agent's high oom_score_adj is not meant for its holder. Where
/// it can't be lowered, so be it: killing a holder loses nothing.
void reset_oom_score() {
  const auto score = wafers::read_small_file("/proc/self/oom_score_adj");
  if (!score || score->starts_with('-') || score->starts_with('0')) return;
  try {
    wafers::write_existing_file("/proc/self/oom_score_adj", "0");
  } catch (const Error&) {
  }
}

void leave_directory() {
  if (::chdir("/") == 0) return;
  const int err = errno;
  throw Error::system(err, "cannot change to /");
}

HolderReport describe_self(const wafers::OverlaySpec& overlay) {
  HolderReport report;
  report.pid = ::getpid();
  const auto stat = wafers::read_process_stat(report.pid);
  const auto view = wafers::view_identity(overlay.mountpoint);
  if (!stat || !view) {
    throw Error(wafers::ErrorKind::failed, "the holder cannot look at itself in /proc");
  }
  report.start_ticks = stat->start_ticks;
  report.user_ns = wafers::own_namespace_inode(wafers::NamespaceType::user);
  report.mnt_ns = wafers::own_namespace_inode(wafers::NamespaceType::mount);
  report.device = view->device;
  return report;
}

/// Reads the job, does it, and gives up every descriptor but the one for the report.
HolderReport become_holder() {
  HolderReport report;
  try {
    const HolderJob job = wafers::decode_job(wafers::read_to_end(wafers::kHolderJobFd));
    reset_oom_score();
    do_job(job);
    report = describe_self(job.overlay);
    leave_directory();
  } catch (const Error& error) {
    report.failure = wafers::Failure::of(error);
  } catch (const std::exception& exception) {
    report.failure = wafers::Failure{exception.what(), 0};
  }
  ::dup2(STDERR_FILENO, wafers::kHolderJobFd);  // standard error is /dev/null already
  ::close_range(wafers::kHolderReportFd + 1, ~0U, 0);
  return report;
}

bool report_readiness() {
  const HolderReport report = become_holder();
  try {
    wafers::write_all(wafers::kHolderReportFd, encode(report));
  } catch (const Error&) {
    return false;  // whoever asked for a holder is gone, and would not know of this one
  }
  return !report.failure;
}

}  // namespace

namespace {

/// Returns where there is no wafers-idle (it is built along with a static holder): this process can
/// idle as well, in more memory.
void become_idle(char** argv) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto idle = self.parent_path() / "wafers-idle";
  char* const no_environment[] = {nullptr};
  ::execve(idle.c_str(), argv, no_environment);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;  // wafers-holder <name>: the name is there for ps(1)
  // Setuid or with file capabilities it would mount whatever its caller likes.
  if (::getauxval(AT_SECURE) != 0) return 1;
  // The pipe's reader may be gone; write(2) says so.
  std::signal(SIGPIPE, SIG_IGN);
  // Whoever started us waits for this process; the holder itself belongs to nobody.
  const pid_t pid = ::fork();
  if (pid != 0) return pid > 0 ? 0 : 1;
  ::setsid();
  if (!report_readiness()) return 1;
  std::signal(SIGPIPE, SIG_DFL);
  become_idle(argv);
  ::close(wafers::kHolderReportFd);
  while (true) ::pause();
}
