#include "linux/clean_end.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "os/files.h"
#include "os/process.h"

namespace wafers {
namespace {

constexpr const char* kName = "ended";

/// Torn by a crash it is like no other, and means nothing.
std::string note_of(std::string_view boot, pid_t pid, std::uint64_t start_ticks) {
  return std::string(boot) + " " + std::to_string(pid) + " " + std::to_string(start_ticks) + "\n";
}

}  // namespace

void note_clean_end(const std::filesystem::path& directory) {
  const auto self = read_process_stat(::getpid());
  if (!self) throw Error(ErrorKind::failed, "cannot look at this process in /proc");
  const std::filesystem::path file = directory / kName;
  const UniqueFd fd = open_or_throw(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
  write_all(fd.get(), note_of(boot_id(), self->pid, self->start_ticks));
  sync_where_possible(fd.get(), file.native());
  sync_directory(directory);
}

bool has_clean_end(const std::filesystem::path& directory, std::string_view boot, pid_t pid,
                   std::uint64_t start_ticks) {
  return read_small_file(directory / kName) == note_of(boot, pid, start_ticks);
}

}  // namespace wafers
