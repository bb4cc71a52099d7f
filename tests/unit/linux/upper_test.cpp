#include "linux/upper.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::UpperDialect;
using wafers::UpperDir;
using wafers::UpperEntry;
using wafers::UpperEntryType;
using wafers::UpperListing;
using wafers::test::TempDir;
using wafers::test::write_file;

namespace {

void set_attribute(const std::filesystem::path& path, const char* name, const std::string& value) {
  INFO(path << " " << name);
  REQUIRE(::lsetxattr(path.c_str(), name, value.data(), value.size(), 0) == 0);
}

void make_device(const std::filesystem::path& path, mode_t mode = 0) {
  REQUIRE(::mknod(path.c_str(), S_IFCHR | mode, makedev(0, 0)) == 0);
}

/// "name:type" of each entry, in the listing's order.
std::string summary(const UpperListing& listing) {
  std::string text = listing.opaque ? "opaque " : "";
  for (const UpperEntry& entry : listing.entries) {
    constexpr const char* kLetters = "fdlws";
    text += entry.name + ":" + kLetters[static_cast<int>(entry.type)] + " ";
  }
  return text;
}

std::string list(const std::filesystem::path& upper, UpperDialect dialect) {
  return summary(UpperDir::open(upper, dialect).list());
}

bool can_read_trusted(const std::filesystem::path& path) {
  return ::lremovexattr(path.c_str(), "trusted.overlay.none") == 0 || errno == ENODATA;
}

}  // namespace

TEST_CASE("an upper's names come in byte order with their types", "[upper]") {
  const TempDir upper;
  write_file(upper / "b", "");
  write_file(upper / "B", "");
  write_file(upper / "d/x", "");
  ::symlink("nowhere", (upper / "a").c_str());
  ::mkfifo((upper / "p").c_str(), 0600);
  write_file(upper / "\xff\n", "");
  for (const auto dialect : {UpperDialect::kernel_user, UpperDialect::fuse}) {
    CHECK(list(upper.path(), dialect) == "B:f a:l b:f d:d p:s \xff\n:f ");
  }
}

TEST_CASE("a whiteout is a character device 0:0 of any mode", "[upper]") {
  const TempDir upper;
  make_device(upper / "gone");
  make_device(upper / "gone-too", 0644);
  for (const auto dialect : {UpperDialect::kernel_user, UpperDialect::fuse}) {
    CHECK(list(upper.path(), dialect) == "gone:w gone-too:w ");
    CHECK(UpperDir::open(upper.path(), dialect).find("gone")->type == UpperEntryType::whiteout);
    CHECK(UpperDir::open(upper.path(), dialect).find("gone")->stat.st_ino == 0);
  }
}

TEST_CASE("the kernel's opaque mark is exactly y in its own attribute", "[upper]") {
  const TempDir upper;
  fs::create_directory(upper / "d");
  const auto opaque = [&] {
    return UpperDir::open(upper.path(), UpperDialect::kernel_user).open_directory("d").opaque();
  };
  CHECK_FALSE(opaque());
  for (const char* const value : {"n", "yes", "", "x"}) {
    set_attribute(upper / "d", "user.overlay.opaque", value);
    CHECK_FALSE(opaque());
  }
  set_attribute(upper / "d", "user.fuseoverlayfs.opaque", "y");
  CHECK_FALSE(opaque());
  set_attribute(upper / "d", "user.overlay.opaque", "y");
  CHECK(opaque());
}

TEST_CASE("the kernel looks for no opaque mark on the root", "[upper]") {
  const TempDir upper;
  set_attribute(upper.path(), "user.overlay.opaque", "y");
  CHECK(list(upper.path(), UpperDialect::kernel_user).empty());
  CHECK(list(upper.path(), UpperDialect::fuse) == "opaque ");
}

