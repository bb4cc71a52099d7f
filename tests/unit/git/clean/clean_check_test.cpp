#include "git/clean/clean_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "git/clean/private_index.h"
#include "git/clean/tracked_files.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::git::CleanReport;
using wafers::git::PrivateIndex;
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

/// A check of a base, as `add` makes it, with a memory for the next one.
class Checks {
 public:
  CleanReport check(const GitRepo& git, std::size_t limit = 10000) {
    const Repository repository = Repository::open(git.path());
    PrivateIndex index(repository, top_ / ("index" + std::to_string(count_++)), memory());
    CleanReport report = check_clean(repository, index, limit);
    index_ = index.open();
    index.remember();
    return report;
  }
  /// As the last check has left it.
  const wafers::git::IndexView& index() const { return index_; }
  fs::path memory() const { return top_ / "memory"; }

 private:
  TempDir top_;
  int count_ = 0;
  wafers::git::IndexView index_ = wafers::git::IndexView::empty();
};

std::vector<std::string> dirty_lines(const GitRepo& git) { return Checks().check(git).first_dirty; }

/// git's answer, with a look at everything. Asked of a copy, so that git learns nothing by it.
std::vector<std::string> as_git_says(const GitRepo& git) {
  const std::string out =
      git.git({"--no-optional-locks", "-c", "core.fsmonitor=false", "-c",
               "core.untrackedCache=false", "-c", "status.renames=false", "status", "--porcelain"});
  std::vector<std::string> lines = wafers::split(out, '\n');
  lines.pop_back();
  return lines;
}

/// All of a worktree and its repositories, but for times of access.
std::string state_of(const GitRepo& git) {
  return wafers::test::run_ok({"find", git.path(), "-printf", "%p %i %T@ %C@ %s %m\n"});
}

}  // namespace

TEST_CASE("a worktree is clean or dirty as git status says, and nothing of it is written",
          "[clean]") {
  const auto known = GENERATE(Known::nothing, Known::untracked, Known::untracked_and_touched);
  CAPTURE(known);
  // All in one case: Catch would run the fixture's git once more for each section.
  for (const Situation& situation : situations()) {
    const TempDir top;
    const GitRepo git = populated(top / "base");
    let_git_learn(git, known);
    situation.make(git);
    INFO(situation.name);
    const std::string before = state_of(git);
    Checks checks;
    const auto dirty = checks.check(git).first_dirty;
    CHECK(checks.check(git).first_dirty == dirty);
    if (known != Known::untracked_and_touched) CHECK(state_of(git) == before);
    CHECK(dirty == as_git_says(git));
  }
  CHECK(situations().size() >= 40);
}

TEST_CASE("what the user's git shows or writes by its settings counts for nothing", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  git.write("dir/new", "x");
  git.write("file", "changed\n");
  git.write(".git/hooks/post-index-change", "#!/bin/sh\n: > ran\n");
  fs::permissions(git / ".git/hooks/post-index-change", fs::perms::owner_all);
  for (const char* const setting :
       {"status.showUntrackedFiles=no", "status.showUntrackedFiles=all", "status.branch=true",
        "status.short=false", "status.relativePaths=false", "color.status=always",
        "core.splitIndex=true", "core.untrackedCache=true", "core.quotePath=false"}) {
    INFO(setting);
    const std::string text = setting;
    const std::size_t equals = text.find('=');
    git.git({"config", text.substr(0, equals), text.substr(equals + 1)});
    const std::string before = state_of(git);
    CHECK(dirty_lines(git) == std::vector<std::string>{" M file", "?? dir/new"});
    CHECK(state_of(git) == before);
    git.git({"config", "--unset", text.substr(0, equals)});
  }
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

/// Beside empty files, which say what is known of them.
std::vector<fs::path> indexes_in(const fs::path& memory) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(memory)) {
    if (entry.file_size() > 0) paths.push_back(entry.path());
  }
  return paths;
}

/// Git, as it is built, compares times by the second.
void wait_for_next_second() {
  const std::time_t start = std::time(nullptr);
  while (std::time(nullptr) == start) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

/// Stages empty files of long names: an index that is worth remembering.
void enlarge_index(const GitRepo& git) {
  wafers::test::run_ok({"sh", "-c",
                        "cd \"$0\"; blob=$(git hash-object -w -t blob /dev/null); "
                        "name=$(printf %0200d 0); i=0; while [ $i -lt 2200 ]; do "
                        "echo \"100644 $blob\tmany/$name$i\"; i=$((i+1)); done | "
                        "git update-index --index-info",
                        git.path()});
}

const std::string kLarge(2UL * 1024 * 1024, 'x');
const std::string kOther(2UL * 1024 * 1024, 'y');

/// A base whose `counted` is read by a program that notes each time; it is stale.
GitRepo with_stale_file(const fs::path& directory, const fs::path& reads) {
  GitRepo git = populated(directory);
  git.git({"config", "filter.note.clean", "echo read >> '" + reads.native() + "'; cat"});
  git.write(".gitattributes", "counted filter=note\n");
  git.write("counted", kLarge);
  git.commit_all();
  touch_all(git);
  fs::remove(reads);
  return git;
}

}  // namespace

