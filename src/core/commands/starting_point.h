#pragma once

#include <cstddef>
#include <string>

namespace wafers {

/// What a new wafer starts from, in words.
struct StartingPoint {
  std::string commit;  ///< hexadecimal
  std::string short_id;
  std::string ref;  ///< that it was found by, short; "HEAD" where that is detached
  std::string subject;
  std::string upstream;    ///< of that ref, if it is ahead of the commit; else empty
  std::size_t behind = 0;  ///< by so many commits
};

struct OpenedBase;  // core/commands/opened_base.h
StartingPoint starting_point(const OpenedBase& base);

}  // namespace wafers
