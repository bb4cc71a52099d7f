#define CATCH_CONFIG_RUNNER
#include "support/catch.h"
#include "support/needs.h"

/// What the leak sanitizer shall not report. libgit2 1.5 forgets the match data of each regular
/// expression that doesn't match (git_regexp_match), such as when it opens a repository with
/// extensions.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpcre2-8.so\n"; }

int main(int argc, char** argv) {
  if (const auto status = wafers::test::exit_for_unmet_needs()) return *status;
  return Catch::Session().run(argc, argv);
}
