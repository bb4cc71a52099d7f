#include "tree_cases.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wafers::test {
namespace {

/// A little of everything that Git records.
const std::string kTree = R"sh(
  mkdir -p dir/sub other
  echo a > a.txt; echo b > b.txt; echo c > dir/c.txt; echo d > dir/d.txt; echo e > dir/sub/e.txt
  echo o > other/o.txt
  printf '#!/bin/sh\n' > run.sh; chmod +x run.sh
  ln -s a.txt link; ln -s dir dirlink
)sh";

/// Makes an inner repository with one commit in the directory $1.
const std::string kInner = R"sh(
  inner() { git init -q -b main "$1"; echo 1 > "$1/f"; git -C "$1" add f; git -C "$1" commit -qm 1; }
)sh";

/// Makes sub/ a submodule with one commit.
const std::string kSubmodule = kTree + R"sh(
  git init -q -b main "$SCRATCH/origin"; echo 1 > "$SCRATCH/origin/f"
  git -C "$SCRATCH/origin" add f; git -C "$SCRATCH/origin" commit -qm 1
  git -c protocol.file.allow=always submodule --quiet add "$SCRATCH/origin" sub
)sh";

/// The same with sub/.git a directory of its own, and a second commit in it.
const std::string kOwnSubmodule = kTree + R"sh(
  git init -q -b main "$SCRATCH/origin"; echo 1 > "$SCRATCH/origin/f"
  git -C "$SCRATCH/origin" add f; git -C "$SCRATCH/origin" commit -qm 1
  echo 2 > "$SCRATCH/origin/f"; git -C "$SCRATCH/origin" commit -qam 2
  git clone -q "$SCRATCH/origin" sub
  git submodule --quiet add "$SCRATCH/origin" sub
)sh";

const char* const kRecreated =
    "after rm -r d; mkdir d deleted names may still resolve, and their whiteouts may be missing";
const char* const kMovedDirectory = "a renamed directory may leave names of the lower one behind";

/// Cases with nothing but a name and the two scripts most of them need.
using Cases = std::vector<TreeCase>;

Cases content_cases() {
  return {
      {.name = "nothing done", .base = kTree, .steps = "true"},
      {.name = "looking only", .base = kTree, .steps = "find . -type f | xargs cat > /dev/null"},
      {.name = "a file modified", .base = kTree, .steps = "echo more >> a.txt"},
      {.name = "a file modified in a directory", .base = kTree, .steps = "echo x >> dir/sub/e.txt"},
      {.name = "a file with the same size", .base = kTree, .steps = "echo A > a.txt"},
      {.name = "a file modified and put back",
       .base = kTree,
       .steps = "echo x > a.txt; echo a > a.txt"},
      {.name = "a file touched", .base = kTree, .steps = "touch a.txt dir/c.txt"},
      {.name = "a file replaced by an equal one", .base = kTree, .steps = "cp a.txt t; mv t a.txt"},
      {.name = "a file emptied", .base = kTree, .steps = ": > a.txt"},
      {.name = "a file added", .base = kTree, .steps = "echo n > new.txt"},
      {.name = "an empty file added", .base = kTree, .steps = ": > empty"},
      {.name = "a file added in a directory", .base = kTree, .steps = "echo n > dir/sub/new.txt"},
      {.name = "a file added in a new directory",
       .base = kTree,
       .steps = "mkdir -p x/y/z; echo n > x/y/z/n"},
      {.name = "several files in new directories",
       .base = kTree,
       .steps = "mkdir -p x/y z; echo 1 > x/1; echo 2 > x/y/2; echo 3 > z/3; echo 4 > 4"},
      {.name = "a binary file", .base = kTree, .steps = R"sh(printf '\000\001\377\r\n' > bin)sh"},
      {.name = "a large file",
       .base = kTree,
       .steps = "head -c 40000000 /dev/zero > large; head -c 3000000 /dev/zero >> a.txt"},
      {.name = "a sparse file", .base = kTree, .steps = "truncate -s 5000000 hole"},
      {.name = "many files",
       .base = kTree,
       .steps = "for i in $(seq 300); do echo $i > dir/n$i; done; rm dir/c.txt"},
      {.name = "hard links",
       .base = kTree,
       .steps = "ln a.txt hard; echo n > n; ln n n2; echo m >> n2"},
      {.name = "names that sort around a directory's",
       .base = kTree,
       .steps = "echo 1 > dir-; echo 2 > dir.c; echo 3 > dir0; mkdir dir-x; echo 4 > dir-x/4"},
  };
}

Cases deletion_cases() {
  return {
      {.name = "a file deleted", .base = kTree, .steps = "rm a.txt"},
      {.name = "a file deleted in a directory", .base = kTree, .steps = "rm dir/c.txt"},
      {.name = "a directory deleted", .base = kTree, .steps = "rm -r dir"},
      {.name = "a directory emptied", .base = kTree, .steps = "rm dir/sub/e.txt"},
      {.name = "a directory's last entries deleted", .base = kTree, .steps = "rm -r dir/* "},
      {.name = "everything deleted", .base = kTree, .steps = "rm -rf *"},
      {.name = "a file deleted and made again", .base = kTree, .steps = "rm a.txt; echo n > a.txt"},
      {.name = "a file deleted and made again as it was",
       .base = kTree,
       .steps = "rm a.txt; echo a > a.txt"},
      {.name = "a directory deleted and made again empty",
       .base = kTree,
       .steps = "rm -r dir; mkdir dir",
       .fuse_shows_otherwise = kRecreated},
      {.name = "a directory deleted and made again with other content",
       .base = kTree,
       .steps = "rm -r dir; mkdir dir; echo n > dir/new; echo C > dir/c.txt",
       .fuse_shows_otherwise = kRecreated},
      {.name = "a directory made again deep in another",
       .base = kTree,
       .steps = "rm -r dir/sub; mkdir dir/sub; echo n > dir/sub/n",
       .fuse_shows_otherwise = kRecreated},
      {.name = "a directory made again twice",
       .base = kTree,
       .steps =
           "rm -r dir; mkdir -p dir/sub; echo 1 > dir/sub/1; rm -r dir; mkdir dir; echo 2 > dir/2",
       .fuse_shows_otherwise = kRecreated},
      {.name = "a new file deleted before the commit",
       .base = kTree,
       .steps = "echo n > n; rm n; mkdir x; echo n > x/n; rm -r x"},
      {.name = "a new file committed, then deleted",
       .base = kTree,
       .steps = "echo n > new; mkdir x; echo n > x/n",
       .later = "rm new; rm -r x"},
      {.name = "a new file in a tree of the base committed, then deleted",
       .base = kTree,
       .steps = "echo n > dir/sub/new",
       .later = "rm dir/sub/new"},
      {.name = "a deletion committed, then undone",
       .base = kTree,
       .steps = "rm a.txt; rm -r dir",
       .later = "echo a > a.txt; mkdir dir; echo c > dir/c.txt",
       .fuse_shows_otherwise = kRecreated},
      {.name = "a modification committed, then undone",
       .base = kTree,
       .steps = "echo x > a.txt; echo y > dir/c.txt",
       .later = "echo a > a.txt; echo c > dir/c.txt"},
      {.name = "a modification committed, then deleted",
       .base = kTree,
       .steps = "echo x > a.txt",
       .later = "rm a.txt"},
      {.name = "a round without changes after one with",
       .base = kTree,
       .steps = "echo x > a.txt; rm b.txt; mkdir n; echo n > n/n",
       .later = "touch a.txt"},
  };
}