TEST_CASE("an empty file with the attribute is a whiteout for the kernel", "[upper]") {
  const TempDir upper;
  for (const char* name : {"empty", "full", "plain"}) write_file(upper / name, "");
  write_file(upper / "full", "x");
  set_attribute(upper / "empty", "user.overlay.whiteout", "");
  set_attribute(upper / "full", "user.overlay.whiteout", "");
  CHECK(list(upper.path(), UpperDialect::fuse) == "empty:f full:f plain:f ");
  CHECK(list(upper.path(), UpperDialect::kernel_user) == "empty:w full:f plain:f ");
  set_attribute(upper.path(), "user.overlay.opaque", "x");
  CHECK(list(upper.path(), UpperDialect::kernel_user) == "empty:w full:f plain:f ");
  const UpperDir dir = UpperDir::open(upper.path(), UpperDialect::kernel_user);
  CHECK(dir.find("empty")->type == UpperEntryType::whiteout);
  CHECK(dir.find("full")->type == UpperEntryType::regular);
  CHECK_FALSE(dir.find("none"));
}

TEST_CASE("what the kernel refuses to show is unreadable", "[upper]") {
  const TempDir upper;
  fs::create_directory(upper / "d");
  write_file(upper / "f", "x");
  set_attribute(upper / "d", "user.overlay.redirect", "/other");
  set_attribute(upper / "f", "user.overlay.metacopy", "");
  const UpperDir kernel = UpperDir::open(upper.path(), UpperDialect::kernel_user);
  struct stat st {};
  CHECK_THROWS_AS(kernel.open_directory("d"), wafers::Unreadable);
  CHECK_THROWS_AS(kernel.open_file("f", &st), wafers::Unreadable);
  const UpperDir fuse = UpperDir::open(upper.path(), UpperDialect::fuse);
  CHECK(fuse.open_directory("d").list().entries.empty());
  CHECK(fuse.open_file("f", &st).get() >= 0);
}

TEST_CASE("a .wh. file in a kernel upper is the user's own", "[upper]") {
  const TempDir upper;
  write_file(upper / ".wh.x", "");
  write_file(upper / ".wh..wh..opq", "");
  CHECK(list(upper.path(), UpperDialect::kernel_user) == ".wh..wh..opq:f .wh.x:f ");
}

TEST_CASE("the fuse dialect's whiteout files hide names and don't show", "[upper]") {
  const TempDir upper;
  for (const char* name : {".wh.gone", ".wh..dotfile", ".wh.both", ".wh..wh.plnk", ".wh..",
                           ".wh...", "both", "kept"}) {
    write_file(upper / name, "");
  }
  CHECK(list(upper.path(), UpperDialect::fuse) == ".dotfile:w both:w gone:w kept:f ");
  const UpperDir dir = UpperDir::open(upper.path(), UpperDialect::fuse);
  CHECK(dir.find("gone")->type == UpperEntryType::whiteout);
  CHECK(dir.find("both")->type == UpperEntryType::whiteout);
  CHECK_FALSE(dir.find(".wh.gone"));
  CHECK_FALSE(dir.find("none"));
}

TEST_CASE("each of the fuse dialect's opaque marks counts", "[upper]") {
  const TempDir upper;
  CHECK(list(upper.path(), UpperDialect::fuse).empty());
  SECTION("its own attribute") { set_attribute(upper.path(), "user.fuseoverlayfs.opaque", "y"); }
  SECTION("the kernel's attribute") { set_attribute(upper.path(), "user.overlay.opaque", "y"); }
  SECTION("the trusted attribute") {
    if (!can_read_trusted(upper.path())) return;
    set_attribute(upper.path(), "trusted.overlay.opaque", "y");
  }
  SECTION("a file") { write_file(upper / ".wh..wh..opq", ""); }
  SECTION("a longer value") { set_attribute(upper.path(), "user.fuseoverlayfs.opaque", "yy"); }
  CHECK(list(upper.path(), UpperDialect::fuse) == "opaque ");
}

TEST_CASE("the first of the fuse dialect's opaque marks has the say", "[upper]") {
  const TempDir upper;
  set_attribute(upper.path(), "user.overlay.opaque", "n");
  set_attribute(upper.path(), "user.fuseoverlayfs.opaque", "y");
  write_file(upper / ".wh..wh..opq", "");
  CHECK(list(upper.path(), UpperDialect::fuse).empty());
}

