#include "linux/second_view.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/error.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

std::error_code error_of_making(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  return error;
}

TEST_CASE("outside of a namespace nothing can be made where it has the view a second time") {
  const TempDir temp;
  const fs::path place = temp.path() / "host_path";
  SECTION("anew") {}
  SECTION("where whoever made it was killed in between") { fs::create_directory(place); }
  SECTION("where that one had closed it already") {
    fs::create_directory(place);
    fs::permissions(place, fs::perms(0555));
  }
  bar_second_view(temp.path());
  bar_second_view(temp.path());
  const fs::path view = second_view_of(temp.path());
  CHECK(mode_of(place) == 0555);
  CHECK(fs::is_regular_file(place / "only-literally"));
  CHECK(view.parent_path() == place / "only-literally");
  CHECK(error_of_making(view / "a/b") == std::errc::not_a_directory);
  std::ofstream file(view);
  CHECK_FALSE(file.is_open());
}

TEST_CASE("a symlink at the place of the second view is not followed") {
  const TempDir temp;
  fs::create_directory(temp.path() / "elsewhere");
  fs::create_directory_symlink("elsewhere", temp.path() / "host_path");
  CHECK_THROWS_AS(bar_second_view(temp.path()), Error);
  CHECK(fs::is_empty(temp.path() / "elsewhere"));
}

}  // namespace
}  // namespace wafers::test
