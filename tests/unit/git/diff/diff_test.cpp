#include "git/diff/diff.h"

#include <filesystem>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"
#include "tree_pairs.h"

namespace fs = std::filesystem;
using wafers::git::Oid;
using wafers::git::Repository;
using wafers::git::Writes;
using wafers::test::counts;
using wafers::test::counts_by_git;
using wafers::test::GitRepo;
using wafers::test::names;
using wafers::test::names_by_git;
using wafers::test::TempDir;

namespace {

std::string lines(int from, int to, const std::string& text = "line ") {
  std::string out;
  for (int i = from; i < to; ++i) out += text + std::to_string(i) + "\n";
  return out;
}

std::string noise(std::size_t size, unsigned seed) {
  std::string out(size, '\0');
  for (char& c : out) {
    seed = seed * 1664525U + 1013904223U;
    c = static_cast<char>(seed >> 24U);
  }
  return out;
}

/// A repository whose HEAD differs from `before` in every way that a file can change.
struct DiffFixture {
  DiffFixture() {
    git.write("edited.c", "int f(void)\n{\n" + lines(0, 30, "\tx = ") + "}\n");
    git.write("deleted", lines(0, 5));
    git.write("no-newline", "a\nb");
    git.write("gets-newline", "a\nb");
    git.write("loses-newline", "a\nb\n");
    git.write("mode", "#!/bin/sh\n");
    git.write("mode-and-text", "#!/bin/sh\n");
    git.write("empty-goes", "");
    git.write("binary", noise(3000, 1));
    git.write("binary-goes", noise(500, 2));
    git.write("binary-small-change", noise(3000, 3));
    git.write("dir/old name", lines(0, 50));
    git.write("dir/sub/moved-edited", lines(100, 150));
    git.write("becomes-link", "text\n");
    git.write("becomes-dir", "text\n");
    git.write("dir-becomes-file/x", "text\n");
    git.write("odd \"name\"\\\n\t\xC3\xBC", "1\n");
    git.write("with blank", "1\n");
    git.write("trailing", "x\n");
    git.write("crlf", "a\r\nb\r\n");
    git.write("same", "same\n");
    git.write("deep/er/and/deeper/still/going/down/a/long/way/to/the/last/file", "1\n");
    git.write("marked.dat", "text\n");
    git.write("docs/forced.txt", "1\n");
    fs::create_symlink("target", git / "link");
    fs::create_symlink("becomes text", git / "link-becomes-text");
    git.write(".gitattributes", "*.dat binary\n");
    const std::string first = git.commit_all();
    git.git({"update-index", "--add", "--cacheinfo", "160000," + first + ",sub"});
    git.git({"commit", "-q", "-m", "sub"});
    before = git.head_tree();

    git.write("edited.c", "int f(void)\n{\n" + lines(0, 9, "\tx = ") + "\ty = 9\n" +
                              lines(10, 28, "\tx = ") + "\treturn;\n}\n");
    fs::remove(git / "deleted");
    git.write("no-newline", "a\nc");
    git.write("gets-newline", "a\nb\n");
    git.write("loses-newline", "a\nb");
    fs::permissions(git / "mode", fs::perms::owner_all);
    fs::permissions(git / "mode-and-text", fs::perms::owner_all);
    git.write("mode-and-text", "#!/bin/bash\n");
    fs::remove(git / "empty-goes");
    git.write("empty-comes-in", "");
    git.write("added", lines(0, 3));
    git.write("binary", noise(2500, 4));
    fs::remove(git / "binary-goes");
    git.write("binary-comes", noise(700, 5));
    std::string changed = noise(3000, 3);
    changed[1500] = '!';
    git.write("binary-small-change", changed);
    fs::rename(git / "dir/old name", git / "dir/new name");
    fs::create_directories(git / "other/sub");
    fs::remove(git / "dir/sub/moved-edited");
    git.write("other/sub/moved-edited", lines(100, 140) + "new end\n");
    fs::remove(git / "becomes-link");
    fs::create_symlink("text", git / "becomes-link");
    fs::remove(git / "becomes-dir");
    git.write("becomes-dir/inside", "other\n");
    fs::remove_all(git / "dir-becomes-file");
    git.write("dir-becomes-file", "now a file\n");
    git.write("odd \"name\"\\\n\t\xC3\xBC", "2\n");
    git.write("with blank", "2\n");
    git.write("trailing", "x \t\ny\n   \n  \ttabbed\n\tz\n\n w\n");
    git.write("crlf", "a\r\nc\r\n");
    git.write("deep/er/and/deeper/still/going/down/a/long/way/to/the/last/file", "2\n");
    git.write("marked.dat", "other text\n");
    git.write("docs/forced.txt", std::string("2\0\n", 3));
    git.write("docs/.gitattributes", "*.txt diff\n");
    fs::remove(git / "link");
    fs::create_symlink("elsewhere", git / "link");
    fs::remove(git / "link-becomes-text");
    git.write("link-becomes-text", "becomes text");
    git.git({"add", "-A"});
    git.git({"update-index", "--add", "--cacheinfo", "160000," + git.head() + ",sub"});
    git.git({"commit", "-q", "-m", "changed"});
    after = git.head_tree();
  }

