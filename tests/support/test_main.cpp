#define CATCH_CONFIG_RUNNER
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "support/catch.h"
#include "support/needs.h"

namespace {

/// As root, each test program has its mounts to itself: programs that run at the same time would
/// find each other's, and keep them alive by copies in the namespaces that they make.
void take_mounts_apart() {
  if (::unshare(CLONE_NEWNS) == 0) ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
}

}  // namespace

/// What the leak sanitizer is not to report, of this program and of those that it runs. libgit2 1.5
/// forgets the match data of each regular expression that doesn't match (git_regexp_match), such as
/// when it opens a repository with extensions.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpcre2-8.so\n"; }

int main(int argc, char** argv) {
  ::setenv("LSAN_OPTIONS", "print_suppressions=0:suppressions=" WAFERS_LEAKS, 1);
  take_mounts_apart();
  if (const auto status = wafers::test::exit_for_unmet_needs()) return *status;
  return Catch::Session().run(argc, argv);
}
