#include "git/diff.h"

#include <filesystem>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::git::DiffFormat;
using wafers::git::DiffOptions;
using wafers::git::ObjectStore;
using wafers::git::Oid;
using wafers::git::Repository;
using wafers::git::Writes;
using wafers::test::GitRepo;
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
struct Fixture {
  Fixture() {
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

  std::string ours(const DiffOptions& options, const std::string& from,
                   const std::string& to) const {
    const Repository repository = Repository::open(git.path());
    const auto objects = repository.objects(Writes::to_memory);
    std::string out;
    (void)write_diff(repository, *objects, Oid::from_hex(from).value(), Oid::from_hex(to).value(),
                     options, [&](std::string_view piece) { out += piece; });
    return out;
  }

  std::string theirs(std::vector<std::string> arguments, const std::string& from,
                     const std::string& to) const {
    arguments.insert(arguments.begin(), "diff");
    arguments.insert(arguments.end(), {from, to});
    return git.git(arguments);
  }

  TempDir top;
  GitRepo git = GitRepo::init(top / "base");
  std::string before, after;
};

/// A patch without the lines of binary data: zlib's output may differ between builds.
std::string without_binary_data(const std::string& patch) {
  std::string out;
  bool in_binary = false;
  for (std::size_t at = 0; at < patch.size();) {
    const std::size_t end = patch.find('\n', at) + 1;
    const std::string line = patch.substr(at, end - at);
    if (line.starts_with("diff --git")) in_binary = false;
    if (!in_binary) out += line;
    if (line == "GIT binary patch\n") in_binary = true;
    at = end;
  }
  return out;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "patches read as git's", "[diff]") {
  CHECK(without_binary_data(ours({}, before, after)) ==
        without_binary_data(theirs({"--binary"}, before, after)));
  // git reads attributes in the worktree.
  git.git({"checkout", "-q", "HEAD^"});
  CHECK(without_binary_data(ours({}, after, before)) ==
        without_binary_data(theirs({"--binary"}, after, before)));
  CHECK(ours({}, after, after).empty());
}

TEST_CASE_METHOD(Fixture, "coloured patches read as git's", "[diff]") {
  DiffOptions options;
  options.colour = true;
  // Binary headers are not coloured by anybody: leave those files out on both sides.
  for (const char* name :
       {"edited.c", "no-newline", "gets-newline", "loses-newline", "mode-and-text", "dir", "other",
        "becomes-link", "with blank", "trailing", "crlf", "link", "sub", "added", "deleted"}) {
    options.paths = {name};
    const std::string expected =
        git.git({"diff", "--binary", "--color=always", before, after, "--", name});
    CHECK(ours(options, before, after) == expected);
  }
}

TEST_CASE_METHOD(Fixture, "patches apply", "[diff]") {
  for (const auto& [from, to] : {std::pair{before, after}, {after, before}}) {
    // Submodule changes can't be applied to an index without their repository at hand.
    git.git({"read-tree", from});
    wafers::test::RunOptions options;
    options.input = ours({}, from, to);
    git.git({"apply", "--cached", "-"}, options);
    CHECK(git.git({"write-tree"}) == to + "\n");
  }
}

TEST_CASE_METHOD(Fixture, "names and states read as git's", "[diff]") {
  DiffOptions options;
  options.format = DiffFormat::name_status;
  CHECK(ours(options, before, after) == theirs({"--name-status"}, before, after));
  CHECK(ours(options, after, before) == theirs({"--name-status"}, after, before));
  options.format = DiffFormat::name_only;
  CHECK(ours(options, before, after) == theirs({"--name-only"}, before, after));
  git.git({"config", "core.quotePath", "false"});
  CHECK(ours(options, before, after) == theirs({"--name-only"}, before, after));
}

TEST_CASE_METHOD(Fixture, "stat reads as git's at every width", "[diff]") {
  DiffOptions options;
  options.format = DiffFormat::stat;
  for (const int width : {10, 30, 40, 60, 80, 132, 300}) {
    options.stat_width = width;
    CHECK(ours(options, before, after) ==
          theirs({"--stat=" + std::to_string(width)}, before, after));
  }
  options.stat_width = 80;
  options.colour = true;
  CHECK(ours(options, before, after) == theirs({"--stat=80", "--color=always"}, before, after));
}

TEST_CASE_METHOD(Fixture, "paths limit a diff as they limit git's", "[diff]") {
  for (const char* path : {"edited.c", "dir", "dir/", "other/sub", "becomes-dir", "nothing", "*"}) {
    DiffOptions options;
    options.format = DiffFormat::name_status;
    options.paths = {path};
    INFO(path);
    CHECK(ours(options, before, after) ==
          git.git({"--literal-pathspecs", "diff", "--name-status", before, after, "--", path}));
  }
}

TEST_CASE_METHOD(Fixture, "renames are found as configured", "[diff]") {
  DiffOptions options;
  options.format = DiffFormat::name_status;
  for (const char* setting : {"false", "true", "copies"}) {
    git.git({"config", "diff.renames", setting});
    CHECK(ours(options, before, after) == theirs({"--name-status"}, before, after));
  }
}

TEST_CASE_METHOD(Fixture, "changes are counted as git counts them", "[diff]") {
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_memory);
  const auto counts = wafers::git::count_diff(repository, *objects, Oid::from_hex(before).value(),
                                              Oid::from_hex(after).value());
  CHECK(counts.summary() + "\n" == theirs({"--shortstat"}, before, after));
  CHECK(wafers::git::DiffCounts{}.summary().empty());
  CHECK(wafers::git::DiffCounts{1, 0, 0}.summary() ==
        " 1 file changed, 0 insertions(+), 0 deletions(-)");
  CHECK(wafers::git::DiffCounts{2, 1, 0}.summary() == " 2 files changed, 1 insertion(+)");
}

TEST_CASE_METHOD(Fixture, "trees in memory are compared like others", "[diff]") {
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_memory);
  auto entries = objects->read_tree(Oid::from_hex(after).value());
  for (auto& entry : entries) {
    if (entry.name == "same") entry.oid = objects->write_blob("new in memory\n");
  }
  const Oid tree = objects->write_tree(entries);
  std::string out;
  const std::size_t files = write_diff(repository, *objects, Oid::from_hex(after).value(), tree, {},
                                       [&](std::string_view piece) { out += piece; });
  CHECK(files == 1);
  CHECK(out.find("-same\n+new in memory\n") != std::string::npos);
  CHECK_FALSE(git.try_git({"cat-file", "-e", tree.hex()}).ok());
}
