#include "linux/holder.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "linux/helper_program.h"
#include "os/files.h"
#include "os/spawn.h"

namespace wafers {
namespace {

Error holder_missing() {
  return Error(ErrorKind::unsupported, "cannot find the helper program wafers-holder",
               "reinstall wafers, or set WAFERS_HOLDER to the path of wafers-holder");
}

/// An exec failure of the spawned process shows as an empty report.
HolderReport read_report(int fd, const std::filesystem::path& program) {
  const std::string text = read_to_end(fd);
  if (text.empty()) {
    throw Error(ErrorKind::failed, "cannot start a holder: " + in_quotes(program.native()) +
                                       " ended without a report");
  }
  return decode_report(text);
}

}  // namespace

std::optional<std::filesystem::path> find_holder() {
  const char* const set = std::getenv("WAFERS_HOLDER");
  if (set == nullptr || *set == '\0') return find_helper("wafers-holder");
  if (::access(set, X_OK) == 0) return set;
  return std::nullopt;
}

StartingHolder::StartingHolder(const std::string& name, const HolderJob& job, int target) {
  const auto program = find_holder();
  if (!program) throw holder_missing();
  program_ = *program;
  const UniqueFd job_file = make_memory_file(encode(job));
  Pipe report_pipe = make_pipe();
  Command command;
  command.path = program_;
  command.argv = {"wafers-holder", name};
  command.descriptors = {{job_file.get(), kHolderJobFd},
                         {report_pipe.writer.get(), kHolderReportFd}};
  if (target >= 0) command.descriptors.push_back({target, kHolderTargetFd});
  pid_ = spawn(command);
  report_ = std::move(report_pipe.reader);
}

HolderReport StartingHolder::wait() {
  wait_for_child(pid_);  // it forks the holder and ends at once
  HolderReport report = read_report(report_.get(), program_);
  if (report.failure) throw report.failure->error();
  return report;
}

HolderReport start_holder(const std::string& name, const HolderJob& job, int target) {
  return StartingHolder(name, job, target).wait();
}

}  // namespace wafers
