#include "core/base/difference.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::Error;
using wafers::ErrorKind;
using wafers::UpperDialect;
using wafers::git::IndexFile;
using wafers::git::Oid;
using wafers::git::Repository;
using wafers::test::GitRepo;
using wafers::test::TempDir;

namespace {

/// What a path is: "d", "l <target>", "- <mode>\n<content>", "w" for a whiteout; directories of an
/// upper that are opaque are "o".
using Tree = std::map<std::string, std::string>;

std::string description(const fs::path& path) {
  struct stat st {};
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  if (S_ISLNK(st.st_mode)) return "l " + fs::read_symlink(path).native();
  if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0)) return "w";
  if (S_ISDIR(st.st_mode)) {
    std::array<char, 2> value{};
    const ssize_t size =
        ::lgetxattr(path.c_str(), "user.overlay.opaque", value.data(), value.size());
    return size == 1 && value[0] == 'y' ? "o" : "d";
  }
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%o", st.st_mode & 07777U);
  return "- " + std::string(mode.data()) + "\n" + wafers::test::read_file(path);
}

Tree tree_of(const fs::path& top) {
  Tree tree;
  for (auto it = fs::recursive_directory_iterator(top); it != fs::end(it); ++it) {
    const std::string path = it->path().lexically_relative(top).native();
    if (path == ".git") {
      it.disable_recursion_pending();
      continue;
    }
    tree[path] = description(it->path());
  }
  return tree;
}

void erase_below(Tree& tree, const std::string& directory) {
  std::erase_if(tree, [&](const auto& entry) { return entry.first.starts_with(directory + "/"); });
}

/// `upper` over `lower` as the overlay shows it.
Tree merged(Tree lower, const Tree& upper) {
  for (const auto& [path, what] : upper) {
    const auto below = lower.find(path);
    const bool lower_is_directory = below != lower.end() && below->second == "d";
    if (what != "d" || !lower_is_directory) erase_below(lower, path);
    if (what == "w") {
      lower.erase(path);
    } else {
      lower[path] = what == "o" ? "d" : what;
    }
  }
  return lower;
}

/// A repository with a base that is checked out and a branch that came from it.
class Branched {
 public:
  Branched() : repo_(GitRepo::init(directory_ / "base")) {}

  const GitRepo& repo() const { return repo_; }
  fs::path upper() const { return directory_ / "upper"; }

  void commit_base() { base_ = repo_.commit_all("base"); }

  /// Runs `script` in a worktree of the branch and commits what it did.
  void branch(const std::string& script) {
    repo_.git({"worktree", "add", "-q", "-b", "work", (directory_ / "work").native()});
    const auto result = wafers::test::run_script(
        script, {.cwd = directory_ / "work", .environment = {}, .input = {}});
    INFO(result.err);
    REQUIRE(result.ok());
    const GitRepo work(directory_ / "work");
    work.commit_all("work");
  }

  IndexFile attach(UpperDialect dialect = UpperDialect::kernel_user) {
    fs::create_directory(upper());
    const Repository repository = Repository::open(repo_.path());
    const auto tree = [&](const std::string& commit) {
      return *Oid::from_hex(repo_.git_line({"rev-parse", commit + "^{tree}"}));
    };
    const Tree before = tree_of(repo_.path());
    IndexFile index = wafers::write_difference(
        repository, upper(), {{repository.worktree()}, dialect}, {tree(base_), tree("work")});
    CHECK(tree_of(repo_.path()) == before);
    return index;
  }

  /// The view has what a fresh checkout of the branch has (`extra` apart).
  void check_view(const Tree& extra = {}) {
    repo_.git({"worktree", "add", "-q", "-f", (directory_ / "fresh").native(), "work"});
    Tree expected = tree_of(directory_ / "fresh");
    expected.insert(extra.begin(), extra.end());
    CHECK(merged(tree_of(repo_.path()), tree_of(upper())) == expected);
  }

 private:
  TempDir directory_;
  GitRepo repo_;
  std::string base_;
};

}  // namespace

TEST_CASE("files that a branch added, changed and deleted", "[attach]") {
  Branched branched;
  branched.repo().write("keep", "1");
  branched.repo().write("change", "1");
  branched.repo().write("gone", "1");
  branched.repo().write("d/gone", "1");
  branched.repo().write("d/keep", "1");
  branched.repo().write("same/deep/file", "1");
  branched.commit_base();
  branched.branch(
      "echo 2 > change; rm gone d/gone; mkdir -p n/m; echo 3 > n/m/new; echo 4 > 'o d\nd'");
  branched.attach();
  CHECK(tree_of(branched.upper()) == Tree{{"change", "- 644\n2\n"},
                                          {"gone", "w"},
                                          {"d", "d"},
                                          {"d/gone", "w"},
                                          {"n", "d"},
                                          {"n/m", "d"},
                                          {"n/m/new", "- 644\n3\n"},
                                          {"o d\nd", "- 644\n4\n"}});
  branched.check_view();
}

TEST_CASE("type changes in all directions", "[attach]") {
  Branched branched;
  for (const std::string name : {"file-link", "file-dir", "file-exec"}) {
    branched.repo().write(name, "1");
  }
  for (const std::string name : {"link-file", "link-dir"}) {
    fs::create_symlink("target", branched.repo() / name);
  }
  branched.repo().write("dir-file/a/b", "1");
  branched.repo().write("dir-link/a", "1");
  branched.commit_base();
  branched.branch(
      "rm -r *; ln -s x file-link; mkdir file-dir link-dir; echo 1 > file-dir/x; echo 1 > "
      "link-dir/x;"
      "echo 1 > file-exec; chmod +x file-exec; echo 2 > link-file; echo 3 > dir-file; ln -s y "
      "dir-link");
  branched.attach();
  branched.check_view();
}

