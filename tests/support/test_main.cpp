#define CATCH_CONFIG_RUNNER
#include "support/catch.h"
#include "support/needs.h"

int main(int argc, char** argv) {
  if (const auto status = wafers::test::exit_for_unmet_needs()) return *status;
  return Catch::Session().run(argc, argv);
}
