#include "linux/mount_table.h"

#include "support/catch.h"

namespace wafers {
namespace {

TEST_CASE("a mount is told by its id, type and source") {
  const std::string table =
      "1 0 8:1 / / rw shared:1 - ext4 /dev/root rw\n"
      "23 1 0:5 / /a\\040-\\040overlay rw - overlay wafers:a1:42 rw,userxattr\n"
      "123 1 0:6 / /b rw - fuse.fuse-overlayfs fuse-overlayfs rw\n";
  CHECK(is_mount_of(table, 23, "overlay", "wafers:a1:42"));
  CHECK(is_mount_of(table, 23, "overlay", ""));
  CHECK_FALSE(is_mount_of(table, 23, "overlay", "wafers:a1:4"));
  CHECK_FALSE(is_mount_of(table, 23, "overlay", "wafers:a2:42"));
  CHECK_FALSE(is_mount_of(table, 23, "over", ""));
  CHECK(is_mount_of(table, 123, "fuse.fuse-overlayfs", ""));
  CHECK(is_mount_of(table, 1, "ext4", "/dev/root"));
  for (const std::uint64_t id : {0U, 2U, 3U, 12U, 1230U}) {
    CHECK_FALSE(is_mount_of(table, id, "overlay", ""));
  }
  CHECK_FALSE(is_mount_of("", 1, "overlay", ""));
  CHECK_FALSE(is_mount_of("23 1", 23, "overlay", ""));
}

TEST_CASE("what the own mount table names is told without reading it by lines") {
  CHECK(may_name_in_own_mount_table({"/proc"}));
  CHECK_FALSE(may_name_in_own_mount_table({"/no-such-mount-as-this"}));
  CHECK(may_name_in_own_mount_table({"/no-such-mount-as-this", "/proc"}));
  // The table has these in another form.
  for (const char* text : {"/no such mount", "/no\tsuch", "/no\nsuch", "/no\\such", "/no#such"}) {
    CHECK(may_name_in_own_mount_table({text}));
  }
}

}  // namespace
}  // namespace wafers
