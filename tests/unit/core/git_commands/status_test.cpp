#include "core/git_commands/status.h"

#include <string>
#include <vector>

#include "hand_made_view.h"
#include "support/catch.h"

using wafers::StatusEntry;
using wafers::test::HandMadeView;

namespace {

const char* const kFilesAndLink = "mkdir d; echo a > a; echo b > b; echo c > d/c; ln -s a l";

void change_everything(HandMadeView& view) {
  view.write("a", "changed\n");
  view.make_executable("b");
  view.remove("l");
  view.write("l", "a file now\n");
  view.remove("d");
  view.write("n/1", "new\n");
  view.write("n/m/2", "new\n");
  view.write("new", "new\n");
}

}  // namespace

TEST_CASE("status has git's lines in git's order", "[status]") {
  HandMadeView view(kFilesAndLink);
  CHECK(view.status().empty());
  change_everything(view);
  CHECK(view.status() == view.git_status());
  for (const char* untracked : {"all", "normal", "no"}) {
    view.configure("status.showUntrackedFiles", untracked);
    INFO(untracked);
    CHECK(view.status() == view.git_status());
  }
  view.commit();
  view.git_commit();
  CHECK(view.status().empty());
}

TEST_CASE("status gives columns and raw names", "[status]") {
  HandMadeView view(kFilesAndLink);
  view.write("a", "changed\n");
  view.remove("d/c");
  view.write("latin\344", "new\n");
  view.write("n/1", "new\n");
  const auto entries = status_of_view(view.wafer()).entries;
  REQUIRE(entries.size() == 4);
  const auto is = [](const StatusEntry& entry, char index, char worktree, const std::string& path) {
    return entry.index_column == index && entry.view_column == worktree && entry.path == path;
  };
  CHECK(is(entries[0], ' ', 'M', "a"));
  CHECK(is(entries[1], ' ', 'D', "d/c"));
  CHECK(is(entries[2], '?', '?', "latin\344"));
  CHECK(is(entries[3], '?', '?', "n/"));
}

TEST_CASE("status quotes names as core.quotePath says", "[status]") {
  HandMadeView view("echo 1 > 'tracked \"q\"'; echo 2 > ä");
  view.write("tracked \"q\"", "changed\n");
  view.write("ä", "changed\n");
  view.write("dir with blank/ü", "new\n");
  view.write("back\\slash", "new\n");
  for (const char* quote : {"true", "false"}) {
    view.configure("core.quotePath", quote);
    CHECK(view.status() == view.git_status());
  }
}

TEST_CASE("status reads no untracked file and writes no object", "[status]") {
  HandMadeView view(kFilesAndLink);
  change_everything(view);
  const std::string before = view.base().git({"count-objects", "-v"});
  const auto snapshot = view.snapshot(wafers::SnapshotPurpose::status);
  status_of_view(view.wafer());
  CHECK(view.base().git({"count-objects", "-v"}) == before);
  CHECK_FALSE(std::filesystem::exists(view.wafer().index()));
  CHECK(snapshot.index.entries.empty());
}

TEST_CASE("status tells of a branch that was moved outside", "[status]") {
  HandMadeView view(kFilesAndLink);
  view.write("a", "changed\n");
  view.base().git({"branch", "-f", "wafers/test",
                   view.base().git_line({"commit-tree", "-m", "x", "-p", "main", "main^{tree}"})});
  const auto status = status_of_view(view.wafer());
  CHECK(status.lines == std::vector<std::string>{" M a"});
  REQUIRE(status.warnings.size() == 1);
  CHECK(status.warnings.front().find("was moved from") != std::string::npos);
}

TEST_CASE("what rm would lose", "[status]") {
  HandMadeView view("echo a > a; echo '*.o' > .gitignore");
  using Lines = std::vector<std::string>;
  const auto lost = [&](std::size_t limit) { return uncommitted_work(view.wafer(), limit).lines; };
  CHECK(lost(10).empty());
  view.write("x.o", "ignored\n");
  view.write("a", "a\n");  // copied up only
  CHECK(lost(10).empty());
  view.write("a", "changed\n");
  view.write("n/1", "new\n");
  CHECK(lost(10) == Lines{" M a", "?? n/"});
  CHECK(lost(1) == Lines{" M a"});
  // What the user would rather not see in a status is work all the same.
  view.configure("status.showUntrackedFiles", "no");
  CHECK(lost(10) == Lines{" M a", "?? n/"});
  view.commit();
  CHECK(lost(10).empty());
  SECTION("the branch went back") {
    view.base().git({"branch", "-f", "wafers/test", "main"});
    REQUIRE(lost(10).size() == 1);
    CHECK(lost(10).front().find("was moved from") != std::string::npos);
  }
  SECTION("the branch went on") {
    view.base().git(
        {"branch", "-f", "wafers/test",
         view.base().git_line({"commit-tree", "-m", "x", "-p", "wafers/test", "main^{tree}"})});
    CHECK(lost(10).empty());
  }
  SECTION("the branch is gone") {
    view.base().git({"branch", "-q", "-D", "wafers/test"});
    CHECK(lost(10).size() == 1);
    CHECK_FALSE(uncommitted_work(view.wafer(), 10).remedy.empty());
  }
  SECTION("the branch is gone, and something else has its commits") {
    view.base().git({"tag", "-a", "-m", "kept", "kept", "wafers/test"});
    view.base().git({"branch", "-q", "-D", "wafers/test"});
    CHECK(lost(10).empty());
  }
  SECTION("the base is gone") {
    std::filesystem::remove_all(view.base().path());
    CHECK(lost(10).size() == 1);
  }
}
