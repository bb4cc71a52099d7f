#include "git/clean/clean_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "git/clean/file_monitor.h"
#include "git/clean/head_diff.h"
#include "git/clean/untracked_cache.h"
#include "git/index/index_view.h"
#include "git/objects/big_endian.h"
#include "git/objects/byte_reader.h"
#include "git/worktree/rule_files.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/next_tick.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::git::check_clean;
using wafers::git::CleanReport;
using wafers::git::IndexView;
using wafers::git::Repository;
using wafers::test::GitRepo;
using wafers::test::read_file;
using wafers::test::TempDir;

namespace {

/// A worktree with a bit of everything in it, all of it committed.
GitRepo populated(const fs::path& directory) {
  GitRepo git = GitRepo::init(directory);
  git.write("file", "content\n");
  git.write("other", "other\n");
  git.write("dir/a", "a\n");
  git.write("dir/sub/b", "b\n");
  git.write("dir.x/c", "c\n");
  git.write("run", "#!/bin/sh\n");
  fs::permissions(git / "run", fs::perms::owner_all);
  fs::create_symlink("file", git / "link");
  git.write(".gitignore", "*.o\n/build/\n!keep.o\n");
  git.write("odd \"name\"\t\xC3\xBC", "odd\n");
  git.commit_all();
  return git;
}

void fifo(const fs::path& path) { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); }

struct Situation {
  const char* name;
  std::function<void(const GitRepo&)> make;
};