TEST_CASE("a deleted directory becomes one whiteout, unless ignored files live in it", "[attach]") {
  Branched branched;
  branched.repo().write(".gitignore", "*.o\n");
  branched.repo().write("empty/a/b", "1");
  branched.repo().write("full/a/b", "1");
  branched.repo().write("full/c", "1");
  branched.commit_base();
  branched.repo().write("full/a/x.o", "ignored");
  branched.branch("rm -r empty full");
  branched.attach();
  CHECK(tree_of(branched.upper()) ==
        Tree{{"empty", "w"}, {"full", "d"}, {"full/a", "d"}, {"full/a/b", "w"}, {"full/c", "w"}});
  branched.check_view({{"full", "d"}, {"full/a", "d"}, {"full/a/x.o", "- 644\nignored"}});
}

TEST_CASE("directories keep the base's mode, new ones have the umask's", "[attach]") {
  Branched branched;
  branched.repo().write("old/x", "1");
  branched.commit_base();
  fs::permissions(branched.repo() / "old", fs::perms(0750));
  branched.branch("echo 2 > old/x; mkdir new; echo 3 > new/x; chmod +x new/x");
  const mode_t mask = ::umask(027);
  branched.attach();
  ::umask(mask);
  const auto mode = [&](const std::string& path) {
    return static_cast<unsigned>(fs::status(branched.upper() / path).permissions());
  };
  CHECK(mode("old") == 0750);
  CHECK(mode("new") == 0750);
  CHECK(mode("old/x") == 0640);
  CHECK(mode("new/x") == 0750);
}

TEST_CASE("the tip's attributes hold", "[attach]") {
  Branched branched;
  branched.repo().write("x.txt", "a\n");
  branched.repo().write("d/y", "b\n");
  branched.commit_base();
  branched.repo().git({"config", "filter.up.smudge", "tr a-z A-Z"});
  branched.repo().git({"config", "filter.up.clean", "tr A-Z a-z"});
  branched.branch(
      "echo '*.txt text eol=crlf' > .gitattributes; echo 'y filter=up' > d/.gitattributes;"
      "echo c >> x.txt; echo c >> d/y");
  const IndexFile index = branched.attach();
  const Tree upper = tree_of(branched.upper());
  CHECK(upper.at("x.txt") == "- 644\na\r\nc\r\n");
  CHECK(upper.at("d/y") == "- 644\nB\nC\n");
  branched.check_view();
}

TEST_CASE("the stat data are those of the files written, in index order", "[attach]") {
  Branched branched;
  branched.repo().write("a/x", "1");
  branched.commit_base();
  branched.branch("echo 2 > a/x; echo 3 > a.c; ln -s t a0; rm -f none");
  const IndexFile index = branched.attach();
  std::vector<std::string> paths;
  for (const auto& entry : index.entries) {
    paths.push_back(entry.path);
    struct stat st {};
    REQUIRE(::lstat((branched.upper() / entry.path).c_str(), &st) == 0);
    CHECK(entry.stat.ino == static_cast<std::uint32_t>(st.st_ino));
    CHECK(entry.stat.size == static_cast<std::uint32_t>(st.st_size));
    CHECK(entry.stat.ctime_nanoseconds == static_cast<std::uint32_t>(st.st_ctim.tv_nsec));
    CHECK(entry.oid.hex() == branched.repo().git_line({"rev-parse", "work:" + entry.path}));
  }
  CHECK(paths == std::vector<std::string>{"a.c", "a/x", "a0"});
}

TEST_CASE("submodules are empty directories", "[attach]") {
  Branched branched;
  branched.repo().write("x", "1");
  branched.repo().write("was/file", "1");
  branched.commit_base();
  const std::string commit = branched.repo().head();
  const std::string add = "git update-index --add --cacheinfo 160000," + commit + ",";
  branched.branch("rm -r was; git rm -q -r --cached was; mkdir sub was; " + add + "sub; " + add +
                  "was; git commit -q -m sub");
  branched.attach();
  CHECK(tree_of(branched.upper()) == Tree{{"sub", "d"}, {"was", "d"}, {"was/file", "w"}});
}

TEST_CASE("core.symlinks=false makes plain files of symlinks", "[attach]") {
  Branched branched;
  branched.repo().write("x", "1");
  branched.commit_base();
  branched.branch("ln -s target link");
  branched.repo().git({"config", "core.symlinks", "false"});
  branched.attach();
  CHECK(tree_of(branched.upper()) == Tree{{"link", "- 644\ntarget"}});
}

TEST_CASE("names that git or the dialect can't have are refused", "[attach]") {
  Branched branched;
  branched.repo().write("x", "1");
  branched.commit_base();
  SECTION("whiteout names in the fuse dialect") {
    branched.branch("echo 1 > .wh.x");
    try {
      branched.attach(UpperDialect::fuse);
      FAIL("attached");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::unsupported);
    }
    CHECK(fs::is_empty(branched.upper()));
  }
  SECTION("they are plain files in a kernel upper") {
    branched.branch("echo 1 > .wh.x");
    branched.attach();
    branched.check_view();
  }
  SECTION("a .git in disguise") {
    branched.branch(
        "b=$(git hash-object -w ../base/x); t=$(printf '100644 blob %s\\tGIT~1\\n' $b | git "
        "mktree);"
        "git reset -q --soft $(git commit-tree -m bad -p HEAD $t)");
    branched.repo().git({"update-ref", "refs/heads/work",
                         branched.repo().git_line({"rev-list", "--grep=bad", "-1", "work"})});
    CHECK_THROWS_AS(branched.attach(), Error);
  }
}