TEST_CASE("a base with stale stat data is read once", "[clean]") {
  const TempDir top;
  const fs::path reads = top / "reads";
  const GitRepo git = with_stale_file(top / "base", reads);
  const auto was_read = [&] { return fs::remove(reads); };
  Checks checks;
  const std::string before = state_of(git);
  CHECK(checks.check(git).clean());
  CHECK(was_read());
  CHECK(state_of(git) == before);

  SECTION("the next check believes what git has seen") {
    CHECK(checks.check(git).clean());
    CHECK_FALSE(was_read());
    CHECK(state_of(git) == before);
  }
  SECTION("a change of the same size and with the old time shows") {
    const auto time = fs::last_write_time(git / "counted");
    wait_for_next_second();
    git.write("counted", kOther);
    fs::last_write_time(git / "counted", time);
    CHECK(checks.check(git).first_dirty == std::vector<std::string>{" M counted"});
  }
  SECTION("what the index says now counts, not what it said") {
    git.write("counted", kOther);
    git.git({"add", "counted"});
    git.write("counted", kLarge);
    touch_all(git);
    CHECK(checks.check(git).first_dirty == std::vector<std::string>{"MM counted"});
    CHECK(indexes_in(checks.memory()).size() == 1);
  }
  SECTION("a damaged memory is none") {
    wafers::test::write_file(indexes_in(checks.memory()).at(0), "DIRC");
    CHECK(checks.check(git).clean());
    CHECK(was_read());
    CHECK(checks.check(git).clean());
    CHECK_FALSE(was_read());
  }
  SECTION("a large index that git has written anew is remembered, though little was read") {
    git.write("counted", "little");
    enlarge_index(git);
    git.git({"commit", "-q", "-m", "large"});
    git.git({"checkout-index", "-a", "-f", "-u"});
    touch_all(git);
    CHECK(checks.check(git).clean());
    CHECK(was_read());
    CHECK(checks.check(git).clean());
    CHECK_FALSE(was_read());
  }
  SECTION("without memory it is read again") {
    fs::remove_all(checks.memory());
    CHECK(checks.check(git).clean());
    CHECK(was_read());
  }
  SECTION("little is not remembered") {
    git.write("counted", "little");
    git.commit_all();
    touch_all(git);
    fs::remove_all(checks.memory());
    CHECK(checks.check(git).clean());
    CHECK_FALSE(fs::exists(checks.memory()));
  }
  SECTION("another repository has a memory of its own") {
    const fs::path other_reads = top / "other reads";
    const GitRepo other = with_stale_file(top / "other", other_reads);
    CHECK(checks.check(other).clean());
    CHECK(fs::remove(other_reads));
    CHECK(checks.check(git).clean());
    CHECK_FALSE(was_read());
  }
}

TEST_CASE("what is learnt of an index is known until it changes", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  enlarge_index(git);
  auto index = [&, n = 0]() mutable {
    return PrivateIndex(Repository::open(git.path()), top / ("index" + std::to_string(++n)),
                        top / "memory");
  };
  const auto learn = [&](const char* fact) {
    PrivateIndex learner = index();
    learner.learn(fact);
    CHECK(learner.knows(fact));
    learner.remember();
  };
  CHECK_FALSE(index().knows("fact"));
  learn("fact");
  learn("fact");
  CHECK(index().knows("fact"));
  CHECK_FALSE(index().knows("other"));
  learn("other");
  CHECK(index().knows("fact"));
  git.write("new", "x");
  git.git({"add", "new"});
  CHECK_FALSE(index().knows("fact"));
  learn("third");
  CHECK(std::distance(fs::directory_iterator(top / "memory"), {}) == 1);
}

TEST_CASE("stale stat data of a submodule stay as they are", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  const GitRepo inner = GitRepo::init(git / "sub");
  inner.write("x", "x");
  inner.commit_all();
  git.commit_all();
  touch_all(git);
  Checks checks;
  for (int i = 0; i < 2; ++i) {
    const std::string before = state_of(git);
    CHECK(checks.check(git).clean());
    CHECK(state_of(git) == before);
  }
  inner.write("x", "y");
  const std::string before = state_of(git);
  CHECK(checks.check(git).first_dirty == std::vector<std::string>{" M sub"});
  CHECK(state_of(git) == before);
}

TEST_CASE("a submodule that is staged to go is told of", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  git.git({"update-index", "--add", "--cacheinfo", "160000," + git.head() + ",sub"});
  git.git({"commit", "-q", "-m", "sub"});
  git.git({"rm", "-q", "--cached", "sub"});
  CHECK(dirty_lines(git) == std::vector<std::string>{"D  sub"});
}