TEST_CASE("the fuse dialect's .wh..opq hides the file .opq, and .wh. in the root everything",
          "[upper]") {
  const TempDir upper;
  SECTION("a file") { write_file(upper / ".wh..opq", ""); }
  SECTION("a device") { make_device(upper / ".wh..opq"); }
  CHECK(list(upper.path(), UpperDialect::fuse) == ".opq:w ");
  write_file(upper / "d/.wh.", "");
  const UpperDir root = UpperDir::open(upper.path(), UpperDialect::fuse);
  CHECK(root.open_directory("d").list().entries.empty());
  write_file(upper / ".wh.", "");
  CHECK_THROWS_AS(root.list(), wafers::Unreadable);
}

TEST_CASE("trusted marks are read with the privilege and refused without", "[upper]") {
  const TempDir upper;
  if (!can_read_trusted(upper.path())) {
    try {
      UpperDir::open(upper.path(), UpperDialect::kernel_trusted);
      FAIL("must throw");
    } catch (const wafers::Error& error) {
      CHECK(error.kind() == wafers::ErrorKind::unsupported);
    }
    return;
  }
  fs::create_directory(upper / "d");
  const UpperDir dir =
      UpperDir::open(upper.path(), UpperDialect::kernel_trusted).open_directory("d");
  set_attribute(upper / "d", "user.overlay.opaque", "y");
  CHECK_FALSE(dir.opaque());
  set_attribute(upper / "d", "trusted.overlay.opaque", "y");
  CHECK(dir.opaque());
}

TEST_CASE("what we make, we read", "[upper]") {
  const TempDir upper;
  const auto dialect = GENERATE(UpperDialect::kernel_user, UpperDialect::fuse);
  fs::create_directory(upper / "d");
  const UpperDir dir = UpperDir::open(upper.path(), dialect).open_directory("d");
  wafers::make_whiteout(dir.fd(), "gone", dialect);
  wafers::make_opaque(dir.fd(), dialect);
  CHECK(summary(dir.list()) == "opaque gone:w ");
  CHECK_THROWS_AS(wafers::make_whiteout(dir.fd(), "gone", dialect), wafers::Error);
}

TEST_CASE("a child never leads out of the upper and never blocks", "[upper]") {
  const TempDir upper;
  write_file(upper / "d/x", "content");
  ::symlink("d", (upper / "link").c_str());
  ::symlink("d/x", (upper / "file-link").c_str());
  ::mkfifo((upper / "fifo").c_str(), 0600);
  const UpperDir dir = UpperDir::open(upper.path(), UpperDialect::kernel_user);
  struct stat st {};
  CHECK_THROWS_AS(dir.open_directory("link"), wafers::ChangedMeanwhile);
  CHECK_THROWS_AS(dir.open_directory("none"), wafers::ChangedMeanwhile);
  CHECK_THROWS_AS(dir.open_file("file-link", &st), wafers::ChangedMeanwhile);
  CHECK_THROWS_AS(dir.open_file("fifo", &st), wafers::ChangedMeanwhile);
  CHECK_THROWS_AS(dir.open_file("d", &st), wafers::ChangedMeanwhile);
  CHECK_THROWS_AS(dir.read_link("d"), wafers::ChangedMeanwhile);
  CHECK(dir.read_link("link") == "d");
  const UpperDir child = dir.open_directory("d");
  CHECK(child.path() == "d");
  CHECK(child.open_file("x", &st).get() >= 0);
  CHECK(st.st_size == 7);
}

TEST_CASE("what can't be read is named", "[upper]") {
  if (::geteuid() == 0) return;  // root reads everything
  const TempDir upper;
  write_file(upper / "d/secret", "x");
  ::chmod((upper / "d/secret").c_str(), 0);
  const UpperDir dir = UpperDir::open(upper.path(), UpperDialect::kernel_user).open_directory("d");
  struct stat st {};
  CHECK_THROWS_WITH(dir.open_file("secret", &st),
                    "cannot open 'd/secret' in the upper: Permission denied (EACCES)");
}
