#include "os/remove_tree.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;
using test::TempDir;
using test::write_file;

/// Directories in each other, made by descriptor: the path grows far beyond PATH_MAX.
void make_deep(const fs::path& top, int depth) {
  fs::create_directory(top);
  UniqueFd fd(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < depth; ++i) {
    REQUIRE(::mkdirat(fd.get(), "a-rather-long-name-for-a-directory", 0700) == 0);
    const UniqueFd file(::openat(fd.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(file);
    fd = UniqueFd(::openat(fd.get(), "a-rather-long-name-for-a-directory",
                           O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(fd);
  }
}

TEST_CASE("a tree is removed with everything in it, and nothing else") {
  const TempDir temp;
  write_file(temp / "tree/a/b/c", "x");
  write_file(temp / "tree/d", "x");
  write_file(temp / "kept/file", "x");
  fs::create_directory_symlink(temp / "kept", temp / "tree/link");
  fs::create_symlink("dangling", temp / "tree/a/link");
  REQUIRE(::mkfifo((temp / "tree/fifo").c_str(), 0600) == 0);
  remove_tree(temp / "tree");
  CHECK_FALSE(fs::exists(temp / "tree"));
  CHECK(fs::exists(temp / "kept/file"));
}

TEST_CASE("removing what is not there is fine, and so are files and symlinks") {
  const TempDir temp;
  remove_tree(temp / "nothing");
  remove_tree(temp / "nothing/below");
  write_file(temp / "file", "x");
  remove_tree(temp / "file");
  CHECK_FALSE(fs::exists(temp / "file"));
  write_file(temp / "kept/file", "x");
  fs::create_directory_symlink("kept", temp / "link");
  remove_tree(temp / "link");
  CHECK_FALSE(fs::exists(fs::symlink_status(temp / "link")));
  CHECK(fs::exists(temp / "kept/file"));
}

TEST_CASE("modes stand in nobody's way") {
  const TempDir temp;
  write_file(temp / "tree/work/inner/file", "x");
  write_file(temp / "tree/readonly/file", "x");
  REQUIRE(::chmod((temp / "tree/work/inner").c_str(), 0000) == 0);
  REQUIRE(::chmod((temp / "tree/work").c_str(), 0000) == 0);
  REQUIRE(::chmod((temp / "tree/readonly").c_str(), 0555) == 0);
  remove_tree(temp / "tree");
  CHECK_FALSE(fs::exists(temp / "tree"));
}

TEST_CASE("depth is no limit, and takes few descriptors") {
  const TempDir temp;
  make_deep(temp / "tree", 2000);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit few = before;
  few.rlim_cur = 200;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  remove_tree(temp / "tree");
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_FALSE(fs::exists(temp / "tree"));
}

TEST_CASE("names that collide with those of moved directories are no trap") {
  const TempDir temp;
  make_deep(temp / "tree", 200);
  write_file(temp / "tree/.moved-0/file", "x");
  write_file(temp / "tree/.moved-1", "x");
  remove_tree(temp / "tree");
  CHECK_FALSE(fs::exists(temp / "tree"));
}

TEST_CASE("the children alone") {
  const TempDir temp;
  write_file(temp / "tree/a/b", "x");
  write_file(temp / "tree/c", "x");
  remove_children(temp / "tree");
  CHECK(fs::is_empty(temp / "tree"));
  remove_children(temp / "nothing");
}

TEST_CASE("a small tree is removed, a larger one left whole") {
  const TempDir top;
  const std::vector<std::string> files{"a/1", "a/2", "b/c/3", "4"};
  const auto make = [&] {
    for (const std::string& name : files) write_file(top / "tree" / name, "x");
  };
  make();
  REQUIRE(::chmod((top / "tree/b").c_str(), 0) == 0);
  CHECK(remove_small_tree(top / "tree", 7));
  CHECK_FALSE(fs::exists(top / "tree"));
  CHECK(remove_small_tree(top / "tree", 7));
  make();
  const auto most = GENERATE(std::size_t{0}, std::size_t{3}, std::size_t{6});
  CHECK_FALSE(remove_small_tree(top / "tree", most));
  for (const std::string& name : files) CHECK(fs::exists(top / "tree" / name));
}

TEST_CASE("a small tree that is deep counts as a large one") {
  const TempDir top;
  fs::path deep = top / "tree";
  for (int i = 0; i < 100; ++i) deep /= "d";
  write_file(deep / "file", "x");
  CHECK_FALSE(remove_small_tree(top / "tree", 1000));
  CHECK(fs::exists(deep / "file"));
}

}  // namespace
}  // namespace wafers
