#pragma once

#include <string_view>

namespace wafers::git {

/// Whether `content` has one of the changes that lead from the text `from` to the text `to`: so it
/// was made of `to`, at least there, whatever else was done to it. A changed place counts as held
/// where at least half of its new lines are there, or where all of its lines are gone that `to`
/// lacks. Not by `git apply --reverse --check`, which finds no place for a patch whose surroundings
/// were changed as well. Throws Error(failed) for lack of memory.
bool holds_change(std::string_view from, std::string_view to, std::string_view content);

}  // namespace wafers::git
