// wafers-holder <name>: keeps one wafer's user and mount namespaces alive. It is started by wafers
// with a job and a pipe for its report (linux/holder_job.h), does the job, reports, and then
// becomes wafers-idle, which lies beside it and waits for SIGTERM. Then it is executed once more,
// as wafers-holder <name> <mountpoint> <directory>, and ends the view (helper/end_view.h).
// Capabilities are dropped here and not left to execve, which would give them back to uid 0.

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "end_view.h"
#include "linux/capabilities.h"
#include "linux/covered_checkout.h"
#include "linux/group_map.h"
#include "linux/holder_job.h"
#include "linux/namespaces.h"
#include "linux/overlay.h"
#include "linux/own_copies.h"
#include "linux/second_view.h"
#include "os/failure.h"
#include "os/files.h"
#include "os/process.h"

namespace {

using wafers::Error;
using wafers::HolderJob;
using wafers::HolderReport;

/// Without them ssh is refused its configuration, and all else works.
void show_own_copies(const HolderJob& job, const std::filesystem::path& place) {
  try {
    wafers::show_as_own(job.own_copies, place);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): doctor tries it, and tells why
  }
}

/// The state directory.
std::filesystem::path root_of(const HolderJob& job) {
  return std::filesystem::path(job.directory).parent_path();
}

/// What the namespace has beside the view at its mountpoint.
void add_second_place(const HolderJob& job) {
  const std::filesystem::path place = wafers::mount_second_place(job.directory);
  show_own_copies(job, place);
  wafers::close_second_place(place);
  wafers::mount_second_view(job.overlay.mountpoint, job.directory);
  if (!job.place.empty()) wafers::cover_checkout(job.place, job.overlay.mountpoint, root_of(job));
}

void mount_in_new_namespaces(const HolderJob& job) {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  std::optional<wafers::GroupMapper> mapper;
  if (!job.mapped.groups.empty()) mapper.emplace(job.mapped, gid);
  wafers::unshare_user_and_mount();
  wafers::map_own_ids(uid, gid, mapper ? &*mapper : nullptr);
  wafers::make_mounts_slave();
  wafers::OverlaySpec overlay = job.overlay;
  const wafers::UniqueFd mountpoint =
      wafers::open_file(overlay.mountpoint, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!mountpoint) wafers::throw_errno("cannot mount an overlay on", overlay.mountpoint.native());
  overlay.mountpoint_fd = mountpoint.get();
  wafers::mount_overlay(overlay);
  add_second_place(job);
}

void do_job(const HolderJob& job) {
  if (job.kind == HolderJob::Kind::adopt) {
    wafers::enter_user_and_mount_of(wafers::kHolderTargetFd);
  } else {
    mount_in_new_namespaces(job);
  }
  wafers::keep_only_capabilities(wafers::kEndingCapabilities);
}

/// No victim by inheritance: an agent's high oom_score_adj is not meant for its holder. Where
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
  wafers::throw_errno("cannot change to /");
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

/// What SIGTERM is read from, and the program that it is for.
struct Ending {
  wafers::UniqueFd signal;
  wafers::UniqueFd program;
};

Ending prepare_ending() {
  // A session's processes get SIGHUP as well at the shutdown (systemd.kill(5), SendSIGHUP).
  std::signal(SIGHUP, SIG_IGN);
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  Ending ending{wafers::UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC)),
                wafers::open_file("/proc/self/exe", O_PATH)};
  if (ending.signal && ending.program) return ending;
  wafers::throw_errno("cannot wait for a signal");
}

/// Puts the two where wafers-idle looks for them. The standard streams are /dev/null already.
void place_descriptors(Ending ending) {
  ::dup2(STDERR_FILENO, wafers::kHolderJobFd);
  // Either may have the other's place.
  constexpr int kElsewhere = 16;
  ending.signal.reset(::fcntl(ending.signal.get(), F_DUPFD_CLOEXEC, kElsewhere));
  ending.program.reset(::fcntl(ending.program.get(), F_DUPFD_CLOEXEC, kElsewhere));
  ::dup2(ending.signal.get(), wafers::kHolderSignalFd);
  ::dup2(ending.program.get(), wafers::kHolderProgramFd);
}

/// Reads the job, does it, and gives up what it doesn't need any more.
HolderReport become_holder(HolderJob& job) {
  HolderReport report;
  try {
    job = wafers::decode_job(wafers::read_to_end(wafers::kHolderJobFd));
    reset_oom_score();
    do_job(job);
    report = describe_self(job.overlay);
    leave_directory();
    place_descriptors(prepare_ending());
  } catch (const Error& error) {
    report.failure = wafers::Failure::of(error);
  } catch (const std::exception& exception) {
    report.failure = wafers::Failure{exception.what(), 0};
  }
  ::close_range(wafers::kHolderProgramFd + 1, ~0U, 0);
  return report;
}

bool report_readiness(HolderJob& job) {
  const HolderReport report = become_holder(job);
  try {
    wafers::write_all(wafers::kHolderReportFd, encode(report));
  } catch (const Error&) {
    return false;  // the process that asked for a holder is gone, and can't record this one
  }
  return !report.failure;
}

int report_failed_fork(int err) {
  HolderReport report;
  report.failure = wafers::Failure{"cannot start a holder", err};
  try {
    wafers::write_all(wafers::kHolderReportFd, encode(report));
  } catch (const Error&) {
  }
  return 1;
}

/// Returns where there is no wafers-idle (it is built along with a static holder): this process can
/// idle as well, in more memory.
void become_idle(const char* name, const HolderJob& job) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  // Not by the view's way to a program in the checkout: the holder would keep that busy.
  const auto idle =
      wafers::covered_checkout(job.place, root_of(job)).inside(self.parent_path() / "wafers-idle");
  std::string words[] = {"wafers-holder", name, job.overlay.mountpoint, job.directory};
  char* const argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                        nullptr};
  char* const no_environment[] = {nullptr};
  ::execve(idle.c_str(), argv, no_environment);
}

int end_view(const std::string& mountpoint, const std::string& directory) {
  try {
    wafers::end_view(mountpoint, directory);
    return 0;
  } catch (const std::exception&) {  // without its note the wafer is unclean
    return 1;
  }
}

int hold(const char* name) {
  HolderJob job;
  if (!report_readiness(job)) return 1;
  std::signal(SIGPIPE, SIG_DFL);
  become_idle(name, job);
  ::close(wafers::kHolderReportFd);
  signalfd_siginfo signal;
  while (::read(wafers::kHolderSignalFd, &signal, sizeof signal) < 0 && errno == EINTR) {
  }
  return end_view(job.overlay.mountpoint, job.directory);
}

}  // namespace

int main(int argc, char** argv) {
  // Setuid or with file capabilities it would mount whatever its caller likes.
  if (::getauxval(AT_SECURE) != 0) return 1;
  if (argc == 4) return end_view(argv[2], argv[3]);
  if (argc != 2) return 2;  // the name is there for ps(1)
  // The pipe's reader may be gone; write(2) says so.
  std::signal(SIGPIPE, SIG_IGN);
  // Our caller waits for this process; the holder itself has no parent.
  const pid_t pid = ::fork();
  if (pid < 0) return report_failed_fork(errno);
  if (pid != 0) return 0;
  ::setsid();
  return hold(argv[1]);
}