Cases rename_cases() {
  return {
      {.name = "a file renamed", .base = kTree, .steps = "mv a.txt z.txt"},
      {.name = "a file moved into a directory", .base = kTree, .steps = "mv a.txt dir/sub/"},
      {.name = "a file moved over another", .base = kTree, .steps = "mv a.txt b.txt"},
      {.name = "a file moved, and one like it deleted",
       .base = kTree + "seq 30 > one; seq 31 > two",
       .steps = "mv one dir/one; rm two"},
      {.name = "two files exchanged",
       .base = kTree,
       .steps = "mv a.txt t; mv b.txt a.txt; mv t b.txt"},
      {.name = "a directory renamed",
       .base = kTree,
       .steps = "mv dir moved",
       .fuse_shows_otherwise = kMovedDirectory},
      {.name = "a directory moved into another",
       .base = kTree,
       .steps = "mv dir other/dir",
       .fuse_shows_otherwise = kMovedDirectory},
      {.name = "a directory renamed and its file changed",
       .base = kTree,
       .steps = "mv dir moved; echo x >> moved/c.txt; rm moved/sub/e.txt",
       .fuse_shows_otherwise = kMovedDirectory},
      {.name = "a directory renamed forth and back",
       .base = kTree,
       .steps = "mv dir moved; mv moved dir",
       .fuse_shows_otherwise = kMovedDirectory},
      {.name = "a new directory renamed",
       .base = kTree,
       .steps = "mkdir n; echo 1 > n/1; mv n m",
       .later = "mv m k; echo 2 > k/2"},
      {.name = "a directory renamed over the name of a deleted one",
       .base = kTree,
       .steps = "rm -r other; mv dir other",
       .fuse_shows_otherwise = kMovedDirectory},
      {.name = "a symlink renamed", .base = kTree, .steps = "mv link l2"},
      {.name = "a file renamed in letter case", .base = kTree, .steps = "mv a.txt A.txt"},
  };
}

Cases type_cases() {
  return {
      {.name = "file to directory",
       .base = kTree,
       .steps = "rm a.txt; mkdir a.txt; echo x > a.txt/x"},
      {.name = "file to empty directory", .base = kTree, .steps = "rm a.txt; mkdir a.txt"},
      {.name = "file to symlink", .base = kTree, .steps = "rm a.txt; ln -s b.txt a.txt"},
      {.name = "file to broken symlink", .base = kTree, .steps = "ln -sf nowhere a.txt"},
      {.name = "symlink to file", .base = kTree, .steps = "rm link; echo x > link"},
      {.name = "symlink to directory",
       .base = kTree,
       .steps = "rm dirlink; mkdir dirlink; echo x > dirlink/x"},
      {.name = "symlink retargeted", .base = kTree, .steps = "ln -sfn b.txt link"},
      {.name = "symlink to a directory retargeted",
       .base = kTree,
       .steps = "ln -sfn other dirlink"},
      {.name = "directory to file", .base = kTree, .steps = "rm -r dir; echo x > dir"},
      {.name = "directory to symlink", .base = kTree, .steps = "rm -r dir; ln -s other dir"},
      {.name = "directory to symlink on itself moved",
       .base = kTree,
       .steps = "mv dir real; ln -s real dir",
       .fuse_shows_otherwise = kMovedDirectory},
      {.name = "file to directory and back",
       .base = kTree,
       .steps = "rm a.txt; mkdir a.txt; echo x > a.txt/x",
       .later = "rm -r a.txt; echo a > a.txt"},
      {.name = "directory to file and back",
       .base = kTree,
       .steps = "rm -r dir; echo x > dir",
       .later = "rm dir; mkdir dir; echo y > dir/d.txt",
       .fuse_shows_otherwise = kRecreated},
      {.name = "write through a symlink",
       .base = kTree,
       .steps = "echo x > link; echo y > dirlink/y"},
      {.name = "symlinks of all kinds added",
       .base = kTree,
       .steps = "ln -s /etc/passwd abs; ln -s ../.. up; ln -s dir d2; ln -s loop loop; ln -s 'a "
                "b\nc' odd"},
      {.name = "a symlink with a long target",
       .base = kTree,
       // XFS takes 1023 bytes.
       .steps = "for length in 4000 1000; do\n"
                "  ln -s $(printf 'x%.0s' $(seq $length)) long && exit 0\n"
                "done; exit 1"},
  };
}

Cases mode_cases() {
  return {
      {.name = "executable bit set", .base = kTree, .steps = "chmod +x a.txt"},
      {.name = "executable bit removed", .base = kTree, .steps = "chmod -x run.sh"},
      {.name = "executable for the group only", .base = kTree, .steps = "chmod 654 a.txt"},
      {.name = "permissions that git doesn't record",
       .base = kTree,
       .steps = "chmod 600 a.txt; chmod 444 b.txt; chmod 700 dir"},
      {.name = "a new executable", .base = kTree, .steps = "echo n > n; chmod 755 n"},
      {.name = "mode and content", .base = kTree, .steps = "echo x >> a.txt; chmod +x a.txt"},
      {.name = "core.fileMode off",
       .base = kTree + "git config core.fileMode false",
       .steps = "chmod +x a.txt; chmod -x run.sh; echo n > n; chmod +x n; echo y >> run.sh"},
      {.name = "core.symlinks off",
       .base = kTree + "git config core.symlinks false",
       .steps = "rm link; printf b.txt > link; rm a.txt; ln -s b.txt a.txt"},
  };
}