/// What can be the matter with a worktree; each starts from populated().
const std::vector<Situation>& situations() {
  static const std::vector<Situation> all{
      {"nothing", [](const GitRepo&) {}},
      {"modified, same size", [](const GitRepo& git) { git.write("file", "CONTENT\n"); }},
      {"modified, longer", [](const GitRepo& git) { git.write("dir/sub/b", "longer\n"); }},
      {"truncated", [](const GitRepo& git) { git.write("file", ""); }},
      {"touched only",
       [](const GitRepo& git) {
         fs::last_write_time(git / "file",
                             fs::last_write_time(git / "file") + std::chrono::hours(1));
       }},
      {"rewritten with the same content",
       [](const GitRepo& git) {
         fs::remove(git / "file");
         git.write("file", "content\n");
       }},
      {"deleted file", [](const GitRepo& git) { fs::remove(git / "other"); }},
      {"deleted directory", [](const GitRepo& git) { fs::remove_all(git / "dir"); }},
      {"everything deleted",
       [](const GitRepo& git) {
         for (const auto& entry : fs::directory_iterator(git.path())) {
           if (entry.path().filename() != ".git") fs::remove_all(entry.path());
         }
       }},
      {"made executable",
       [](const GitRepo& git) { fs::permissions(git / "file", fs::perms::owner_all); }},
      {"no longer executable",
       [](const GitRepo& git) {
         fs::permissions(git / "run", fs::perms::owner_read | fs::perms::owner_write);
       }},
      {"other permissions that git doesn't record",
       [](const GitRepo& git) { fs::permissions(git / "file", fs::perms::owner_read); }},
      {"mode changed, core.fileMode off",
       [](const GitRepo& git) {
         git.git({"config", "core.fileMode", "false"});
         fs::permissions(git / "file", fs::perms::owner_all);
       }},
      {"file became a symlink",
       [](const GitRepo& git) {
         fs::remove(git / "file");
         fs::create_symlink("other", git / "file");
       }},
      {"symlink became a file",
       [](const GitRepo& git) {
         fs::remove(git / "link");
         git.write("link", "file");
       }},
      {"symlink points elsewhere",
       [](const GitRepo& git) {
         fs::remove(git / "link");
         fs::create_symlink("other", git / "link");
       }},
      {"symlink made again",
       [](const GitRepo& git) {
         fs::remove(git / "link");
         fs::create_symlink("file", git / "link");
       }},
      {"file became a directory",
       [](const GitRepo& git) {
         fs::remove(git / "file");
         git.write("file/inside", "x");
       }},
      {"file became an empty directory",
       [](const GitRepo& git) {
         fs::remove(git / "file");
         fs::create_directory(git / "file");
       }},
      {"directory became a file",
       [](const GitRepo& git) {
         fs::remove_all(git / "dir");
         git.write("dir", "x");
       }},
      {"directory became a symlink to one",
       [](const GitRepo& git) {
         fs::rename(git / "dir", git / ".git/elsewhere");
         fs::create_symlink(".git/elsewhere", git / "dir");
       }},
      {"file became a fifo",
       [](const GitRepo& git) {
         fs::remove(git / "file");
         fifo(git / "file");
       }},
      {"untracked file", [](const GitRepo& git) { git.write("new", "x"); }},
      {"untracked file with an odd name",
       [](const GitRepo& git) { git.write("new \"x\"\n\xFF", "x"); }},
      {"untracked in a tracked directory", [](const GitRepo& git) { git.write("dir/new", "x"); }},
      {"untracked directory", [](const GitRepo& git) { git.write("newdir/deep/x", "x"); }},
      {"untracked directory among many",
       [](const GitRepo& git) {
         git.write("a-first", "x");
         git.write("dir-x/x", "x");
         git.write("dir0", "x");
         git.write("zz/x", "x");
       }},
      {"empty directories", [](const GitRepo& git) { fs::create_directories(git / "e/m/p/t/y"); }},
      {"untracked fifo and socket", [](const GitRepo& git) { fifo(git / "fifo"); }},
      {"directory with nothing but a fifo",
       [](const GitRepo& git) {
         fs::create_directory(git / "pipes");
         fifo(git / "pipes/fifo");
       }},
      {"untracked symlink", [](const GitRepo& git) { fs::create_symlink("nowhere", git / "new"); }},
      {"ignored file", [](const GitRepo& git) { git.write("x.o", "x"); }},
      {"ignored directory", [](const GitRepo& git) { git.write("build/deep/x", "x"); }},
      {"directory with ignored files only", [](const GitRepo& git) { git.write("objs/x.o", "x"); }},
      {"re-included file", [](const GitRepo& git) { git.write("objs/keep.o", "x"); }},
      {"ignored by info/exclude",
       [](const GitRepo& git) {
         git.write("secret", "x");
         git.write(".git/info/exclude", "secret\n");
       }},
      {"ignored by core.excludesFile",
       [](const GitRepo& git) {
         git.write("secret", "x");
         git.write(".git/mine", "secret\n");
         git.git({"config", "core.excludesFile", git / ".git/mine"});
       }},
      {"ignored by a nested file",
       [](const GitRepo& git) {
         git.write("dir/sub/x.tmp", "x");
         git.write("dir/sub/.gitignore", "*.tmp\n.gitignore\n");
       }},
      {"ignore file is a fifo that git isn't asked about",
       [](const GitRepo& git) {
         git.write("build/x", "x");
         fifo(git / "build/.gitignore");
       }},
      {"tracked although ignored",
       [](const GitRepo& git) {
         git.write("t.o", "1");
         git.git({"add", "-f", "t.o"});
         git.git({"commit", "-q", "-m", "t"});
         git.write("t.o", "22");
       }},
      {"tracked below an ignored directory",
       [](const GitRepo& git) {
         git.write("build/kept", "1");
         git.git({"add", "-f", "build/kept"});
         git.git({"commit", "-q", "-m", "t"});
         git.write("build/other", "x");
         fs::remove(git / "build/kept");
       }},
      {"staged modification",
       [](const GitRepo& git) {
         git.write("file", "staged\n");
         git.git({"add", "file"});
       }},
      {"staged and modified again",
       [](const GitRepo& git) {
         git.write("file", "staged\n");
         git.git({"add", "file"});
         git.write("file", "again\n");
       }},
      {"staged and reverted in the worktree",
       [](const GitRepo& git) {
         git.write("file", "staged\n");
         git.git({"add", "file"});
         git.write("file", "content\n");
       }},
      {"staged addition",
       [](const GitRepo& git) {
         git.write("added/deep", "x\n");
         git.git({"add", "added/deep"});
       }},
      {"staged deletion",
       [](const GitRepo& git) {
         git.git({"rm", "-q", "dir/a"});
       }},
      {"staged deletion of a directory",
       [](const GitRepo& git) {
         git.git({"rm", "-rq", "dir"});
       }},
      {"removed from the index only",
       [](const GitRepo& git) {
         git.git({"rm", "-q", "--cached", "file"});
       }},
      {"staged mode",
       [](const GitRepo& git) {
         git.git({"update-index", "--chmod=+x", "file"});
       }},
      {"staged type change",
       [](const GitRepo& git) {
         fs::remove(git / "file");
         fs::create_symlink("other", git / "file");
         git.git({"add", "file"});
       }},
      {"file replaced by a directory in the index",
       [](const GitRepo& git) {
         fs::remove(git / "file");
         git.write("file/inside", "x\n");
         git.git({"add", "-A"});
       }},
      {"intent to add",
       [](const GitRepo& git) {
         git.write("planned", "x\n");
         git.git({"add", "-N", "planned"});
       }},
      {"assume unchanged",
       [](const GitRepo& git) {
         git.git({"update-index", "--assume-unchanged", "file"});
         git.write("file", "changed anyway\n");
       }},
      {"assume unchanged and deleted",
       [](const GitRepo& git) {
         git.git({"update-index", "--assume-unchanged", "file"});
         fs::remove(git / "file");
       }},
      {"skip worktree and deleted",
       [](const GitRepo& git) {
         git.git({"update-index", "--skip-worktree", "file"});
         fs::remove(git / "file");
       }},
      {"conflict",
       [](const GitRepo& git) {
         git.git({"checkout", "-q", "-b", "side"});
         git.write("file", "side\n");
         git.commit_all();
         git.git({"checkout", "-q", "main"});
         git.write("file", "main\n");
         git.commit_all();
         REQUIRE_FALSE(git.try_git({"merge", "side"}).ok());
       }},
      {"conflict of deletion and change",
       [](const GitRepo& git) {
         git.git({"checkout", "-q", "-b", "side"});
         git.git({"rm", "-q", "file"});
         git.git({"commit", "-q", "-m", "gone"});
         git.git({"checkout", "-q", "main"});
         git.write("file", "main\n");
         git.commit_all();
         REQUIRE_FALSE(git.try_git({"merge", "side"}).ok());
       }},
      {"sparse checkout",
       [](const GitRepo& git) {
         git.git({"sparse-checkout", "set", "--cone", "dir"});
         git.write("dir.x/stray", "x");
       }},
      {"sparse checkout, clean",
       [](const GitRepo& git) {
         git.git({"sparse-checkout", "set", "--no-cone", "/dir/"});
       }},
      {"line ends converted, clean",
       [](const GitRepo& git) {
         git.write(".gitattributes", "*.txt text eol=crlf\n");
         git.write("a.txt", "1\r\n2\r\n");
         git.commit_all();
         fs::remove(git / "a.txt");
         git.git({"checkout", "-q", "a.txt"});
         git.write("a.txt", "1\r\n2\r\n");
       }},
      {"line ends converted, changed",
       [](const GitRepo& git) {
         git.write(".gitattributes", "*.txt text eol=crlf\n");
         git.write("a.txt", "1\r\n2\r\n");
         git.commit_all();
         git.write("a.txt", "1\r\n3\r\n");
       }},
      {"external filter, clean",
       [](const GitRepo& git) {
         git.git({"config", "filter.rot.clean", "tr a-z n-za-m"});
         git.git({"config", "filter.rot.smudge", "tr a-z n-za-m"});
         git.write(".gitattributes", "*.rot filter=rot\n");
         git.write("sub/a.rot", "secret\n");
         git.commit_all();
         fs::remove(git / "sub/a.rot");
         git.write("sub/a.rot", "secret\n");
       }},
      {"embedded repository",
       [](const GitRepo& git) {
         const GitRepo inner = GitRepo::init(git / "inner");
         inner.write("x", "x");
         inner.commit_all();
       }},
      {"embedded repository without commit",
       [](const GitRepo& git) { GitRepo::init(git / "deep/inner"); }},
      {"submodule, clean",
       [](const GitRepo& git) {
         const GitRepo inner = GitRepo::init(git / "sub");
         inner.write("x", "x");
         inner.commit_all();
         git.commit_all();
       }},
      {"submodule with another commit",
       [](const GitRepo& git) {
         const GitRepo inner = GitRepo::init(git / "sub");
         inner.write("x", "x");
         inner.commit_all();
         git.commit_all();
         inner.commit_all("more");
       }},
      {"submodule with a modified file",
       [](const GitRepo& git) {
         const GitRepo inner = GitRepo::init(git / "sub");
         inner.write("x", "x");
         inner.commit_all();
         git.commit_all();
         inner.write("x", "yy");
       }},
      {"submodule with an untracked file",
       [](const GitRepo& git) {
         const GitRepo inner = GitRepo::init(git / "sub");
         inner.write("x", "x");
         inner.commit_all();
         git.commit_all();
         inner.write("new", "yy");
       }},
      {"submodule ignored when dirty",
       [](const GitRepo& git) {
         const GitRepo inner = GitRepo::init(git / "sub");
         inner.write("x", "x");
         inner.commit_all();
         git.commit_all();
         git.git({"config", "diff.ignoreSubmodules", "dirty"});
         inner.write("x", "yy");
       }},
      {"submodule's untracked files ignored by .gitmodules",
       [](const GitRepo& git) {
         const GitRepo inner = GitRepo::init(git / "sub");
         inner.write("x", "x");
         inner.commit_all();
         git.write(".gitmodules",
                   "[submodule \"name\"]\n\tpath = sub\n\turl = /nowhere\n\tignore = untracked\n");
         git.commit_all();
         inner.write("new", "yy");
       }},
      {"submodule that is not populated",
       [](const GitRepo& git) {
         git.git({"update-index", "--add", "--cacheinfo", "160000," + git.head() + ",sub"});
         git.git({"commit", "-q", "-m", "sub"});
         fs::create_directory(git / "sub");
       }},
      {"submodule whose directory is gone",
       [](const GitRepo& git) {
         git.git({"update-index", "--add", "--cacheinfo", "160000," + git.head() + ",sub"});
         git.git({"commit", "-q", "-m", "sub"});
       }},
      {"submodule became a file",
       [](const GitRepo& git) {
         git.git({"update-index", "--add", "--cacheinfo", "160000," + git.head() + ",sub"});
         git.git({"commit", "-q", "-m", "sub"});
         git.write("sub", "file");
       }},
      {"unborn branch",
       [](const GitRepo& git) {
         git.git({"checkout", "-q", "--orphan", "fresh"});
       }},
      {"no index", [](const GitRepo& git) { fs::remove(git / ".git/index"); }},
      {"index version 4",
       [](const GitRepo& git) {
         git.git({"update-index", "--index-version", "4"});
         git.write("dir/sub/b", "4\n");
       }},
      {"everything at the top ignored, but tracked",
       [](const GitRepo& git) {
         git.write(".gitignore", "/*\n");
         git.git({"commit", "-q", "-a", "-m", "ignore"});
         git.write("new", "x");
         git.write("dir/new", "x");
         git.write("dir/sub/b", "changed\n");
         fs::remove(git / "dir.x/c");
       }},
      {"tracked directory ignored, deeper down",
       [](const GitRepo& git) {
         git.write("dir/.gitignore", "sub/\n/.gitignore\n");
         git.write("dir/sub/new", "x");
         git.write("dir/sub/deep/new", "x");
         git.write("dir/sub/b", "changed\n");
         git.write("dir/new", "x");
       }},
      {"ignored directory became a file",
       [](const GitRepo& git) {
         git.write(".gitignore", "dir/\n");
         git.git({"commit", "-q", "-a", "-m", "ignore"});
         fs::remove_all(git / "dir");
         git.write("dir", "x");
       }},
      {"tracked directory became a fifo",
       [](const GitRepo& git) {
         fs::remove_all(git / "dir/sub");
         fifo(git / "dir/sub");
       }},
      {"stray file where a sparse checkout leaves as many out",
       [](const GitRepo& git) {
         git.git({"sparse-checkout", "set", "--no-cone", "/*", "!/dir/a", "!/dir.x/"});
         git.write("dir/b", "x");
         git.write("dir.y/c", "x");
       }},
      {"untracked cache in the index",
       [](const GitRepo& git) {
         git.git({"update-index", "--untracked-cache"});
         git.git({"status"});
         git.write("dir/new", "x");
       }},
      {"index with offset tables",
       [](const GitRepo& git) {
         git.git({"-c", "index.threads=4", "-c", "index.recordEndOfIndexEntries=true", "-c",
                  "index.recordOffsetTable=true", "update-index", "--force-write-index"});
         git.write("dir/sub/b", "eoie\n");
       }},
      {"many of all",
       [](const GitRepo& git) {
         git.write("file", "1\n");
         git.git({"add", "file"});
         git.git({"rm", "-q", "--cached", "dir/a"});
         git.git({"mv", "other", "moved"});
         fs::remove_all(git / "dir/sub");
         git.write("odd \"name\"\t\xC3\xBC", "2\n");
         git.write("zz", "2\n");
       }},
  };
  return all;
}

