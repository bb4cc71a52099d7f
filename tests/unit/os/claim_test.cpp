#include "os/claim.h"

#include <fcntl.h>
#include <sys/file.h>

#include "os/scratch.h"
#include "support/call_hook.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;
using test::CallHook;
using test::TempDir;

std::vector<fs::path> entries_of(const fs::path& directory) {
  return {fs::directory_iterator(directory), {}};
}

TEST_CASE("a directory is claimed by one at a time") {
  const TempDir temp;
  fs::create_directory(temp / "d");
  UniqueFd first = claim_directory(temp / "d");
  CHECK(first);
  CHECK_FALSE(claim_directory(temp / "d"));
  first.reset();
  CHECK(claim_directory(temp / "d"));
  CHECK_FALSE(claim_directory(temp / "absent"));
}

TEST_CASE("a directory that goes while it is claimed is not claimed") {
  const TempDir temp;
  fs::create_directory(temp / "d");
  const bool made_anew = GENERATE(false, true);
  const CallHook hook(CallHook::Before::next_flock, [&] {
    fs::rename(temp / "d", temp / "moved");
    if (made_anew) fs::create_directory(temp / "d");
  });
  CHECK_FALSE(claim_directory(temp / "d"));
}

TEST_CASE("a scratch directory that is swept before it is claimed is not used") {
  const TempDir temp;
  UniqueFd sweeper;
  fs::path made;
  const CallHook hook(CallHook::Before::next_flock, [&] {
    REQUIRE(entries_of(temp.path()).size() == 1);
    made = entries_of(temp.path()).front();
    sweeper = claim_directory(made);
    REQUIRE(sweeper);
    SECTION("and gone") { fs::remove(made); }
    SECTION("and going") {}
  });
  const Scratch scratch(temp.path(), ".scratch-");
  CHECK(scratch.path() != made);
  CHECK(fs::exists(scratch.path()));
  CHECK_FALSE(claim_directory(scratch.path()));  // so no sweep takes it from here on
}

}  // namespace
}  // namespace wafers