Cases name_cases() {
  return {
      {.name = "names with blanks and quotes",
       .base = kTree,
       .steps =
           R"sh(echo 1 > 'a b'; echo 2 > '"q"'; echo 3 > "it's"; mkdir 'd d'; echo 4 > 'd d/ x ')sh"},
      {.name = "names with control characters",
       .base = kTree,
       .steps =
           R"sh(echo 1 > "$(printf 'new\nline')"; echo 2 > "$(printf 'tab\tx')"; echo 3 > "$(printf '\001\177')")sh"},
      {.name = "names that aren't UTF-8",
       .base = kTree,
       .steps =
           R"sh(echo 1 > "$(printf 'latin\344')"; mkdir "$(printf '\377\376')"; echo 2 > "$(printf '\377\376/x')")sh"},
      {.name = "names in UTF-8",
       .base = kTree,
       .steps = "echo 1 > äöü; echo 2 > 日本; mkdir ñ; echo 3 > ñ/ñ"},
      {.name = "names in UTF-8 unquoted",
       .base = kTree + "git config core.quotePath false",
       .steps = R"sh(echo 1 > äöü; echo 2 > "$(printf 'latin\344')"; echo 3 > 'a b')sh"},
      {.name = "odd names modified and deleted",
       .base =
           kTree +
           R"sh(echo 1 > 'a b'; echo 2 > "$(printf 'new\nline')"; mkdir 'd d'; echo 3 > 'd d/x')sh",
       .steps = R"sh(rm 'a b'; echo x > "$(printf 'new\nline')"; rm -r 'd d')sh"},
      {.name = "names with a backslash",
       .base = kTree,
       .steps = R"sh(echo 1 > 'a\b'; mkdir 'c\d'; echo 2 > 'c\d/e')sh"},
      {.name = "names with a leading dash or dots",
       .base = kTree,
       .steps = "echo 1 > ./-n; echo 2 > ...; echo 3 > .x; mkdir ..d; echo 4 > ..d/4"},
      {.name = "names like pathspecs",
       .base = kTree,
       .steps = "echo 1 > ':(top)x'; echo 2 > '*'; echo 3 > '[a]'"},
      {.name = "a name of 255 bytes",
       .base = kTree,
       .steps = "echo 1 > $(printf 'x%.0s' $(seq 255))",
       .fuse_refuses = "fuse-overlayfs has no room for its .wh. prefix (ENAMETOOLONG)"},
      {.name = "a deep path",
       .base = kTree,
       .steps = "d=$(printf 'dddddddd/%.0s' $(seq 100)); mkdir -p $d; echo 1 > ${d}f"},
      {.name = "names like an overlay's own",
       .base = kTree + "echo 1 > .wh.base; mkdir .wh.dir; echo 2 > .wh.dir/x",
       .steps = "echo 3 > .wh.a.txt; echo 4 > dir/.wh.new; echo 5 > .wh..wh..opq || true",
       .fuse_refuses = "fuse-overlayfs takes these names for its own (EINVAL)"},
      {.name = "the file that a .wh. name would hide",
       .base = kTree,
       .steps = "echo 1 > .wh.b.txt; echo 2 > b.txt",
       .fuse_refuses = "fuse-overlayfs takes these names for its own (EINVAL)"},
  };
}

Cases ignore_cases() {
  const std::string rules = kTree + "printf '*.o\\n/build/\\n!keep.o\\n' > .gitignore\n";
  return {
      {.name = "ignored files added",
       .base = rules,
       .steps = "echo 1 > x.o; mkdir build; echo 2 > build/x; echo 3 > dir/y.o; echo 4 > "
                "keep.o"},
      {.name = "only ignored files in a new directory",
       .base = rules,
       .steps = "mkdir n; echo 1 > n/x.o"},
      {.name = "ignored and other files in a new directory",
       .base = rules,
       .steps = "mkdir n; echo 1 > n/x.o; echo 2 > n/x.c"},
      {.name = "a tracked file that is ignored",
       .base = rules + "echo t > t.o; mkdir build; echo b > build/b; git add -f t.o build/b",
       .steps = "echo x >> t.o; echo y >> build/b; echo n > build/n"},
      {.name = "a tracked file that is ignored, deleted",
       .base = rules + "echo t > t.o; mkdir build; echo b > build/b; git add -f t.o build/b",
       .steps = "rm t.o build/b"},
      {.name = "a tracked ignored file deleted, then made again",
       .base = rules + "echo t > t.o; git add -f t.o",
       .steps = "rm t.o",
       .later = "echo u > t.o"},
      {.name = "committed, deleted, and made again ignored",
       .base = kTree,
       .steps = "echo 1 > x.o",
       .later = "rm x.o; echo '*.o' > .gitignore; echo 2 > x.o"},
      {.name = "a rule added in the view",
       .base = kTree,
       .steps = "echo '*.log' > .gitignore; echo 1 > x.log; echo 2 > dir/y.log; echo 3 > z"},
      {.name = "a rule added for a tracked file",
       .base = kTree,
       .steps = "echo a.txt > .gitignore; echo x >> a.txt"},
      {.name = "a rule file in a directory",
       .base = rules,
       .steps = "echo '*.txt' > dir/.gitignore; echo 1 > dir/n.txt; echo 2 > "
                "dir/sub/n.txt; echo 3 > n.txt"},
      {.name = "a nested rule that includes again",
       .base = rules,
       .steps = "echo '!*.o' > dir/.gitignore; echo 1 > dir/x.o; echo 2 > x.o; echo 3 > "
                "dir/sub/x.o"},
      {.name = "an excluded directory can't be entered again",
       .base = rules,
       .steps = "printf '/build/\\n!/build/x\\n' > .gitignore; mkdir build; echo 1 > build/x"},
      {.name = "a rule for directories only",
       .base = kTree + "echo 'tmp/' > .gitignore",
       .steps = "echo 1 > tmp; mkdir dir/tmp; echo 2 > dir/tmp/x"},
      {.name = "an anchored rule and one with slashes",
       .base = kTree + "printf '/x\\ndir/**/y\\n**/z\\n' > .gitignore",
       .steps = "echo 1 > x; echo 2 > dir/x; echo 3 > dir/sub/y; echo 4 > y; mkdir -p q/r; "
                "echo 5 > q/r/z"},
      {.name = "ignored files of the base, rules as they were",
       .base = rules + "echo o > o.o; mkdir build; echo b > build/b",
       .steps = "echo x >> o.o; echo n > build/n; echo m >> a.txt"},
      {.name = "ignored files of the base, rules loosened",
       .base = rules + "echo o > o.o; mkdir build; echo b > build/b; echo p > dir/p.o",
       .steps = "echo '/build/' > .gitignore"},
      {.name = "ignored files of the base, rules tightened",
       .base = rules + "echo o > o.o; mkdir build; echo b > build/b",
       .steps = "printf '*.log\\n*.o\\n/build/\\n!keep.o\\n/n*\\n' > .gitignore; echo l > l.log; "
                "echo n > n; echo m > m; echo k > keep.o"},
      {.name = "ignored files of the base, rule file deleted",
       .base = rules + "echo o > o.o; mkdir -p build/deep; echo b > build/b; echo c > build/deep/c",
       .steps = "rm .gitignore"},
      {.name = "ignored files of the base, some changed and some deleted",
       .base = rules + "echo o > o.o; echo p > p.o; mkdir -p build/deep; echo b > build/b; "
                       "echo c > build/deep/c",
       .steps = "rm .gitignore p.o build/b; echo x >> o.o; echo n > build/n"},
      {.name = "ignored files of the base, loosened, then changed after the commit",
       .base =
           rules + "echo o > o.o; echo p > p.o; mkdir build; echo b > build/b; echo c > build/c",
       .steps = "rm .gitignore",
       .later = "rm p.o build/b; echo x >> o.o"},
      {.name = "ignored files of the base, loosened, committed, and ignored again",
       .base = rules + "echo o > o.o; mkdir build; echo b > build/b",
       .steps = "rm .gitignore",
       .later = "printf '*.o\\n/build/\\n' > .gitignore; echo n > n.o"},
      {.name = "a nested rule file of the base changed",
       .base = kTree + "echo '*.o' > dir/.gitignore; echo o > dir/o.o; echo p > dir/sub/p.o",
       .steps = "echo '*.x' > dir/.gitignore"},
      {.name = "a nested rule file of the base overruled from above",
       .base = kTree + "echo '*.o' > dir/.gitignore; echo o > dir/o.o; echo q > other/q.o; "
                       "echo '*.o' > .gitignore",
       .steps = "echo '!q.o' > .gitignore"},
      {.name = "a directory of ignored files recreated",
       .base = rules + "mkdir build; echo b > build/b",
       .steps = "rm -r build; mkdir build; echo n > build/n; rm .gitignore",
       .fuse_shows_otherwise = kRecreated},
      {.name = "an untracked rule file in the base",
       .base = kTree + "mkdir venv; echo '*' > venv/.gitignore; echo 1 > venv/x",
       .steps = "echo 2 > venv/y; mkdir venv/d; echo 3 > venv/d/z"},
      {.name = "an untracked rule file of the base changed",
       .base = kTree + "mkdir venv; echo '*' > venv/.gitignore; echo 1 > venv/x",
       .steps = "echo y > venv/.gitignore; echo 2 > venv/y"},
      {.name = "an untracked rule file of the base deleted",
       .base = kTree + "mkdir venv; echo '*' > venv/.gitignore; echo 1 > venv/x",
       .steps = "rm venv/.gitignore"},
      {.name = "info/exclude",
       .base = kTree + "echo '*.secret' >> .git/info/exclude",
       .steps = "echo 1 > x.secret; echo 2 > x.open"},
      {.name = "core.excludesFile",
       .base = kTree + "echo '*.mine' > $SCRATCH/mine; git config core.excludesFile $SCRATCH/mine",
       .steps = "echo 1 > x.mine; echo 2 > x.ours"},
      {.name = "a symlinked rule file doesn't count",
       .base = kTree,
       .steps = "echo '*.o' > rules; ln -s rules .gitignore; echo 1 > x.o"},
      {.name = "ignored untracked entry hides a deleted tracked one",
       .base = kTree,
       .steps = "rm -r other; echo other > .gitignore",
       .later = "echo x > other"},
      {.name = "core.ignoreCase",
       .base = kTree + "git config core.ignoreCase true; echo '*.OBJ' > .gitignore",
       .steps = "echo 1 > x.obj; echo 2 > y.Obj; echo 3 > z.o"},
      {.name = "status shows every untracked file",
       .base = kTree + "git config status.showUntrackedFiles all",
       .steps = "mkdir -p n/m; echo 1 > n/1; echo 2 > n/m/2; echo 3 >> a.txt"},
      {.name = "status shows no untracked files",
       .base = kTree + "git config status.showUntrackedFiles no",
       .steps = "mkdir n; echo 1 > n/1; echo 3 >> a.txt; rm b.txt"},
  };
}

/// Settings that change what git records or tells.
Cases setting_cases() {
  return {
      {.name = "core.ignoreCase: patterns with classes and paths",
       .base = kTree + "git config core.ignoreCase true; "
                       "printf '/Dir/NEW\\n[A-C]x\\n*.LOG\\n' > .gitignore",
       .steps = "echo 1 > dir/new; echo 2 > bx; echo 3 > x.log; echo 4 > dx"},
      {.name = "core.ignoreCase: attributes",
       .base = kTree + "git config core.ignoreCase true; echo '*.TXT text' > .gitattributes",
       .steps = R"sh(printf 'x\r\n' > a.txt; printf 'y\r\n' > n.Txt)sh"},
      {.name = "core.excludesFile relative to the worktree",
       .base = kTree + "git config core.excludesFile .git/mine; echo '*.mine' > .git/mine",
       .steps = "echo 1 > x.mine; echo 2 > x.ours"},
      {.name = "core.excludesFile in the home directory",
       .base = kTree + "git config core.excludesFile '~/mine'; echo '*.mine' > ~/mine",
       .steps = "echo 1 > x.mine; echo 2 > x.ours"},
      {.name = "core.excludesFile empty",
       .base = kTree + "git config core.excludesFile ''",
       .steps = "echo 1 > x.mine"},
      {.name = "core.attributesFile relative to the worktree",
       .base = kTree + "git config core.attributesFile .git/mine; echo '* text' > .git/mine",
       .steps = R"sh(printf 'x\r\n' > a.txt)sh"},
      {.name = "settings of this worktree alone",
       .base = kTree + "git config extensions.worktreeConfig true; "
                       "git config --worktree core.autocrlf input; "
                       "git config --worktree core.fileMode false",
       .steps = R"sh(printf 'x\r\n' > n.txt; chmod +x b.txt)sh"},
      {.name = "settings that are included",
       .base = kTree + R"sh(git config -f "$SCRATCH/more" core.autocrlf input
                            git config "includeIf.gitdir:**/.git.path" "$SCRATCH/more")sh",
       .steps = R"sh(printf 'x\r\n' > n.txt)sh"},
      {.name = "core.eol",
       .base = kTree + "git config core.eol crlf; echo '* text=auto' > .gitattributes",
       .steps = R"sh(printf 'x\r\n' > n.txt; printf 'y\n' > m.txt)sh"},
      {.name = "core.quotePath off with names of all kinds",
       .base = kTree + "git config core.quotePath false",
       .steps =
           R"sh(echo 1 > "$(printf 'latin\344 x')"; echo 2 > 'ä b'; echo 3 > "$(printf 'a\tb')")sh"},
  };
}

