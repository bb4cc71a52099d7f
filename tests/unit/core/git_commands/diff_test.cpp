#include <string>
#include <vector>

#include "base/error.h"
#include "core/git_commands/types.h"
#include "hand_made_view.h"
#include "support/catch.h"
#include "support/run.h"

using wafers::DiffRange;
using wafers::DiffRequest;
using wafers::DiffStyle;
using wafers::test::HandMadeView;

namespace {

/// A base, a commit on it and changes on top of that.
class Stages {
 public:
  Stages()
      : view(
            "mkdir d; seq 20 > a; seq 30 > b; echo c > d/c; printf 'no newline' > e; "
            "ln -s a l") {
    view.write("a", "changed\n");
    view.write("n", "new\n");
    view.remove("d");
    view.commit();
    committed = view.git_commit();
    view.write("b", "changed later\n");
    view.write("e", "still no newline");
    view.make_executable("n");
    view.remove("l");
    view.write("untracked \344", "1\n2\n");
    view.copy().git({"add", "-A"});
    now = view.copy().git_line({"write-tree"});
  }

  std::string expected(DiffRange range, std::vector<std::string> arguments) const {
    const std::string base = view.copy().git_line({"rev-parse", "HEAD~^{tree}"});
    arguments.insert(arguments.begin(), "diff");
    arguments.push_back(range == DiffRange::tip_to_view ? committed : base);
    arguments.push_back(range == DiffRange::base_to_tip ? committed : now);
    arguments.emplace_back("--");
    return view.copy().git(arguments);
  }

  HandMadeView view;
  std::string committed, now;  ///< trees
};

constexpr DiffRange kRanges[] = {DiffRange::base_to_tip, DiffRange::tip_to_view,
                                 DiffRange::base_to_view};

}  // namespace

TEST_CASE("the three ranges in all styles, as git prints them", "[diff]") {
  const Stages stages;
  for (const DiffRange range : kRanges) {
    DiffRequest request;
    request.range = range;
    CHECK(stages.view.diff(request) == stages.expected(range, {}));
    request.style = DiffStyle::stat;
    CHECK(stages.view.diff(request) == stages.expected(range, {"--stat"}));
    request.style = DiffStyle::name_only;
    CHECK(stages.view.diff(request) == stages.expected(range, {"--name-only"}));
    request.style = DiffStyle::name_status;
    CHECK(stages.view.diff(request) == stages.expected(range, {"--name-status"}));
    request.style = DiffStyle::patch;
    request.colour = "always";
    CHECK(stages.view.diff(request) == stages.expected(range, {"--color"}));
  }
}

TEST_CASE("a patch of the view applies", "[diff]") {
  HandMadeView view("seq 30 > a; printf '\\000\\001' > bin; echo l > l");
  view.write("a", "changed, no newline");
  view.write("bin", std::string("\0\2\3", 3));
  view.write("new \344", std::string("\0", 1));
  view.make_symlink("l", "a");
  view.make_executable("a");
  DiffRequest request;
  request.range = DiffRange::tip_to_view;
  const std::string patch = view.diff(request);
  const std::string index = "GIT_INDEX_FILE=" + (view.scratch() / "index").native();
  const auto git = [&](const std::vector<std::string>& arguments, const std::string& input) {
    return view.copy().git(arguments, {.environment = {index}, .input = input});
  };
  git({"read-tree", "HEAD"}, {});
  git({"apply", "--cached"}, patch);
  CHECK(git({"write-tree"}, {}) == view.git_commit() + "\n");
}

TEST_CASE("attributes are those of the view", "[diff]") {
  HandMadeView view(
      "mkdir d; echo 1 > d/x.dat; echo 1 > y.dat; echo '*.dat binary' > .gitattributes");
  view.write(".gitattributes", "y.dat -diff\n");
  view.write("d/.gitattributes", "x.dat diff\n");
  view.write("d/x.dat", std::string("\0 is text here\n", 15));
  view.write("y.dat", "2\n");
  DiffRequest request;
  request.range = DiffRange::tip_to_view;
  view.copy().git({"add", "-A"});
  const std::string tree = view.copy().git_line({"write-tree"});
  const std::string patch = view.diff(request);
  CHECK(patch == view.copy().git({"diff", "--binary", "HEAD", tree, "--"}));
  CHECK(patch.find("+++ b/d/x.dat\n") != std::string::npos);
  CHECK(patch.find("+++ b/y.dat\n") == std::string::npos);
}

TEST_CASE("a diff writes nothing", "[diff]") {
  const Stages stages;
  const std::string before = stages.view.base().git({"count-objects", "-v"});
  for (const DiffRange range : kRanges) {
    DiffRequest request;
    request.range = range;
    stages.view.diff(request);
  }
  CHECK(stages.view.base().git({"count-objects", "-v"}) == before);
}

TEST_CASE("a diff of paths", "[diff]") {
  const Stages stages;
  const auto names = [&](DiffRange range, std::vector<std::string> paths) {
    DiffRequest request;
    request.range = range;
    request.style = DiffStyle::name_only;
    request.paths = std::move(paths);
    return stages.view.diff(request);
  };
  CHECK(names(DiffRange::tip_to_view, {"b", "e"}) == "b\ne\n");
  CHECK(names(DiffRange::base_to_tip, {"d"}) == "d/c\n");
  CHECK(names(DiffRange::base_to_tip, {"d/"}) == "d/c\n");
  CHECK(names(DiffRange::base_to_view, {"a", "b"}) == "a\nb\n");
  CHECK(names(DiffRange::tip_to_view, {"a"}).empty());
  CHECK(names(DiffRange::base_to_view, {"."}) == names(DiffRange::base_to_view, {}));
  for (const char* bad : {"nowhere", "../x", "/x", ""}) {
    CHECK_THROWS_AS(names(DiffRange::tip_to_view, {bad}), wafers::Error);
  }
}
