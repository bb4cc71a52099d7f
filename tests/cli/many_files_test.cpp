// Every command that reads or writes a view, with few and with many files changed, new, deleted,
// renamed and ignored: what git says and makes of the same work in a plain checkout.

#include <filesystem>
#include <string>
#include <vector>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// What the base has: `count` files each in a directory of its own, to be changed, deleted,
/// renamed. Files that come and go differ in size, so that nobody needs to look for likeness among
/// them.
std::string base_of(int count) {
  return "mkdir changed deleted renamed && printf 'junk/\n' > .gitignore\n"
         "for i in $(seq " +
         std::to_string(count) +
         "); do\n"
         "  echo \"before $i\" > changed/f$i; echo $i > deleted/f$i\n"
         "  echo \"$i has another name\" > renamed/f$i\n"
         "done\n";
}

/// What the agent does.
std::string work_on(int count) {
  return "mkdir new junk moved\n"
         "for i in $(seq " +
         std::to_string(count) +
         "); do\n"
         "  echo \"after $i\" > changed/f$i\n"
         "  echo \"$i is new, and longer than anything that was deleted\" > new/f$i\n"
         "  echo \"$i is ignored\" > junk/f$i\n"
         "done\n"
         "find deleted -name 'f*' -delete\n"
         "find renamed -name 'f*' -exec mv -t moved {} +\n";
}

/// A wafer `a` and a plain checkout of its own repository, in which the same work was done.
class ManyFiles {
 public:
  ManyFiles(const std::string& backend, int count)
      : backend_(backend), plain_(checkout_of(world_, count)) {
    world_.add("a", backend_);
    world_.inside("a", work_on(count));
    run_ok({"sh", "-euc", work_on(count)}, {.cwd = plain_.path()});
  }

  /// Uncommitted work, all kinds of it at once.
  void look() const {
    compare_status();
    CHECK(world_.wafers_ok({"git-diff", "a"}).empty());
    // What git would say once all was added, by an index that is nobody's else.
    const Words index{"GIT_INDEX_FILE=" + (world_ / "index").native()};
    fs::copy_file(plain_ / ".git/index", world_ / "index");
    plain_.git({"add", "-A"}, {.cwd = {}, .environment = index});
    const std::string tree = plain_.git({"write-tree"}, {.cwd = {}, .environment = index});
    for (const Style& style : kStyles) {
      INFO(style.theirs.front());
      CHECK((ours(style, {"--all"}) == theirs(style, tree.substr(0, 40))));
    }
    const Style patch = kStyles.front();
    CHECK((ours(patch, {"--uncommitted"}) == theirs(patch, tree.substr(0, 40))));
    CHECK((ours(patch, {"--all", "--", "new"}) == theirs(patch, tree.substr(0, 40), {"new"})));
  }

  void commit_paths() const {
    world_.wafers_ok({"git-commit", "a", "-m", "paths", "--", "deleted", "changed"});
    plain_.git({"commit", "-q", "-m", "paths", "--", "deleted", "changed"});
    compare_commit();
  }

  void stage_and_commit() const {
    const Words paths{"--", "renamed", "moved"};
    world_.wafers_ok({"git-add", "a", paths[0], paths[1], paths[2]});
    plain_.git({"add", paths[0], paths[1], paths[2]});
    compare_status();
    world_.wafers_ok({"git-commit", "a", "-m", "staged"});
    plain_.git({"commit", "-q", "-m", "staged"});
    compare_commit();
  }

  void commit_the_rest() const {
    CHECK(world_.wafers({"rm", "a"}).status == 3);
    world_.wafers_ok({"git-commit", "a", "-m", "whole"});
    plain_.git({"add", "-A"});
    plain_.git({"commit", "-q", "-m", "whole"});
    compare_commit();
    for (const Style& style : kStyles) {
      INFO(style.theirs.front());
      CHECK((ours(style) == theirs(style, "HEAD")));
    }
    const Style patch = kStyles.front();
    CHECK((ours(patch, {"--all"}) == theirs(patch, "HEAD")));
    CHECK(world_.wafers_ok({"git-diff", "a", "--uncommitted"}).empty());
    world_.base().git({"fsck", "--strict"});
  }