Cases attribute_cases() {
  return {
      {.name = "text=auto",
       .base = kTree + "echo '* text=auto' > .gitattributes",
       .steps =
           R"sh(printf '1\r\n2\r\n' > crlf; printf '1\n' > lf; printf 'a\r\n\000' > bin; printf 'x\r\n' > a.txt)sh"},
      {.name = "text and eol by pattern",
       .base =
           kTree +
           R"sh(printf '*.t text\n*.c text eol=crlf\n*.l text eol=lf\n*.b -text\n' > .gitattributes)sh",
       .steps =
           R"sh(for e in t c l b n; do printf '1\r\n2\r\n' > x.$e; printf '1\n' > y.$e; done)sh"},
      {.name = "binary macro and an own one",
       .base = kTree +
               R"sh(printf '[attr]raw -text\n* text\n*.b binary\n*.r raw\n' > .gitattributes)sh",
       .steps = R"sh(for e in b r t; do printf '1\r\n' > x.$e; done)sh"},
      {.name = "core.autocrlf input",
       .base = kTree + "git config core.autocrlf input",
       .steps = R"sh(printf '1\r\n' > crlf; printf '2\r\n' > a.txt)sh"},
      {.name = "core.autocrlf true",
       .base = kTree + "git config core.autocrlf true; git config core.safecrlf false",
       .steps = R"sh(printf '1\r\n' > crlf; printf '2\r\n3\r\n' > dir/c.txt; printf '4\n' > lf)sh"},
      {.name = "a file recorded with CR LF",
       .base =
           kTree +
           R"sh(printf '1\r\n' > old.txt; git add old.txt; echo '*.txt text=auto' > .gitattributes)sh",
       .steps = R"sh(printf '1\r\n2\r\n' > old.txt; printf '1\r\n' > new.txt)sh"},
      {.name = "line ends changed, content the same",
       .base = kTree + "echo '*.txt text=auto' > .gitattributes",
       .steps = R"sh(printf 'a\r\n' > a.txt)sh"},
      {.name = "line ends written otherwise than checked out, then copied up",
       .base = kTree + R"sh(echo '*.txt text eol=crlf' > .gitattributes
                            printf '1\n2\n' > lf.txt; printf '1\r\n' > crlf.txt)sh",
       .steps = "touch lf.txt crlf.txt; echo x > a.txt"},
      {.name = "ident",
       .base = kTree + R"sh(echo '*.id ident' > .gitattributes; printf '$Id$\n' > x.id)sh",
       .steps = R"sh(printf '$Id: 123 $\nmore\n' > x.id; printf '$Id$ $Id: y $\n' > y.id)sh"},
      {.name = "working-tree-encoding",
       .base = kTree + "echo '*.u working-tree-encoding=UTF-16LE' > .gitattributes",
       .steps = R"sh(printf 'a\000b\000\n\000' > x.u)sh"},
      {.name = "a clean filter",
       .base =
           kTree +
           R"sh(git config filter.up.clean 'tr a-z A-Z'; git config filter.up.smudge 'tr A-Z a-z'
                          echo '*.up filter=up' > .gitattributes)sh",
       .steps = "echo hello > x.up; echo hello > x.down"},
      {.name = "rules that a filter writes",
       .base =
           kTree +
           R"sh(git config filter.up.clean 'tr a-z A-Z'; git config filter.up.smudge 'tr A-Z a-z'
                          echo '* filter=up' > "$SCRATCH/attributes"; mkdir out; echo o > out/o
                          git config core.attributesFile "$SCRATCH/attributes"
                          echo 'out/' > .gitignore; echo '*.c -text -filter' > dir/.gitattributes)sh",
       .steps = "touch out/o; echo n > out/n; echo x > dir/x.c; echo x > dir/x.d; mkdir dir/out; "
                "echo o > dir/out/o"},
      {.name = "attributes added in the view",
       .base = kTree,
       .steps =
           R"sh(echo '*.txt text' > .gitattributes; printf 'x\r\n' > a.txt; printf 'y\r\n' > n.txt)sh"},
      {.name = "attributes in a directory",
       .base = kTree + "echo '* -text' > .gitattributes; echo '*.txt text' > dir/.gitattributes",
       .steps =
           R"sh(printf 'x\r\n' > a.txt; printf 'y\r\n' > dir/c.txt; printf 'z\r\n' > dir/sub/e.txt)sh"},
      {.name = "attributes of a directory changed",
       .base = kTree + "echo '*.txt text' > dir/.gitattributes",
       .steps = R"sh(echo '*.txt -text' > dir/.gitattributes; printf 'y\r\n' > dir/c.txt)sh"},
      {.name = "info/attributes",
       .base = kTree + "echo '*.txt text' > .git/info/attributes",
       .steps = R"sh(printf 'x\r\n' > a.txt)sh"},
      {.name = "core.attributesFile",
       .base = kTree + "echo '*.txt text' > $SCRATCH/mine; git config core.attributesFile "
                       "$SCRATCH/mine",
       .steps = R"sh(printf 'x\r\n' > a.txt)sh"},
      {.name = "a symlinked attributes file doesn't count",
       .base = kTree,
       .steps = R"sh(echo '* text' > rules; ln -s rules .gitattributes; printf 'x\r\n' > n.txt)sh"},
  };
}

