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

namespace git {
class Repository;    // git/repository/repository.h
struct NamedCommit;  // git/repository/revision.h
}  // namespace git
StartingPoint starting_point(const git::Repository& repository, const git::NamedCommit& commit);

}  // namespace wafers
