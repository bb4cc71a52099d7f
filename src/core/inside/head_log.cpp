#include "core/inside/head_log.h"

#include <exception>

#include "core/inside/git_dir.h"
#include "git/refs/ref_files.h"

namespace wafers {

void log_in_head(const Wafer& wafer, const git::Repository& repository, const git::Oid& before,
                 const git::Oid& after, const git::Identity& who,
                 const std::string& message) noexcept {
  try {
    GitDir::open(wafer.git_dir)
        .append_to_head_log(git::reflog_line(before, after, who, message),
                            repository.begins_reflogs());
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): as said
  }
}

}  // namespace wafers