Cases special_cases() {
  return {
      {.name = "empty directories", .base = kTree, .steps = "mkdir -p e/f/g dir/h"},
      {.name = "special files untracked",
       .base = kTree,
       .steps = "mkfifo p; mkdir s; mkfifo s/p; mkfifo dir/p"},
      {.name = "a special file beside new files",
       .base = kTree,
       .steps = "mkdir s; mkfifo s/p; echo 1 > s/1"},
      {.name = "a fifo in place of a tracked file",
       .base = kTree,
       .steps = "rm a.txt; mkfifo a.txt",
       .refused = true},
      {.name = "a fifo in place of a tracked directory",
       .base = kTree,
       .steps = "rm -r dir; mkfifo dir"},
      {.name = "sparse checkout",
       .base = kTree + "git add -A; git commit -qm 0; git sparse-checkout set --no-cone "
                       "'/*' '!/dir/' '!/other/o.txt'",
       .steps = "echo n > n; echo x >> a.txt"},
      {.name = "a deleted and an unchanged file in a sparse checkout",
       .base = kTree + "git add -A; git commit -qm 0; git sparse-checkout set --no-cone "
                       "'/*' '!/dir/sub/'",
       .steps = "rm dir/c.txt; touch a.txt"},
      {.name = "a directory over what a sparse checkout leaves out",
       .base =
           kTree + "git add -A; git commit -qm 0; git sparse-checkout set --no-cone '/*' '!/dir/'",
       .steps = "mkdir dir"},
  };
}