  void remove_and_add_again() const {
    world_.wafers_ok({"rm", "a"});
    world_.add("b", backend_, {"--branch", "wafers/a", "--at", (world_ / "b").native()});
    CHECK(world_.wafers_ok({"git-status", "b", "--porcelain"}).empty());
    CHECK_THAT(world_.wafers({"git-commit", "b", "-m", "x"}).err, Contains("nothing to commit"));
    // Git keeps no directory that is empty, and what was ignored went with the wafer.
    run_ok({"rm", "-r", "junk", "deleted", "renamed"}, {.cwd = plain_.path()});
    world_.wafers_ok({"exec", "b", "--", "diff", "-r", "--exclude=.git", "--exclude=ignored.o", ".",
                      plain_.path()});
    world_.wafers_ok({"rm", "b"});
  }

 private:
  /// Options of `git-diff`, and of `git diff` for the same.
  struct Style {
    Words ours, theirs;
  };
  inline static const std::vector<Style> kStyles{{{}, {"--binary"}},
                                                 {{"--stat"}, {"--stat"}},
                                                 {{"--name-only"}, {"--name-only"}},
                                                 {{"--name-status"}, {"--name-status"}}};

  std::string ours(const Style& style, const Words& more = {}) const {
    Words words{"git-diff", "a"};
    words.insert(words.end(), style.ours.begin(), style.ours.end());
    words.insert(words.end(), more.begin(), more.end());
    return world_.wafers_ok(words);
  }

  /// From main to `tree`.
  std::string theirs(const Style& style, const std::string& tree, const Words& paths = {}) const {
    Words words{"diff"};
    words.insert(words.end(), style.theirs.begin(), style.theirs.end());
    words.insert(words.end(), {"main", tree, "--"});
    words.insert(words.end(), paths.begin(), paths.end());
    std::string text = plain_.git(words);
    CHECK_FALSE(text.empty());
    return text;
  }

  static GitRepo checkout_of(const World& world, int count) {
    run_ok({"sh", "-euc", base_of(count)}, {.cwd = world.base().path()});
    world.base().commit_all();
    run_ok({"git", "clone", "-q", "--branch", "main", world.base().path(), world / "plain"});
    GitRepo plain(world / "plain");
    // Git's own length grows with its estimate of how many objects there are.
    for (const GitRepo& repo : {world.base(), plain}) repo.git({"config", "core.abbrev", "12"});
    plain.git({"checkout", "-q", "-b", "work"});
    return plain;
  }

  // Without expansion of what may be megabytes.
  void compare_status() const {
    const std::string theirs = plain_.git({"status", "--porcelain"});
    CHECK((world_.wafers_ok({"git-status", "a", "--porcelain"}) == theirs));
  }

  void compare_commit() const {
    CHECK(world_.base().git_line({"rev-parse", "wafers/a^{tree}"}) == plain_.head_tree());
    compare_status();
  }

  World world_;
  std::string backend_;
  GitRepo plain_;
};

void compare_all_commands(const std::string& backend, int count) {
  INFO("backend " << backend << ", " << count << " files of each kind");
  const ManyFiles many(backend, count);
  many.look();
  many.commit_paths();
  many.stage_and_commit();
  many.commit_the_rest();
  many.remove_and_add_again();
}

TEST_CASE("any number of files is as git has it") {
  const std::string backend = GENERATE(from_range(working_backends()));
  compare_all_commands(backend, GENERATE(1, 100, 1000));
}

TEST_CASE("twenty thousand files of each kind are as git has them", "[.large]") {
  compare_all_commands(any_backend(), 20'000);
}

}  // namespace
}  // namespace wafers::test
