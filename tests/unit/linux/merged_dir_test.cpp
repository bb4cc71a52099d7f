#include "linux/merged_dir.h"

#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

/// A base of two layers: the upper one has a directory, `replaced`, that is opaque.
class TwoLayers {
 public:
  explicit TwoLayers(UpperDialect dialect) : dialect_(dialect) {
    for (const char* file : {"kept", "changed", "deleted", "sub/kept", "sub/deleted", "gone/x",
                             "replaced/old", "to-file/x"}) {
      write("low", file, "low");
    }
    write("low", "to-directory", "low");
    for (const char* file :
         {"changed", "new", "sub/new", "replaced/new", "to-file", "to-directory/new"}) {
      write("delta", file, "delta");
    }
    for (const char* name : {"deleted", "gone"}) whiteout("", name);
    whiteout("sub", "deleted");
    make_opaque(PlainDir::open(top_ / "delta/replaced", "the delta").fd(), dialect_);
  }

  MergedDir base() const { return MergedDir::open_base({top_ / "delta", top_ / "low"}, dialect_); }

 private:
  void write(const char* layer, const std::string& file, const std::string& text) const {
    const fs::path path = top_ / layer / file;
    fs::create_directories(path.parent_path());
    write_file(path, text);
  }
  void whiteout(const std::string& directory, const std::string& name) const {
    make_whiteout(PlainDir::open(top_ / "delta" / directory, "the delta").fd(), name, dialect_);
  }

  TempDir top_;
  UpperDialect dialect_;
};

TEST_CASE("a base of several layers shows what an overlay of them shows") {
  const TwoLayers layers(GENERATE(UpperDialect::kernel_user, UpperDialect::fuse));
  const MergedDir base = layers.base();
  CHECK(base.names() ==
        Names{"changed", "kept", "new", "replaced", "sub", "to-directory", "to-file"});
  CHECK(base.directory("sub").names() == Names{"kept", "new"});
  CHECK(base.directory("replaced").names() == Names{"new"});
  CHECK(base.directory("to-directory").names() == Names{"new"});
  CHECK_FALSE(base.find_directory("to-file"));
  CHECK_FALSE(base.find_directory("gone"));
  CHECK_FALSE(base.has("deleted"));
  CHECK_FALSE(base.descend("sub").has("deleted"));
  CHECK(base.file("kept", 99) == "low");
  CHECK(base.file("changed", 99) == "delta");
  CHECK(base.descend("sub").file("kept", 99) == "low");
  CHECK(base.file("to-file", 99) == "delta");
  CHECK(base.stat("new"));
}

TEST_CASE("an upper lies over all layers of the base, and hides them where it is opaque") {
  const TwoLayers layers(UpperDialect::kernel_user);
  const TempDir top;
  fs::create_directories(top / "upper/sub");
  fs::create_directories(top / "upper/replaced");
  write_file(top / "upper/kept", "upper");
  make_whiteout(PlainDir::open(top / "upper", "the upper").fd(), "new", UpperDialect::kernel_user);
  make_opaque(PlainDir::open(top / "upper/sub", "the upper").fd(), UpperDialect::kernel_user);
  const MergedDir view(UpperDir::open(top / "upper", UpperDialect::kernel_user), layers.base());
  CHECK(view.file("kept", 99) == "upper");
  CHECK(view.file("changed", 99) == "delta");
  CHECK_FALSE(view.has("new"));
  CHECK(view.directory("sub").names().empty());
  CHECK(view.directory("replaced").names() == Names{"new"});
}

}  // namespace
}  // namespace wafers::test