Cases forbidden_cases() {
  const auto forbidden = [](std::string name, std::string steps) {
    return TreeCase{
        .name = std::move(name), .base = kTree, .steps = std::move(steps), .refused = true};
  };
  return {
      forbidden("a file .GIT", "echo x > dir/.GIT"),
      forbidden("a directory .Git", "mkdir dir/.Git; echo x > dir/.Git/x"),
      forbidden("a file git~1", "echo x > git~1"),
      forbidden("a directory git~1 in a new one",
                "mkdir -p n/git~1; echo x > n/git~1/x; echo y > n/y"),
      forbidden("a file .git with a dot", "echo x > .git."),
      forbidden("a file .git with a blank", "echo x > 'dir/.git '"),
      forbidden("a file .git with a stream", "echo x > 'dir/.git::$INDEX_ALLOCATION'"),
      forbidden("a symlink .gitmodules", "ln -s a.txt .gitmodules"),
      {.name = "a .git with an ignorable character",
       .base = kTree,
       .steps = R"sh(echo x > "$(printf 'dir/.g\342\200\214it')")sh"},
      {.name = "a .git with an ignorable character, protected",
       .base = kTree + "git config core.protectHFS true",
       .steps = R"sh(echo x > "$(printf 'dir/.g\342\200\214it')")sh",
       .refused = true},
      {.name = "names that NTFS minds, unprotected",
       .base = kTree + "git config core.protectNTFS false",
       .steps = "echo x > git~1; echo y > .git.; echo z > '.git '"},
      {.name = "a forbidden name that is ignored",
       .base = kTree + "echo 'git*' > .gitignore",
       .steps = "echo x > git~1"},
      {.name = "a garbage .git file in a directory",
       .base = kTree,
       .steps = "echo x > dir/.git; mkdir n; echo x > n/.git; echo y > n/y"},
      {.name = "a .git directory that is none",
       .base = kTree,
       .steps = "mkdir -p n/.git; echo y > n/y"},
      {.name = "a symlink .git",
       .base = kTree,
       .steps = "ln -s /tmp dir/.git; ln -s a.txt other/.git"},
  };
}

Cases repository_cases() {
  return {
      {.name = "a repository in the view",
       .base = kTree,
       .steps = kInner + "inner n; echo 2 > n/g"},
      {.name = "a repository deep in the view",
       .base = kTree,
       .steps = kInner + "mkdir n; echo 1 > n/1; inner n/m"},
      {.name = "a repository whose HEAD names a ref longer than a path",
       .base = kTree,
       .steps = "mkdir -p n/.git/refs n/.git/objects; echo 1 > n/f\n"
                "python3 -c 'print(\"ref: refs/\" + \"a/\" * 500000 + \"x\")' > n/.git/HEAD",
       .refused = true},
      {.name = "a .git file that leads further than a path can",
       .base = kTree,
       .steps = "mkdir n; echo 1 > n/f\n"
                "python3 -c 'print(\"gitdir: \" + \"a/\" * 500000 + \"x\")' > n/.git"},
      {.name = "a repository in the view moves on",
       .base = kTree,
       .steps = kInner + "inner n",
       .later = "git -C n commit -q --allow-empty -m 2"},
      {.name = "a repository in the view with packed refs",
       .base = kTree,
       .steps = kInner + "inner n; git -C n pack-refs --all; git -C n checkout -q "
                         "--detach; inner m; git -C m pack-refs --all"},
      {.name = "a repository in the view deleted",
       .base = kTree,
       .steps = kInner + "inner n",
       .later = "rm -rf n"},
      {.name = "a repository in the view becomes a directory",
       .base = kTree,
       .steps = kInner + "inner n",
       .later = "rm -rf n; mkdir n; echo x > n/x",
       .status_differs = "git compares the submodule that was there"},
      {.name = "a repository without a commit",
       .base = kTree,
       .steps = "git init -q n; echo 1 > n/1",
       .refused = true},
      {.name = "a repository that is ignored",
       .base = kTree + "echo /n/ > .gitignore",
       .steps = kInner + "inner n"},
      {.name = "a repository in a tracked directory",
       .base = kTree,
       .steps = kInner + "inner dir; echo x > dir/x"},
      {.name = "a linked worktree's .git file",
       .base = kTree,
       .steps = kInner + "inner n; mkdir w; mv n/.git w/real; echo 'gitdir: ../w/real' > "
                         "n/.git; rm -rf w/real/hooks w/real/index"},
      {.name = "a submodule untouched", .base = kSubmodule, .steps = "echo x >> a.txt; cat sub/f"},
      {.name = "a submodule deleted", .base = kSubmodule, .steps = "rm -rf sub"},
      {.name = "a submodule emptied",
       .base = kSubmodule,
       .steps = "rm -rf sub; mkdir sub",
       .fuse_shows_otherwise = kRecreated},
      {.name = "a submodule replaced by a file",
       .base = kSubmodule,
       .steps = "rm -rf sub; echo x > sub"},
      {.name = "a submodule replaced by a symlink",
       .base = kSubmodule,
       .steps = "rm -rf sub; ln -s a.txt sub",
       .status_differs = "git status fails to look at it and prints nothing"},
      {.name = "a submodule replaced by another repository",
       .base = kSubmodule,
       .steps = kInner + "rm -rf sub; inner sub",
       .fuse_shows_otherwise = kRecreated},
      {.name = "a file of a submodule changed", .base = kSubmodule, .steps = "echo 2 > sub/f"},
      {.name = "a file added in a submodule, where the status shows no untracked ones",
       .base = kSubmodule + "git config status.showUntrackedFiles no",
       .steps = "echo 2 > sub/g"},
      {.name = "a file added in a submodule", .base = kSubmodule, .steps = "echo 2 > sub/g"},
      {.name = "a submodule that isn't checked out",
       .base = kSubmodule + "git submodule --quiet deinit -f sub",
       .steps = "echo x >> a.txt; mkdir -p sub; ls sub"},
      {.name = "a submodule that isn't checked out, written into",
       .base = kSubmodule + "git submodule --quiet deinit -f sub",
       .steps = "echo x > sub/x"},
  };
}

