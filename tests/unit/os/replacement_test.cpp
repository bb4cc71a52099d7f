#include "os/replacement.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "os/files.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;
using Sync = Replacement::Sync;

void write(const fs::path& file, std::string_view text) {
  const UniqueFd fd = open_or_throw(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  write_all(fd.get(), text);
}

std::ptrdiff_t names_in(const fs::path& directory) {
  return std::distance(fs::directory_iterator(directory), {});
}

TEST_CASE("a replacement takes a file's place at once, or leaves nothing") {
  const test::TempDir temp;
  const fs::path file = temp / "file";
  for (const char* const suffix : {".new", ".XXXXXX"}) {
    CAPTURE(suffix);
    write(file, "old");
    {
      Replacement replacement(file, suffix);
      replacement.write("new", Sync::yes);
      CHECK(read_file(file) == "old");
      CHECK(read_file(replacement.temporary()) == "new");
      Replacement moved = std::move(replacement);
      moved.take_place();
    }
    CHECK(read_file(file) == "new");
    Replacement(file, suffix).write("never", Sync::no);
    CHECK(read_file(file) == "new");
    CHECK(names_in(temp.path()) == 1);
  }
}

TEST_CASE("what has a replacement's name already goes") {
  const test::TempDir temp;
  const fs::path other = temp / "file.new";
  SECTION("what a killed process left") { write(other, "half"); }
  SECTION("a fifo") { REQUIRE(::mkfifo(other.c_str(), 0600) == 0); }
  SECTION("a symlink, which isn't followed") {
    write(temp / "elsewhere", "mine");
    fs::create_symlink("elsewhere", other);
  }
  SECTION("a directory") { fs::create_directories(other / "below"); }
  Replacement replacement(temp / "file");
  replacement.write("content", Sync::no);
  replacement.take_place();
  CHECK(read_file(temp / "file") == "content");
  CHECK_FALSE(fs::exists(fs::symlink_status(other)));
  if (fs::exists(temp / "elsewhere")) CHECK(read_file(temp / "elsewhere") == "mine");
}

TEST_CASE("two replacements of one file with names of their own don't meet") {
  const test::TempDir temp;
  Replacement first(temp / "file", ".XXXXXX");
  Replacement second(temp / "file", ".XXXXXX");
  first.write("first", Sync::no);
  second.write("second", Sync::no);
  second.take_place();
  first.take_place();
  CHECK(read_file(temp / "file") == "first");
}

TEST_CASE("a replacement fails where there is no directory, or one in its place") {
  const test::TempDir temp;
  CHECK_THROWS_AS(Replacement(temp / "none/file").write("", Sync::no), Error);
  fs::create_directory(temp / "file");
  Replacement replacement(temp / "file");
  replacement.write("", Sync::no);
  CHECK_THROWS_AS(replacement.take_place(), Error);
}

}  // namespace
}  // namespace wafers
