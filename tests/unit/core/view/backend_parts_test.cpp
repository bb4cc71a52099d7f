#include "core/view/backend_parts.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

/// What the kernel does where it finds the mark of a volatile mount: fs/overlayfs/super.c,
/// ovl_workdir_incompat().
void mount_unless_marked(const Wafer& wafer) {
  if (fs::exists(wafer.work() / "work/incompat/volatile")) {
    throw Error::system(EINVAL, "cannot mount");
  }
}

void mark(const Wafer& wafer) {
  const fs::path place = wafer.work() / "work/incompat/volatile";
  fs::create_directories(place);
  std::ofstream(place / "dirty").close();
}

Wafer wafer_in(const TempDir& temp) {
  Wafer wafer;
  wafer.directory = temp.path();
  return wafer;
}

}  // namespace

TEST_CASE("a mount meets the mark that somebody else leaves meanwhile") {
  const TempDir temp;
  const Wafer wafer = wafer_in(temp);
  mark(wafer);
  int attempts = 0;
  retry_while_in_use(wafer, [&] {
    CHECK_FALSE(fs::exists(wafer.work() / "work/incompat/volatile"));
    ++attempts;
    if (attempts == 1) mark(wafer);
    if (attempts == 2) {  // and its view is still being taken down
      mark(wafer);
      throw Error::system(EBUSY, "cannot mount");
    }
    mount_unless_marked(wafer);
  });
  CHECK(attempts == 3);
}

TEST_CASE("a mount that is invalid for another reason isn't tried again") {
  const TempDir temp;
  const Wafer wafer = wafer_in(temp);
  int attempts = 0;
  const auto refused = [&] {
    ++attempts;
    throw Error::system(EINVAL, "cannot mount");
  };
  CHECK_THROWS_AS(retry_while_in_use(wafer, refused), Error);
  CHECK(attempts == 1);
}

}  // namespace wafers::test