/// What git's index may know of the worktree before something happens to it.
enum class Known { nothing, untracked, untracked_and_touched };

/// A program for core.fsmonitor that compares what `find` says now with what it said at the token's
/// time. It leaves out what is in a submodule, as watchers do.
constexpr const char* kWatcher = R"(#!/bin/sh
export LC_ALL=C
states=.git/states
mkdir -p $states
new=$(ls $states | wc -l)
find . -path ./.git -prune -o -printf '%i %C@ %s %m %P\n' | sort >$states/$new
printf '%s\0' "$new"
if [ -f "$states/$2" ]; then
  diff $states/"$2" $states/"$new" |
    sed -n 's/^[<>] [0-9]* [0-9.]* [0-9]* [0-7]* //p' | sort -u | tr '\n' '\0'
else
  printf '/\0'
fi
)";

void let_git_learn(const GitRepo& git, Known known) {
  if (known == Known::nothing) return;
  git.git({"config", "core.untrackedCache", "true"});
  if (known == Known::untracked_and_touched) {
    git.write(".git/watch", kWatcher);
    fs::permissions(git / ".git/watch", fs::perms::owner_all);
    git.git({"config", "core.fsmonitor", ".git/watch"});
  }
  // What was written in the same moment as the index would prove nothing.
  const auto past = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (auto at = fs::recursive_directory_iterator(git.path());
       at != fs::recursive_directory_iterator(); ++at) {
    if (at->path().filename() == ".git") at.disable_recursion_pending();
    if (!at->is_symlink() && !at->is_fifo()) fs::last_write_time(at->path(), past);
  }
  fs::last_write_time(git.path(), past);
  for (int i = 0; i < 3; ++i) git.git({"status"});
}

