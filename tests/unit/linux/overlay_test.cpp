#include "linux/overlay.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

/// What the kernel makes for a volatile mount, below `top`.
void make_mark(const fs::path& top) {
  fs::create_directories(top / "incompat/volatile");
  std::ofstream(top / "incompat/volatile/dirty").close();
  for (const char* const name : {"incompat/volatile/dirty", "incompat/volatile", "incompat", "."}) {
    fs::permissions(top / name, fs::perms::none);
  }
}

TEST_CASE("the mark of a volatile mount is taken away, and nothing else") {
  const TempDir temp;
  const fs::path work = temp.path() / "work";
  fs::create_directories(work / "index/kept");
  SECTION("where there is one") { make_mark(work / "work"); }
  SECTION("where there is none") { fs::create_directories(work / "work"); }
  SECTION("where nothing was mounted yet") {}
  SECTION("where there is no work directory") { fs::remove_all(work); }
  forget_volatile(work);
  forget_volatile(work);
  std::error_code ignored;
  fs::permissions(work / "work", fs::perms::owner_all, ignored);
  CHECK_FALSE(fs::exists(work / "work/incompat/volatile"));
  CHECK(fs::exists(work / "index/kept") == fs::exists(work));
}

TEST_CASE("symlinks in a work directory are not followed") {
  const TempDir temp;
  const fs::path work = temp.path() / "work";
  const fs::path target = temp.path() / "target";
  fs::create_directories(target / "incompat/volatile");
  fs::create_directories(target / "volatile");
  std::ofstream(target / "incompat/volatile/dirty").close();
  std::ofstream(target / "volatile/dirty").close();
  fs::permissions(target, fs::perms(0755));
  SECTION("in the place of work itself") {
    fs::create_directories(target / "work/incompat/volatile");
    fs::create_directory_symlink(target, work);
  }
  SECTION("below") {
    fs::create_directory(work);
    fs::create_directory_symlink(target, work / "work");
  }
  SECTION("further below") {
    fs::create_directories(work / "work");
    fs::create_directory_symlink(target, work / "work/incompat");
  }
  SECTION("as the mark") {
    fs::create_directories(work / "work/incompat");
    fs::create_directory_symlink(target / "volatile", work / "work/incompat/volatile");
  }
  try {
    forget_volatile(work);
  } catch (const Error&) {
    // So be it.
  }
  CHECK(fs::exists(target / "incompat/volatile/dirty"));
  CHECK(fs::exists(target / "volatile/dirty"));
  struct stat status {};
  CHECK(::stat(target.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0755U);
}

TEST_CASE("a mark that holds more than the kernel's own is told of") {
  const TempDir temp;
  const fs::path mark = temp.path() / "work/incompat/volatile";
  fs::create_directories(mark / "dirty/more");
  CHECK_THROWS_AS(forget_volatile(temp.path()), Error);
  CHECK(fs::exists(mark / "dirty/more"));
}

}  // namespace
}  // namespace wafers::test
