#include "os/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "base/fd.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace wafers;
namespace fs = std::filesystem;

TEST_CASE("each entry of a directory is told once, with its type and inode") {
  const test::TempDir directory;
  fs::create_directory(directory.path() / "sub");
  std::set<std::string> expected{"sub"};
  for (int i = 0; i < 2000; ++i) {  // more than one getdents64(2) gives
    const std::string name = "a name of some length " + std::to_string(i);
    std::ofstream(directory.path() / name) << i;
    expected.insert(name);
  }
  std::set<std::string> names;
  std::size_t count = 0;
  CHECK(for_each_entry(directory.path(), [&](const DirectoryEntry& entry) {
          names.emplace(entry.name);
          ++count;
          struct stat st {};
          REQUIRE(::lstat((directory.path() / entry.name).c_str(), &st) == 0);
          REQUIRE(entry.inode == st.st_ino);
          REQUIRE(
              (entry.type == DT_UNKNOWN || entry.type == (S_ISDIR(st.st_mode) ? DT_DIR : DT_REG)));
          return true;
        }) == 0);
  CHECK(names == expected);
  CHECK(count == expected.size());
}

TEST_CASE("the entries of a directory end where the visitor wants it, and errors are told") {
  const test::TempDir directory;
  for (const char* name : {"a", "b", "c"}) std::ofstream(directory.path() / name) << name;
  int count = 0;
  CHECK(for_each_entry(directory.path(), [&](const DirectoryEntry&) { return ++count < 2; }) == 0);
  CHECK(count == 2);
  const auto none = [&](const DirectoryEntry&) { return ++count < 0; };
  CHECK(for_each_entry(directory.path() / "missing", none) == ENOENT);
  CHECK(for_each_entry(directory.path() / "a", none) == ENOTDIR);
  const UniqueFd anchor(::open(directory.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  CHECK(for_each_entry(anchor.get(), none) == EBADF);
  CHECK(count == 2);
}
