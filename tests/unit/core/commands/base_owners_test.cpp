#include "core/commands/base_owners.h"

#include <algorithm>
#include <string>
#include <vector>

#include "support/catch.h"

namespace wafers {
namespace {

using Lines = std::vector<std::string>;

const std::string kCannot =
    "in a view of backend 'namespace' they can be read but not changed (EOVERFLOW)";

/// uid 1000, group 100, also of 2055 and 2056. newgidmap maps `allowed`.
OwningCaller caller(const std::vector<gid_t>& allowed, const std::string& other = "") {
  return {.uid = 1000,
          .gid = 100,
          .user = "alice",
          .groups = {100, 2055, 2056},
          .has_newgidmap = true,
          .can_map =
              [allowed](const std::vector<gid_t>& groups) {
                return std::ranges::all_of(groups, [&](gid_t group) {
                  return std::ranges::find(allowed, group) != allowed.end();
                });
              },
          .other_backend = [other] { return other; }};
}

TEST_CASE("groups of the caller that newgidmap maps leave nothing to be told") {
  const OwnerPlan plan = plan_for_owners(
      "/base", {{1000, 2055, 3, 1, "d/"}, {1000, 2056, 1, 0, "e"}}, caller({2055, 2056}));
  CHECK(plan.groups == std::vector<std::uint32_t>{2055, 2056});
  CHECK(plan.lines.empty());
}

TEST_CASE("of some groups the others are told, with the exact line") {
  const OwnerPlan plan =
      plan_for_owners("/base", {{1000, 2055, 3, 1, "d/"}, {1000, 2056, 1, 1, "e"}}, caller({2055}));
  CHECK(plan.groups == std::vector<std::uint32_t>{2055});
  CHECK(plan.lines == Lines{"warning: 1 file and 1 directory of the base belong to another user or "
                            "group, first 'e'; " +
                                kCannot,
                            "hint: to have your group 2056 in the view as well: printf '%s\\n' "
                            "alice:2056:1 | sudo tee -a /etc/subgid; then make the wafer anew"});
}

TEST_CASE("without newgidmap the hint begins with its package") {
  OwningCaller without = caller({});
  without.has_newgidmap = false;
  const OwnerPlan plan =
      plan_for_owners("/base", {{1000, 2055, 0, 2, "d/"}, {1000, 2056, 1, 0, "e"}}, without);
  CHECK(plan.groups.empty());
  REQUIRE(plan.lines.size() == 2);
  CHECK(
      plan.lines[1] ==
      "hint: to have your groups 2055, 2056 in the view as well: sudo apt-get install uidmap (for "
      "newgidmap); printf '%s\\n' alice:2055:1 alice:2056:1 | sudo tee -a /etc/subgid; then make "
      "the wafer anew");
}

TEST_CASE("a backend that would do is named where it would do for all") {
  CHECK(plan_for_owners("/base", {{1000, 2055, 1, 0, "f"}}, caller({}, "fuse")).lines.back() ==
        "hint: backend 'fuse' can change them: add --backend fuse");
  const OwnerPlan plan = plan_for_owners("/base", {{0, 2055, 1, 0, "f"}}, caller({2055}, "fuse"));
  CHECK(plan.groups.empty());
  CHECK(plan.lines ==
        Lines{"warning: 1 file of the base belongs to another user or group, first 'f'; in a view "
              "of backend 'namespace' it can be read but not changed (EOVERFLOW)",
              "hint: make them your own: sudo chown -R 1000:100 /base"});
}

}  // namespace
}  // namespace wafers