/// What a status leaves out of a submodule, whatever was done in it; the commit leaves out nothing.
Cases submodule_ignore_cases() {
  const std::pair<const char*, const char*> changes[] = {
      {"a file changed", "echo x > sub/f"},
      {"a file added", "echo x > sub/g"},
      {"another commit", "git -C sub checkout -q --detach HEAD~"},
      {"another commit and a file changed",
       "git -C sub checkout -q --detach HEAD~; echo x > sub/f"},
  };
  Cases cases;
  for (const char* ignore : {"none", "untracked", "dirty", "all"}) {
    for (const auto& [what, steps] : changes) {
      const std::string name = "submodule.<name>.ignore=" + std::string(ignore) + ": " + what;
      cases.push_back({.name = name,
                       .base = kOwnSubmodule + "git config submodule.sub.ignore " + ignore,
                       .steps = steps,
                       .later = "echo x > a.txt"});
    }
  }
  return cases;
}

Cases submodule_cases() {
  return {
      {.name = "a submodule with its own repository, another commit checked out",
       .base = kOwnSubmodule,
       .steps = "git -C sub checkout -q --detach HEAD~",
       .later = "git -C sub checkout -q main"},
      {.name = "a submodule with its own repository, a commit made in it",
       .base = kOwnSubmodule,
       .steps = "echo 3 > sub/f; git -C sub commit -qam 3"},
      {.name = "a submodule with its own repository, changes in it",
       .base = kOwnSubmodule,
       .steps = "echo 3 > sub/f; echo new > sub/g; rm a.txt"},
      {.name = "a submodule with its own repository, a commit and more changes",
       .base = kOwnSubmodule,
       .steps = "echo 3 > sub/f; git -C sub commit -qam 3; echo 4 > sub/f"},
      {.name = "a submodule with its own repository deleted",
       .base = kOwnSubmodule,
       .steps = "rm -rf sub",
       .later = "rm .gitmodules"},
      {.name = "a submodule with its own repository replaced by a file",
       .base = kOwnSubmodule,
       .steps = "rm -rf sub; echo x > sub",
       .later = "rm sub; mkdir sub; echo y > sub/y"},
      {.name = "a file replaced by a repository",
       .base = kTree,
       .steps = kInner + "rm a.txt; inner a.txt"},
      {.name = "a symlink replaced by a repository",
       .base = kTree,
       .steps = kInner + "rm link; inner link"},
      {.name = "a file replaced by a repository without a commit",
       .base = kTree,
       .steps = "rm a.txt; git init -q a.txt",
       .refused = true},
      {.name = "ignored in a submodule by its own rules",
       .base = kOwnSubmodule + "echo '*.o' >> sub/.git/info/exclude",
       .steps = "echo x > sub/x.o"},
      {.name = "ignored in a submodule by .gitmodules",
       .base = kOwnSubmodule + "git config -f .gitmodules submodule.sub.ignore dirty",
       .steps = "echo x > sub/f"},
      {.name = "ignored in a submodule by .gitmodules, overruled by the configuration",
       .base = kOwnSubmodule + "git config -f .gitmodules submodule.sub.ignore all; "
                               "git config submodule.sub.ignore none",
       .steps = "echo x > sub/f"},
      {.name = "ignored in a submodule by .gitmodules as the view has it",
       .base = kOwnSubmodule,
       .steps = "git config -f .gitmodules submodule.sub.ignore all; echo x > sub/f"},
      {.name = "ignored in a submodule by a deleted .gitmodules",
       .base = kOwnSubmodule + "git config -f .gitmodules submodule.sub.ignore all",
       .steps = "rm .gitmodules; echo x > sub/f"},
      {.name = "ignored in submodules by diff.ignoreSubmodules",
       .base = kOwnSubmodule + "git config diff.ignoreSubmodules dirty",
       .steps = "echo x > sub/f; echo y > a.txt"},
      {.name = "a submodule that .gitmodules doesn't name",
       .base = kOwnSubmodule + "git config submodule.sub.ignore all; rm .gitmodules",
       .steps = "echo x > sub/f"},
  };
}

