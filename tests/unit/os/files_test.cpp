#include "os/files.h"

#include <sys/stat.h>

#include <string>

#include "base/error.h"
#include "linux/mount_table.h"
#include "os/find_program.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace wafers;
using Catch::Matchers::Contains;

TEST_CASE("read_small_file: absence is a value") {
  CHECK_FALSE(read_small_file("/proc/self/nonexistent"));
  CHECK_FALSE(read_small_file("/proc/self"));  // a directory
  CHECK(read_small_file("/proc/self/status").value().find("Name:") == 0);
}

TEST_CASE("write_existing_file makes no file") {
  const test::TempDir directory;
  const std::string path = directory / "file";
  CHECK_THROWS_WITH(write_existing_file(path, "x"), Contains("ENOENT"));
}

TEST_CASE("a memory file is read from its start") {
  const std::string content(100000, 'x');
  CHECK(read_to_end(make_memory_file(content).get()) == content);
}

TEST_CASE("path_of_fd leads to the open directory, whatever its name") {
  const test::TempDir directory("odd,:\\ \n name");
  const UniqueFd anchor = open_anchor(directory.path());
  CHECK(std::filesystem::equivalent(path_of_fd(anchor.get()), directory.path()));
  CHECK_THROWS_WITH(open_anchor(directory / "missing"), Contains("ENOENT"));
}

TEST_CASE("find_program takes programs only") {
  CHECK(find_program("sh").value().is_absolute());
  CHECK_FALSE(find_program("no-such-program-anywhere"));
}

TEST_CASE("the mount table has /proc, and nothing where nothing is mounted") {
  const auto table = own_mount_table();
  const auto proc = find_mount(table, "/proc");
  REQUIRE(proc);
  CHECK(proc->type == "proc");
  struct stat status {};
  REQUIRE(::stat("/proc", &status) == 0);
  CHECK(proc->device == status.st_dev);
  CHECK_FALSE(find_mount(table, "/proc/self/no-mountpoint"));
}

TEST_CASE("the topmost mount counts") {
  const std::vector<MountEntry> table{{"/a", "x", "first", 1, 1}, {"/a", "x", "second", 2, 2}};
  CHECK(find_mount(table, "/a")->source == "second");
}
