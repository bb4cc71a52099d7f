#include "core/state/unclean.h"

#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "core/state/hidden_git.h"
#include "linux/clean_end.h"
#include "os/process.h"

namespace wafers {
namespace {

/// An unknown id must not pass for that of another boot: then every sound wafer would be unclean.
std::string this_boot() {
  std::string id = boot_id();
  if (!id.empty()) return id;
  throw Error(ErrorKind::failed, "cannot read the id of this boot from /proc");
}

/// Its holder was asked to end at the shutdown, and did.
bool was_ended_cleanly(const Wafer& wafer) {
  return wafer.mount && wafer.mount->process &&
         has_clean_end(wafer.directory, wafer.volatile_boot, wafer.mount->process->pid,
                       wafer.mount->process->start_ticks);
}

}  // namespace

bool is_unclean(const Wafer& wafer) {
  return !wafer.volatile_boot.empty() && wafer.volatile_boot != this_boot() &&
         !was_ended_cleanly(wafer);
}

std::string unclean_reason() {
  return "it was mounted when the host went down, and what was written last may be lost or damaged";
}

UncleanWafer::UncleanWafer(const Wafer& wafer)
    : Error(ErrorKind::refused, "wafer " + in_quotes(wafer.name) + ": " + unclean_reason(),
            "look for files that are empty, cut off or missing: 'wafers git-status " + wafer.name +
                "', 'wafers git-diff " + wafer.name +
                " --uncommitted', and the latest ones with\n"
                "  find " +
                shell_quoted(wafer.upper().native()) +
                " -type f -printf '%T+ %s %p\\n' | sort -r | head\n"
                "then take it as it is with 'wafers mount --accept-unclean " +
                wafer.name + "', or remove it with 'wafers rm'") {}

void refuse_unclean(const Wafer& wafer) {
  if (is_unclean(wafer)) throw UncleanWafer(wafer);
}

std::error_code forget_stat_data(const Wafer& wafer) noexcept {
  std::error_code index;
  std::error_code seen;
  std::filesystem::remove(wafer.index(), index);
  std::filesystem::remove(wafer.seen(), seen);
  return index ? index : seen;
}

void accept_unclean(LockedWafer& wafer) {
  if (!is_unclean(*wafer)) return;
  // The stat caches would call a file unchanged whose content is lost.
  if (const std::error_code error = forget_stat_data(*wafer)) {
    throw Error::system(error.value(), "cannot forget stat data of " + in_quotes(wafer->name));
  }
  hide_repository(*wafer);
  wafer->volatile_boot = this_boot();
  wafer.save();
}

void expect_unclean(LockedWafer& wafer) {
  // That of an earlier boot is left where the view was ended cleanly.
  if (wafer->durable || wafer->volatile_boot == this_boot()) return;
  wafer->volatile_boot = this_boot();
  wafer.save();
}

}  // namespace wafers