  TempDir top;
  GitRepo git = GitRepo::init(top / "base");
  std::string before, after;
};

}  // namespace

TEST_CASE_METHOD(DiffFixture, "names and states read as git's", "[diff]") {
  for (const char* renames : {"true", "false", "copies"}) {
    git.git({"config", "diff.renames", renames});
    INFO(renames);
    CHECK(names(git, before, after) == names_by_git(git, before, after));
    CHECK(names(git, after, before) == names_by_git(git, after, before));
    CHECK(names(git, after, after).empty());
  }
}

TEST_CASE_METHOD(DiffFixture, "status.renames is stronger than diff.renames", "[diff]") {
  git.git({"config", "diff.renames", "false"});
  const std::string without = names_by_git(git, before, after);
  git.git({"config", "diff.renames", "true"});
  const std::string with = names_by_git(git, before, after);
  git.git({"config", "status.renames", "false"});
  CHECK(names(git, before, after) == without);
  git.git({"config", "diff.renames", "false"});
  git.git({"config", "status.renames", "true"});
  CHECK(names(git, before, after) == with);
}

TEST_CASE_METHOD(DiffFixture, "changes are counted as git counts them", "[diff]") {
  CHECK(counts(git, before, after) == counts_by_git(git, before, after));
  // Git reads attributes in the worktree.
  git.git({"checkout", "-q", "HEAD^"});
  CHECK(counts(git, after, before) == counts_by_git(git, after, before));
  // `git commit` finds renames in any case.
  const std::string found = counts(git, after, before);
  git.git({"config", "diff.renames", "false"});
  CHECK(counts(git, after, before) == found);
  CHECK(wafers::git::DiffCounts{}.summary().empty());
  CHECK(wafers::git::DiffCounts{1, 0, 0}.summary() ==
        " 1 file changed, 0 insertions(+), 0 deletions(-)");
  CHECK(wafers::git::DiffCounts{2, 1, 0}.summary() == " 2 files changed, 1 insertion(+)");
}

TEST_CASE_METHOD(DiffFixture, "trees in memory are compared like others", "[diff]") {
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_memory);
  const Oid old_tree = *Oid::from_hex(after);
  auto entries = objects->read_tree(old_tree);
  for (auto& entry : entries) {
    if (entry.name == "same") entry.oid = objects->write_blob("new in memory\n");
  }
  const Oid tree = objects->write_tree(entries);
  CHECK(count_diff(repository, *objects, old_tree, tree).summary() ==
        " 1 file changed, 1 insertion(+), 1 deletion(-)");
  CHECK_FALSE(git.try_git({"cat-file", "-e", tree.hex()}).ok());
}