/// git's answer, with a look at everything. A rename in the index is one line there and two in
/// ours.
std::vector<std::string> as_git_says(const GitRepo& git) {
  std::vector<std::string> lines;
  const std::string out = git.git({"-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false",
                                   "-c", "status.renames=false", "status", "--porcelain"});
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t end = out.find('\n', at);
    lines.push_back(out.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace

TEST_CASE("a worktree is clean or dirty as git status says", "[clean]") {
  const auto known = GENERATE(Known::nothing, Known::untracked, Known::untracked_and_touched);
  CAPTURE(known);
  // All in one case: Catch would run the fixture's git once more for each section.
  for (const Situation& situation : situations()) {
    const TempDir top;
    const GitRepo git = populated(top / "base");
    let_git_learn(git, known);
    situation.make(git);
    const CleanReport report = check_clean(Repository::open(git.path()), 100);
    INFO(situation.name);
    CHECK(report.first_dirty == as_git_says(git));
  }
  CHECK(situations().size() >= 40);
}

namespace {

std::vector<std::string> dirty_lines(const GitRepo& git) {
  return check_clean(Repository::open(git.path()), 100).first_dirty;
}

void answer_as_watcher(const GitRepo& git, const std::string& script) {
  git.write(".git/watch", "#!/bin/sh\n" + script + "\n");
}

}  // namespace

TEST_CASE("a directory that the untracked cache vouches for isn't read", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  git.git({"config", "core.trustctime", "false"});
  git.write("dir/a.o", "x");  // ignored
  let_git_learn(git, Known::untracked);
  // As if nothing had come into it, which its size would tell on some file systems.
  const auto before = fs::last_write_time(git / "dir");
  fs::rename(git / "dir/a.o", git / "dir/new");
  fs::last_write_time(git / "dir", before);
  CHECK(dirty_lines(git).empty());
  CHECK(git.git({"status", "--porcelain"}).empty());

  SECTION("unless the cache is switched off") {
    git.git({"config", "core.untrackedCache", "false"});
    CHECK(dirty_lines(git) == std::vector<std::string>{"?? dir/new"});
  }
  SECTION("or ignore rules have changed") {
    git.write(GENERATE(".gitignore", ".git/info/exclude"), "*.x\n");
    CHECK(std::ranges::count(dirty_lines(git), "?? dir/new") == 1);
    CHECK(dirty_lines(git) == as_git_says(git));
  }
  SECTION("or the repository was moved") {
    fs::rename(git.path(), top / "moved");
    CHECK(dirty_lines(GitRepo(top / "moved")) == std::vector<std::string>{"?? dir/new"});
  }
}

TEST_CASE("a file that the file monitor vouches for isn't looked at", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  let_git_learn(git, Known::untracked_and_touched);
  answer_as_watcher(git, "printf 'token\\0'");  // it has missed what happens next
  git.write("dir/a", "longer than before\n");
  git.write("dir/sub/new", "x");
  CHECK(dirty_lines(git).empty());
  CHECK(git.git({"status", "--porcelain"}).empty());

  SECTION("unless it is switched off") {
    git.git({"config", "core.fsmonitor", GENERATE("false", "", "true")});
    CHECK(dirty_lines(git) == std::vector<std::string>{" M dir/a", "?? dir/sub/new"});
  }
  SECTION("or it has lost track, or fails") {
    answer_as_watcher(git, GENERATE("printf 'token\\0/\\0'", "exit 1", "", "printf '\\0'"));
    CHECK(dirty_lines(git) == std::vector<std::string>{" M dir/a", "?? dir/sub/new"});
  }
  SECTION("or can't be run") {
    fs::remove(git / ".git/watch");
    CHECK(dirty_lines(git) == std::vector<std::string>{" M dir/a", "?? dir/sub/new"});
  }
  SECTION("or names it, or a directory that it lies in") {
    const std::string name = GENERATE("dir/a", "dir", "dir/");
    answer_as_watcher(git, "printf 'token\\0" + name + "\\0other\\0'");
    CHECK(std::ranges::count(dirty_lines(git), " M dir/a") == 1);
  }
  SECTION("or names what is new") {
    answer_as_watcher(git, "printf 'token\\0dir/sub/new'");
    CHECK(dirty_lines(git) == std::vector<std::string>{"?? dir/sub/new"});
  }
  SECTION("of the first version as well") {
    answer_as_watcher(git, "[ $1 = 1 ] || exit 1; printf 'dir/a\\0'");
    CHECK(dirty_lines(git) == std::vector<std::string>{" M dir/a"});
    git.git({"config", "core.fsmonitorHookVersion", "2"});
    CHECK(dirty_lines(git) == std::vector<std::string>{" M dir/a", "?? dir/sub/new"});
  }
  SECTION("whoever of it prints that, and however") {
    answer_as_watcher(git, GENERATE("printf 'token\\0'; (sleep 0.1; printf 'dir/a\\0') &",
                                    "printf 'token\\0'; printf 'dir/a\\0' >/dev/stdout"));
    CHECK(dirty_lines(git) == std::vector<std::string>{" M dir/a"});
  }
  SECTION("with a command line of several words") {
    git.git({"config", "core.fsmonitor", "printf '%s%stoken\\0dir/a\\0' '' ''; :"});
    CHECK(dirty_lines(git) == std::vector<std::string>{" M dir/a"});
  }
}

TEST_CASE("what git knows to be dirty stays so", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  std::vector<std::string> files;
  for (int i = 0; i < 300; ++i) files.push_back("many/f" + std::to_string(i));
  for (const std::string& file : files) git.write(file, "x\n");
  git.commit_all();
  git.write("dir/new", "x");
  git.write("left/new", "x");
  let_git_learn(git, Known::untracked_and_touched);
  answer_as_watcher(git, "printf 'token\\0'");
  CHECK(dirty_lines(git) == std::vector<std::string>{"?? dir/new", "?? left/"});

  std::vector<std::string> command{"update-index", "--no-fsmonitor-valid"};
  command.insert(command.end(), files.begin(), files.end());
  git.git(command);
  git.write("many/f150", "changed\n");
  CHECK(std::ranges::count(dirty_lines(git), " M many/f150") == 1);
}

TEST_CASE("a directory without tracked files is looked at again", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  git.write("dir/left/1.o", "ignored");
  let_git_learn(git, Known::untracked);
  CHECK(dirty_lines(git).empty());
  git.write("dir/left/new", "x");
  CHECK(dirty_lines(git) == std::vector<std::string>{"?? dir/left/"});
}

TEST_CASE("an ignore file that isn't tracked is part of what is known", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  git.write("dir/.gitignore", "/.gitignore\n*.x\n");
  git.write("dir/sub/1.x", "x");
  let_git_learn(git, Known::untracked);
  const auto before = fs::last_write_time(git / "dir");
  CHECK(dirty_lines(git).empty());
  git.write("dir/.gitignore", "/.gitignore\n");
  fs::last_write_time(git / "dir", before);
  CHECK(dirty_lines(git) == std::vector<std::string>{"?? dir/sub/1.x"});
}

namespace {

bool reads_untracked_cache(const Repository& repository, const IndexView& index) {
  using namespace wafers::git;
  return UntrackedCache::read(repository, index, excludes_file(repository),
                              info_file(repository, "exclude"))
      .has_value();
}

}  // namespace

TEST_CASE("damaged caches in the index are left alone", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  let_git_learn(git, Known::untracked_and_touched);
  git.git({"config", "core.fsmonitor", "printf 'token\\0'; :"});
  const Repository repository = Repository::open(git.path());
  const std::string good = read_file(git / ".git/index");
  const auto from = std::min(good.find("UNTR"), good.find("FSMN"));
  REQUIRE(from != std::string::npos);
  REQUIRE(good.find("UNTR") != std::string::npos);
  REQUIRE(good.find("FSMN") != std::string::npos);
  int used = 0;
  int monitored = 0;
  int refused = 0;
  for (std::size_t at = from; at + 20 < good.size(); ++at) {
    for (const char byte : {'\0', '\x01', '\x7F', '\xFF'}) {
      std::string bad = good;
      bad[at] = byte;
      git.write(".git/index", bad);
      try {
        const auto index = IndexView::open(git / ".git/index", wafers::git::IndexChecksum::trusted);
        if (reads_untracked_cache(repository, *index)) ++used;
        if (byte == '\xFF' && wafers::git::FileMonitor::ask(repository, *index)) ++monitored;
      } catch (const wafers::Error&) {
        ++refused;  // what the extension is called or where it ends
      }
    }
  }
  // Names and object names may be any.
  CHECK(used > 0);
  CHECK(monitored > 0);
  CHECK(refused > 0);
}

namespace {

/// git's variable-length encoding (varint.c).
std::string varint(std::size_t value) {
  std::string out(1, static_cast<char>(value & 0x7FU));
  while ((value >>= 7U) != 0) out.insert(0, 1, static_cast<char>(0x80U | (--value & 0x7FU)));
  return out;
}

/// The index with another place before the one that its untracked cache is of.
std::string with_place_before(const std::string& index, const std::string& place) {
  const std::size_t at = index.find("UNTR");
  std::string_view body = std::string_view(index).substr(at + 8);
  const std::size_t before = body.size();
  const std::size_t length = wafers::git::take_varint(body).value();
  const std::size_t grown = length + place.size() + 1;
  const std::string places = varint(grown) + place + '\0' + std::string(body.substr(0, length));
  const std::size_t more = places.size() - (before - body.size()) - length;
  std::string out =
      index.substr(0, at + 4) + std::string(4, '\0') + places + std::string(body.substr(length));
  wafers::git::store_be32(out.data() + at + 4, wafers::git::load_be32(index.data() + at + 4) +
                                                   static_cast<std::uint32_t>(more));
  return out;
}

}  // namespace

TEST_CASE("an untracked cache is of the first place that it names", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  let_git_learn(git, Known::untracked);
  const Repository repository = Repository::open(git.path());
  const auto is_used = [&] {
    const auto index = IndexView::open(git / ".git/index", wafers::git::IndexChecksum::trusted);
    return reads_untracked_cache(repository, *index);
  };
  CHECK(is_used());
  const std::string index = read_file(git / ".git/index");
  const std::string here = "Location " + git.path().native() + ", system Linux";
  git.write(".git/index", with_place_before(index, here));
  CHECK(is_used());
  git.write(".git/index", with_place_before(index, "Location /elsewhere, system Linux"));
  CHECK_FALSE(is_used());
}

TEST_CASE("large worktrees are shared out among threads, and nothing gets lost", "[clean]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  for (int i = 0; i < 3000; ++i) git.write("flat/f" + std::to_string(i), "x\n");
  for (int i = 0; i < 3000; ++i) {
    const std::string n = std::to_string(i);
    git.write("d" + std::to_string(i % 7) + "/e" + std::to_string(i % 101) + "/f" + n, "x\n");
  }
  git.write("flat/sub/dir/f", "x\n");
  git.write(".gitignore", "*.o\n");
  git.commit_all();
  CHECK(check_clean(Repository::open(git.path()), 3).clean());
  for (int i = 0; i < 3000; i += 100) {
    const std::string n = std::to_string(i);
    git.write("flat/f" + n, "changed\n");
    git.write("flat/new" + n, "x\n");
    fs::remove(git / ("flat/f" + std::to_string(i + 1)));
    git.write("d" + std::to_string(i % 7) + "/e" + std::to_string(i % 101) + "/f" + n, "y\n");
    git.write("d" + std::to_string(i % 7) + "/new" + n + "/f", "y\n");
    git.write("d" + std::to_string(i % 7) + "/ignored" + n + ".o", "y\n");
  }
  const CleanReport report = check_clean(Repository::open(git.path()), 10000);
  CHECK(report.first_dirty == as_git_says(git));
  CHECK(report.first_dirty.size() > 100);
}

TEST_CASE("a directory that can't be read is warned of, on whichever thread", "[clean]") {
  if (::geteuid() == 0) return;  // root can read everything
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  for (int i = 0; i < 3000; ++i) {
    git.write("d" + std::to_string(i % 50) + "/f" + std::to_string(i), "x\n");
  }
  git.commit_all();
  fs::permissions(git / "d17", fs::perms::none);
  const Repository repository = Repository::open(git.path());
  CHECK(git.git({"status", "--porcelain"}).empty());
  const auto closed = check_clean(repository, 3);
  CHECK(closed.clean());
  REQUIRE(closed.warnings.size() == 1);
  CHECK(closed.warnings[0].find("'d17/'") != std::string::npos);
  fs::permissions(git / "d17", fs::perms::owner_all);
  CHECK(check_clean(repository, 3).warnings.empty());
}

namespace {

/// Makes the stat data of all files stale, as a copy of the checkout or a chown(1) does.
void touch_all(const GitRepo& git) {
  const auto earlier = fs::file_time_type::clock::now() - std::chrono::hours(100);
  for (const auto& entry : fs::recursive_directory_iterator(git.path())) {
    const bool own = entry.path().native().find("/.git/") != std::string::npos;
    if (!own && entry.is_regular_file()) fs::last_write_time(entry.path(), earlier);
  }
}

}  // namespace

TEST_CASE("a base with stale stat data is read once", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  const std::string large(2UL * 1024 * 1024, 'x');
  git.write("large", large);
  git.commit_all();
  touch_all(git);
  wafers::test::wait_for_next_tick();
  const fs::path memory = top / "state/verified";
  fs::create_directory(top / "state");
  const auto check = [&] { return check_clean(Repository::open(git.path()), 9, memory); };

  const CleanReport first = check();
  CHECK(first.clean());
  CHECK(first.verified.bytes_read >= large.size());
  wafers::test::wait_for_next_tick();
  first.verified.remember(memory);
  wafers::test::wait_for_next_tick();

  SECTION("the next check believes what was verified") {
    const CleanReport second = check();
    CHECK(second.clean());
    CHECK(second.verified.bytes_read == 0);
    CHECK(second.verified.files.entries.size() == first.verified.files.entries.size());
  }
  SECTION("a change of the same size and with the old time shows") {
    const auto time = fs::last_write_time(git / "large");
    git.write("large", std::string(large.size(), 'y'));
    fs::last_write_time(git / "large", time);
    CHECK(check().first_dirty == std::vector<std::string>{" M large"});
    CHECK(check().first_dirty == as_git_says(git));
  }
  SECTION("what the index says now counts, not what it said") {
    git.write("large", std::string(large.size(), 'y'));
    git.git({"add", "large"});
    git.write("large", large);
    touch_all(git);
    CHECK(check().first_dirty == std::vector<std::string>{"MM large"});
  }
  SECTION("a memory that isn't later than the file proves nothing") {
    fs::last_write_time(memory, fs::last_write_time(git / "large"));
    CHECK(check().verified.bytes_read >= large.size());
  }
  SECTION("a damaged memory is none") {
    wafers::test::write_file(memory, "DIRC");
    const CleanReport second = check();
    CHECK(second.clean());
    CHECK(second.verified.bytes_read >= large.size());
  }
  SECTION("little is not remembered") {
    fs::remove(memory);
    fs::remove(git / "large");
    git.commit_all();
    touch_all(git);
    check().verified.remember(memory);
    CHECK_FALSE(fs::exists(memory));
  }
}

TEST_CASE("what has just been written is not believed to be verified", "[clean]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("file", "content\n");
  git.commit_all();
  fs::last_write_time(git / "file", fs::file_time_type::clock::now() + std::chrono::hours(1));
  const CleanReport report = check_clean(Repository::open(git.path()), 3);
  CHECK(report.clean());
  CHECK(report.verified.files.entries.empty());
}

namespace {

/// Reads no tree but those it is told of.
class GuardedStore final : public wafers::git::ObjectStore {
 public:
  GuardedStore(wafers::git::ObjectStore& inner, std::vector<std::string> readable)
      : inner_(inner), readable_(std::move(readable)) {}

  std::vector<wafers::git::TreeEntry> read_tree(const wafers::git::Oid& tree) override {
    if (std::ranges::find(readable_, tree.hex()) == readable_.end()) {
      throw std::runtime_error("tree " + tree.hex() + " need not be read");
    }
    return inner_.read_tree(tree);
  }
  std::string read_blob(const wafers::git::Oid& blob) override { return inner_.read_blob(blob); }
  void with_blob(const wafers::git::Oid& blob,
                 const std::function<void(std::string_view)>& use) override {
    inner_.with_blob(blob, use);
  }
  bool holds(const wafers::git::Oid& oid) override { return inner_.holds(oid); }
  std::uint64_t object_size(const wafers::git::Oid& oid) override {
    return inner_.object_size(oid);
  }
  wafers::git::Oid hash_blob(std::string_view content) override {
    return inner_.hash_blob(content);
  }
  wafers::git::Oid write_blob(std::string_view content) override {
    return inner_.write_blob(content);
  }
  wafers::git::Oid write_blob_from(int fd, std::uint64_t size,
                                   const wafers::git::Oid& replaces) override {
    return inner_.write_blob_from(fd, size, replaces);
  }
  wafers::git::Oid write_tree(std::vector<wafers::git::TreeEntry> entries) override {
    return inner_.write_tree(std::move(entries));
  }
  void flush() override { inner_.flush(); }
  void prefetch(const std::vector<wafers::git::Oid>& wanted) override { inner_.prefetch(wanted); }

 private:
  wafers::git::ObjectStore& inner_;
  std::vector<std::string> readable_;
};

}  // namespace

TEST_CASE("trees that the index has cached are not read", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(wafers::git::Writes::to_memory);
  const auto tree = [&](const std::string& path) {
    return std::string(wafers::trimmed(git.git({"rev-parse", "HEAD:" + path})));
  };
  const auto compare = [&](std::vector<std::string> readable) {
    GuardedStore store(*objects, std::move(readable));
    const auto index =
        wafers::git::IndexView::open(git / ".git/index", wafers::git::IndexChecksum::verified);
    std::string changes;
    for (const auto& change : wafers::git::compare_with_tree(
             store, wafers::git::Oid::from_hex(tree("")), index.value())) {
      changes += std::string{change.index_column, change.worktree_column} + change.path;
    }
    return changes;
  };
  git.git({"read-tree", "HEAD"});
  CHECK(compare({}).empty());
  git.write("dir/a", "changed\n");
  git.git({"add", "dir/a"});
  CHECK(compare({tree(""), tree("dir")}) == "M dir/a");
  CHECK_THROWS_AS(compare({tree("")}), std::runtime_error);
}

TEST_CASE("nothing is written by the check", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  fs::last_write_time(git / "file", fs::last_write_time(git / "file") + std::chrono::hours(1));
  git.write("new", "x");
  const auto snapshot = [&] {
    return wafers::test::run_ok({"find", git.path(), "-printf", "%p %T@ %C@ %s\n"});
  };
  const std::string before = snapshot();
  CHECK_FALSE(check_clean(Repository::open(git.path()), 10).clean());
  CHECK(snapshot() == before);
}

TEST_CASE("a file changed in the same moment as the index is seen", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  // Racy: content of the same size, and times put back to what the index says.
  struct stat before {};
  REQUIRE(::stat((git / "file").c_str(), &before) == 0);
  git.git({"update-index", "--refresh"});
  const auto index_time = fs::last_write_time(git / ".git/index");
  git.git({"config", "core.trustctime", "false"});
  git.write("file", "CONTENT\n");
  const timespec times[2] = {before.st_atim, before.st_mtim};
  REQUIRE(::utimensat(AT_FDCWD, (git / "file").c_str(), times, 0) == 0);
  fs::last_write_time(git / ".git/index", fs::last_write_time(git / "file"));
  (void)index_time;
  CHECK(check_clean(Repository::open(git.path()), 10).first_dirty == as_git_says(git));
  CHECK_FALSE(check_clean(Repository::open(git.path()), 10).clean());
}

TEST_CASE("a file changed in the second of the index, to which git sees no difference", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  git.git({"config", "core.checkStat", "minimal"});
  using std::chrono::milliseconds;
  const auto second = std::chrono::floor<std::chrono::seconds>(fs::file_time_type::clock::now());
  const auto write_at = [&](const char* content, milliseconds when) {
    git.write("file", content);
    fs::last_write_time(git / "file", second + when);
  };
  write_at("first\n", milliseconds(100));
  git.git({"commit", "-q", "-a", "-m", "first"});
  fs::last_write_time(git / ".git/index", second + milliseconds(500));
  write_at("other\n", milliseconds(900));
  CHECK(dirty_lines(git) == std::vector<std::string>{" M file"});
}

TEST_CASE("only so many entries are named", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  for (int i = 0; i < 9; ++i) git.write("new" + std::to_string(i), "x");
  const CleanReport report = check_clean(Repository::open(git.path()), 3);
  REQUIRE(report.first_dirty.size() == 3);
  CHECK(report.first_dirty[2] == "?? new2");
}

/// "uid:gid files directories first".
std::vector<std::string> of_others(const GitRepo& git) {
  std::vector<std::string> lines;
  for (const auto& owned : check_clean(Repository::open(git.path()), 3).of_others) {
    lines.push_back(std::to_string(owned.uid) + ":" + std::to_string(owned.gid) + " " +
                    std::to_string(owned.files) + " " + std::to_string(owned.directories) + " " +
                    owned.first);
  }
  return lines;
}

TEST_CASE("files and directories of others are counted by what they are", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  CHECK(of_others(git).empty());
  if (::geteuid() != 0) return;  // only root can give files away
  REQUIRE(::lchown((git / "dir").c_str(), 0, 12345) == 0);
  REQUIRE(::lchown((git / "dir/a").c_str(), 12345, 0) == 0);
  REQUIRE(::lchown((git / "link").c_str(), 0, 12345) == 0);
  REQUIRE(::lchown(git.path().c_str(), 0, 12345) == 0);  // the view's root is the upper's
  const std::vector<std::string> expected{"12345:0 1 0 dir/a", "0:12345 1 1 dir/"};
  auto sorted = of_others(git);
  std::ranges::sort(sorted, std::greater<>());
  CHECK(sorted == expected);
  git.git({"update-index", "--refresh"});
  sorted = of_others(git);
  std::ranges::sort(sorted, std::greater<>());
  CHECK(sorted == expected);
}

TEST_CASE("owners that the index recorded and that are no more aren't counted", "[clean]") {
  if (::geteuid() != 0) return;  // only root can give files away
  const TempDir top;
  const GitRepo git = populated(top / "base");
  REQUIRE(::lchown((git / "dir/a").c_str(), 12345, 12345) == 0);
  git.git({"update-index", "--refresh"});
  REQUIRE(::lchown((git / "dir/a").c_str(), 0, 0) == 0);
  CHECK(of_others(git).empty());
}

TEST_CASE("owners of what git's monitor and cache vouch for are those that git knows", "[clean]") {
  if (::geteuid() != 0) return;  // only root can give files away
  const TempDir top;
  const GitRepo git = populated(top / "base");
  REQUIRE(::lchown((git / "dir").c_str(), 0, 12345) == 0);
  REQUIRE(::lchown((git / "dir/a").c_str(), 12345, 0) == 0);
  const auto before = of_others(git);
  git.git({"config", "core.fsmonitor", "printf 'token\\0'; :"});
  git.git({"update-index", "--untracked-cache"});
  git.git({"status"});
  git.git({"status"});
  CHECK(of_others(git) == before);
}

TEST_CASE("linked worktrees are checked against their own index and HEAD", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  git.git({"worktree", "add", "-q", "-b", "side", top / "linked"});
  CHECK(check_clean(Repository::open(top / "linked"), 3).clean());
  const GitRepo linked(top / "linked");
  linked.write("file", "changed\n");
  CHECK(check_clean(Repository::open(top / "linked"), 3).first_dirty ==
        std::vector<std::string>{" M file"});
  CHECK(check_clean(Repository::open(git.path()), 3).clean());
}
