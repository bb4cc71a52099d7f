#pragma once

#include <string>
#include <system_error>

#include "base/error.h"
#include "core/state/store.h"
#include "core/state/wafer.h"

namespace wafers {

// What a volatile mount leaves to us: to sync the upper, and to know when that was not done.

/// Whether the host went down while the view was mounted volatile, and its holder wasn't asked to
/// end it first, as it is at a shutdown: then the upper may hold
/// anything, such as files with their size and without their content, and their stat data prove
/// nothing.
bool is_unclean(const Wafer& wafer);

/// One clause for people: "it was mounted when the host went down, ...".
std::string unclean_reason();

/// A wafer is refused because it is unclean: ErrorKind::refused, with what to look at and the way
/// on as hint.
class UncleanWafer : public Error {
 public:
  explicit UncleanWafer(const Wafer& wafer);
};

/// Throws UncleanWafer where the wafer is unclean.
void refuse_unclean(const Wafer& wafer);

/// Takes away Wafer::index() and Wafer::seen(): the next command reads the files. Gives what was in
/// the way, if anything was.
std::error_code forget_stat_data(const Wafer& wafer) noexcept;

/// Trusts the upper as it is from now on. No-op where the wafer isn't unclean. Throws Error.
void accept_unclean(LockedWafer& wafer);

/// Before the view is mounted, unless the wafer is durable: notes in its record, on the disk, that
/// what is written from now on need not be there after a crash of the host.
void expect_unclean(LockedWafer& wafer);

}  // namespace wafers
