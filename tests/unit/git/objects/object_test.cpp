#include "git/objects/object.h"

#include <algorithm>

#include "support/catch.h"

using wafers::git::FileMode;
using wafers::git::Oid;
using wafers::git::TreeEntry;

TEST_CASE("object names go to hexadecimal and back", "[object]") {
  const std::string hex = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  const auto oid = Oid::from_hex(hex);
  REQUIRE(oid);
  CHECK(oid->hex() == hex);
  CHECK_FALSE(Oid::from_hex(hex.substr(1)));
  CHECK_FALSE(Oid::from_hex("g" + hex.substr(1)));
}

TEST_CASE("trees sort a directory as if its name ended in a slash", "[object]") {
  std::vector<TreeEntry> entries{{"a0", FileMode::regular, {}},
                                 {"a", FileMode::tree, {}},
                                 {"a.c", FileMode::regular, {}},
                                 {"a-", FileMode::tree, {}}};
  std::sort(entries.begin(), entries.end(), wafers::git::tree_order_less);
  CHECK(entries[0].name == "a-");
  CHECK(entries[1].name == "a.c");
  CHECK(entries[2].name == "a");
  CHECK(entries[3].name == "a0");
}

TEST_CASE("modes print as git prints them", "[object]") {
  CHECK(wafers::git::to_octal(FileMode::tree) == "040000");
  CHECK(wafers::git::to_octal(FileMode::executable) == "100755");
}