TEST_CASE("a directory that can't be read is warned of", "[clean]") {
  if (::geteuid() == 0) return;  // root can read everything
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  for (int i = 0; i < 100; ++i) {
    git.write("d" + std::to_string(i % 50) + "/f" + std::to_string(i), "x\n");
  }
  git.commit_all();
  fs::permissions(git / "d17", fs::perms::none);
  CHECK(git.git({"status", "--porcelain"}).empty());
  const auto closed = Checks().check(git);
  CHECK(closed.clean());
  REQUIRE(closed.warnings.size() == 1);
  CHECK(closed.warnings[0].find("'d17/'") != std::string::npos);
  fs::permissions(git / "d17", fs::perms::owner_all);
  CHECK(Checks().check(git).warnings.empty());
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
  CHECK(Checks().check(git, 10).first_dirty == as_git_says(git));
  CHECK_FALSE(Checks().check(git, 10).clean());
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
  const CleanReport report = Checks().check(git, 3);
  REQUIRE(report.first_dirty.size() == 3);
  CHECK(report.first_dirty[2] == "?? new2");
}

/// "uid:gid files directories first".
std::vector<std::string> of_others(const GitRepo& git) {
  std::vector<std::string> lines;
  Checks checks;
  checks.check(git);
  const auto directories = wafers::git::directories_of_others(checks.index(), git.path());
  for (const auto& owned : wafers::git::files_of_others(checks.index(), git.path(), directories)) {
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

TEST_CASE("owners that the index doesn't know are looked at", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  git.git({"config", "core.checkStat", "minimal"});
  std::string index = read_file(git / ".git/index");
  constexpr std::size_t kUidOfFirst = 12 + 28;
  index[kUidOfFirst] ^= '\x01';
  git.write(".git/index", index);
  CHECK(of_others(git).empty());
}

TEST_CASE("hard links among tracked files are found", "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  fs::create_hard_link(git / "file", git / "dir/linked");
  fs::create_hard_link(git / "other", top / "elsewhere");
  git.commit_all();
  const auto links = [&] {
    Checks checks;
    checks.check(git);
    return wafers::git::hard_links(checks.index(), git.path());
  };
  CHECK(links().count == 2);
  CHECK(links().first == std::vector<std::string>{"dir/linked", "file"});
  fs::remove(git / "file");
  git.write("file", "content\n");
  CHECK(links().count == 0);
  fs::remove(git / "file");
  fs::create_hard_link(git / "dir/linked", git / "file");
  CHECK(links().count == 2);
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
  CHECK(Checks().check(GitRepo(top / "linked"), 3).clean());
  const GitRepo linked(top / "linked");
  linked.write("file", "changed\n");
  CHECK(Checks().check(GitRepo(top / "linked"), 3).first_dirty ==
        std::vector<std::string>{" M file"});
  CHECK(Checks().check(git, 3).clean());
}

TEST_CASE("what is uncommitted is listed file by file, each once, and repositories apart",
          "[clean]") {
  const TempDir top;
  const GitRepo git = populated(top / "base");
  git.write("file", "staged\n");
  git.git({"add", "file"});
  git.write("file", "changed again\n");
  git.git({"rm", "-q", "--cached", "other"});  // and it is there still
  git.git({"mv", "run", "moved here"});
  git.write("new/one", "1\n");
  git.write("new/a b\n\xFF", "2\n");
  git.write("ignored.o", "o\n");
  fs::remove(git / "dir/a");
  GitRepo::init(git / "nested").commit_all();
  const auto listed = [&] {
    const Repository repository = Repository::open(git.path());
    PrivateIndex index(repository, top / "copy", top / "memory");
    auto changes = wafers::git::list_changes(repository, index);
    fs::remove(top / "copy");
    return changes;
  };
  using Paths = std::vector<std::string>;
  CHECK(listed().paths ==
        Paths{"dir/a", "file", "moved here", "new/a b\n\xFF", "new/one", "other", "run"});
  CHECK(listed().repositories == Paths{"nested/"});
  CHECK(listed().unmerged.empty());

  git.git({"add", "nested"});
  CHECK(listed().repositories == Paths{"nested"});
  git.git({"reset", "-q", "--hard"});
  git.git({"checkout", "-q", "-b", "side"});
  git.write("odd \"name\"\t\xC3\xBC", "side\n");
  git.git({"commit", "-qam", "side"});
  git.git({"checkout", "-q", "-"});
  git.write("odd \"name\"\t\xC3\xBC", "main\n");
  git.git({"commit", "-qam", "main"});
  git.try_git({"merge", "side"});
  CHECK(listed().unmerged == Paths{"odd \"name\"\t\xC3\xBC"});
}
