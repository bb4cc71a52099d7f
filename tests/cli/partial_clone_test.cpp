// A base that is a partial clone: what it lacks git fetches, as for its own commands.

#include <filesystem>
#include <string>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

constexpr int kFiles = 30;

/// A partial clone in `clone`, whose branch `feat` nobody has checked out: its files are missing.
class PartialClone {
 public:
  explicit PartialClone(const std::string& filter)
      : origin_(GitRepo::init(world_ / "origin")), clone_(cloned(filter)) {}

  RunResult add(const Words& more, const Words& environment = {}) const {
    Words words{"add", "n", "--from", clone_.path(), "--branch", "feat"};
    words.insert(words.end(), more.begin(), more.end());
    return world_.wafers(words, {.cwd = {}, .environment = environment, .input = {}});
  }

  /// Each fetch of what was missing leaves a pack.
  int fetches() const {
    int count = -first_packs_;
    for (const auto& entry : fs::directory_iterator(clone_ / ".git/objects/pack")) {
      if (entry.path().extension() == ".promisor") ++count;
    }
    return count;
  }

  const World& world() const { return world_; }
  const GitRepo& origin() const { return origin_; }
  const GitRepo& clone() const { return clone_; }

 private:
  GitRepo cloned(const std::string& filter) {
    origin_.git({"config", "uploadpack.allowFilter", "true"});
    origin_.git({"config", "uploadpack.allowAnySHA1InWant", "true"});
    for (int i = 0; i < kFiles; ++i) origin_.write("dir/" + std::to_string(i), "base\n");
    origin_.commit_all("base");
    origin_.git({"checkout", "-q", "-b", "feat"});
    for (int i = 0; i < kFiles; ++i) {
      origin_.write("dir/" + std::to_string(i), "changed " + std::to_string(i) + "\n");
      origin_.write("new/" + std::to_string(i), "new " + std::to_string(i) + "\n");
    }
    origin_.commit_all("feat");
    origin_.git({"checkout", "-q", "main"});
    run_ok({"git", "clone", "-q", "--filter=" + filter, "file://" + origin_.path().native(),
            world_ / "clone"});
    GitRepo clone(world_ / "clone");
    clone.git({"branch", "-q", "feat", "origin/feat"});
    for (const auto& entry : fs::directory_iterator(clone / ".git/objects/pack")) {
      if (entry.path().extension() == ".promisor") ++first_packs_;
    }
    return clone;
  }

  World world_;
  int first_packs_ = 0;
  GitRepo origin_, clone_;
};

TEST_CASE("what a partial clone lacks of a branch is fetched at once") {
  const std::string filter = GENERATE(as<std::string>(), "blob:none", "tree:0");
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO(filter << ", " << backend);
  const PartialClone partial(filter);
  const World& world = partial.world();
  const RunResult added = partial.add({"--backend", backend});
  INFO(added.err);
  REQUIRE(added.ok());
  CHECK(partial.fetches() >= 1);
  // Trees come first where these are missing as well.
  CHECK(partial.fetches() <= (filter == "blob:none" ? 1 : 3));
  for (const std::string file : {"dir/7", "new/29"}) {
    CHECK(world.inside("n", "cat " + file) == partial.origin().git({"show", "feat:" + file}));
  }
  CHECK(world.wafers_ok({"git-status", "n", "--porcelain"}).empty());
  CHECK(world.wafers_ok({"git-diff", "n", "--name-status"}) ==
        partial.origin().git({"diff", "--name-status", "main", "feat"}));
  world.inside("n", "echo more >> dir/7");
  world.wafers_ok({"git-commit", "n", "-m", "more"});
  CHECK(partial.clone().git({"show", "feat:dir/7"}) == "changed 7\nmore\n");
}

TEST_CASE("where nothing can be fetched that is said once, and nothing is left") {
  const PartialClone partial("blob:none");
  const World& world = partial.world();
  const std::string before = world.everything();
  RunResult result;
  std::string reason, hint;
  SECTION("the remote is gone") {
    fs::rename(partial.origin().path(), world / "elsewhere");
    result = partial.add({});
    fs::rename(world / "elsewhere", partial.origin().path());
    reason = "git could not fetch it from 'origin': fatal: ";
    hint = "make sure that 'origin' can be reached, and try again";
  }
  SECTION("the user forbids it") {
    result = partial.add({}, {"GIT_NO_LAZY_FETCH=1"});
    reason = "GIT_NO_LAZY_FETCH forbids to fetch it";
    hint = "unset GIT_NO_LAZY_FETCH, and try again";
  }
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains(": " + reason));
  CHECK_THAT(result.err, Contains("\nhint: this is a partial clone: " + hint));
  CHECK(changes(before, world.everything()) == "");
  CHECK(partial.add({}).ok());
}

}  // namespace
}  // namespace wafers::test
