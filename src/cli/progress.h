#pragma once

#include <cstddef>
#include <string_view>

namespace wafers::cli {

/// For whoever watches standard error on a terminal: "copying files: 1234" in a line that the next
/// one replaces and clear_progress() takes away. Shown of what has been done for a second already,
/// or for as many as GIT_PROGRESS_DELAY says, as in git(1), and not more often than an eye can
/// follow. Cheap enough to be called for each file, by one thread.
void show_progress(std::string_view doing, std::size_t count);

/// To be called before anything else is printed, and at the end.
void clear_progress() noexcept;

/// From now on nothing is shown.
void show_no_progress() noexcept;

}  // namespace wafers::cli