Cases partial_cases() {
  const auto partial = [](std::string name, std::string steps, std::vector<std::string> paths) {
    return TreeCase{.name = std::move(name),
                    .base = kTree,
                    .steps = std::move(steps),
                    .later = "true",
                    .paths = std::move(paths)};
  };
  return {
      partial("only one file", "echo 1 >> a.txt; echo 2 >> b.txt; echo n > n", {"a.txt"}),
      partial("only an untracked file", "echo 1 >> a.txt; echo n > n; echo m > m", {"n"}),
      partial("only a directory",
              "echo 1 >> a.txt; echo 2 >> dir/c.txt; rm dir/d.txt; echo 3 > dir/n", {"dir"}),
      partial("only a subdirectory", "echo 2 >> dir/c.txt; echo 3 >> dir/sub/e.txt", {"dir/sub"}),
      partial("only a deleted file", "rm a.txt b.txt", {"a.txt"}),
      partial("only a deleted directory", "rm -r dir other", {"dir"}),
      partial("only a file of a deleted directory", "rm -r dir", {"dir/c.txt"}),
      partial("several paths", "echo 1 >> a.txt; echo 2 >> dir/sub/e.txt; rm b.txt; echo n > n",
              {"b.txt", "dir/sub/e.txt", "n"}),
      partial("a directory and a file in it", "echo 1 >> dir/c.txt; echo 2 >> dir/sub/e.txt",
              {"dir", "dir/c.txt"}),
      partial("a path that didn't change", "echo 1 >> b.txt", {"a.txt"}),
      partial("a new directory in part", "mkdir -p n/m; echo 1 > n/1; echo 2 > n/2; echo 3 > n/m/3",
              {"n/1", "n/m"}),
      partial("a file where the view has a directory",
              "rm a.txt; mkdir a.txt; echo x > a.txt/x; echo y > a.txt/y", {"a.txt/x"}),
      partial("a directory where the view has a file", "rm -r dir; echo x > dir", {"dir"}),
      partial("a file moved, both names", "mv a.txt z.txt; echo 1 >> b.txt", {"a.txt", "z.txt"}),
      partial("everything by a dot", "echo 1 >> b.txt; echo n > n; rm -r dir", {"."}),
  };
}

/// Marks in an upper that the agent wrote itself, by the state directory's path.
Cases forged_cases() {
  const std::string base = kTree + "echo q > .opq; echo q > dir/.opq; : > dir/empty";
  const auto forged = [&](std::string name, std::string script) {
    return TreeCase{.name = "forged: " + std::move(name),
                    .base = base,
                    .steps = "true",
                    .forged = std::move(script)};
  };
  Cases cases{
      forged("an opaque root", "mark opaque y ."),
      forged("an opaque root, by the kernel's user attribute",
             "foreign_mark user.overlay.opaque y ."),
      forged("an opaque directory", "mkdir dir; echo n > dir/n; mark opaque y dir"),
      forged("an opaque directory that is new", "mkdir n; echo n > n/n; mark opaque y n"),
      forged("opaque, but not y", "mkdir dir other; mark opaque yy dir; mark opaque n other"),
      forged("opaque, without a value", "mkdir dir; mark opaque '' dir"),
      forged("other overlays' opaque marks",
             "mkdir -p dir/sub other; foreign_mark user.overlay.opaque y dir/sub\n"
             "foreign_mark user.fuseoverlayfs.opaque y other"),
      forged("marks that contradict each other",
             "mkdir dir other; foreign_mark user.overlay.opaque n dir other\n"
             "foreign_mark user.fuseoverlayfs.opaque y dir; : > other/.wh..wh..opq"),
      forged("an opaque file", "echo x > a.txt; mark opaque y a.txt"),
      forged("an attribute whiteout", ": > a.txt; mark whiteout '' a.txt"),
      forged("an attribute whiteout in a directory",
             "mkdir dir; : > dir/c.txt; : > dir/n; mark whiteout '' dir/c.txt dir/n"),
      forged("an attribute whiteout in a directory that tells of it",
             "mkdir dir; : > dir/c.txt; mark whiteout '' dir/c.txt; mark opaque x dir"),
      forged("an attribute whiteout with content",
             "mkdir dir; echo x > dir/c.txt; mark whiteout '' dir/c.txt; mark opaque x dir"),
      forged("an attribute whiteout that is a directory",
             "mkdir -p dir/sub; mark whiteout '' dir/sub; mark opaque x dir"),
      forged("a whiteout of what isn't there", "mknod none c 0 0; mkdir n; mknod n/none c 0 0"),
      forged("a whiteout of any mode",
             "mknod a.txt c 0 0; chmod 7777 a.txt; mkdir dir; mknod dir/sub c 0 0"),
      forged("a whiteout of what was replaced", "mkdir dir; echo x > a.txt; : > .wh.a.txt"),
      forged("a whiteout beside a new file",
             "echo x > n; : > .wh.n; : > .wh.dir; mkdir dir; echo n > dir/n"),
      forged("a whiteout beside a whiteout", "mknod a.txt c 0 0; : > .wh.a.txt"),
      forged("an origin that leads nowhere",
             "mkdir dir; echo x > a.txt; mark origin junk dir a.txt"),
  };
  for (const char* const where : {".", "dir"}) {
    for (const char* const name : {".wh.c.txt", ".wh.a.txt", ".wh..opq", ".wh..wh..opq",
                                   ".wh..wh.foo", ".wh..", ".wh...", ".opq"}) {
      for (const char* const make : {": >", "mkdir", "ln -s nowhere", "mkfifo", "mknod_whiteout"}) {
        // Git refuses a fifo in place of a file that it tracks.
        if (std::string(name) == ".opq" && std::string(make) == "mkfifo") continue;
        cases.push_back(forged(std::string(where) + "/" + name + " by " + make,
                               "mknod_whiteout() { mknod \"$1\" c 0 0; }\nmkdir -p dir; " +
                                   std::string(make) + " " + where + "/" + name));
      }
    }
  }
  return cases;
}

/// Marks with which the kernel refuses to show an entry.
Cases unreadable_cases() {
  const auto unreadable = [](std::string name, std::string forged) {
    return TreeCase{.name = "forged: " + std::move(name),
                    .base = kTree,
                    .steps = "true",
                    .forged = std::move(forged),
                    .fuse_shows_otherwise = "it has no such marks",
                    .refused = true};
  };
  return {
      unreadable("a redirected directory", "mkdir other; mark redirect /dir other"),
      unreadable("a new directory that is redirected", "mkdir n; mark redirect /dir n"),
      unreadable("a file without its data", "echo zz > a.txt; mark metacopy '' a.txt"),
      unreadable("a new file without its data", "echo zz > n; mark metacopy '' n"),
  };
}

}  // namespace

std::vector<TreeCase> tree_cases() {
  std::vector<TreeCase> all;
  for (Cases (*part)() : {content_cases, deletion_cases, rename_cases, type_cases, mode_cases,
                          name_cases, ignore_cases, setting_cases, attribute_cases, special_cases,
                          forbidden_cases, repository_cases, submodule_cases,
                          submodule_ignore_cases, partial_cases, forged_cases, unreadable_cases}) {
    Cases cases = part();
    std::move(cases.begin(), cases.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace wafers::test
