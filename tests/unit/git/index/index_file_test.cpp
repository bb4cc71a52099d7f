#include "git/index/index_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "git/index/cached_tree.h"
#include "git/index/index_entry.h"
#include "git/index/index_view.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::Error;
using wafers::git::CachedTree;
using wafers::git::FileMode;
using wafers::git::IndexEntry;
using wafers::git::IndexFile;
using wafers::git::Oid;
using wafers::test::GitRepo;
using wafers::test::read_file;
using wafers::test::TempDir;
using wafers::test::write_file;

namespace {

/// As `git ls-files -s -z -v --debug` would tell it: modes, names, stages.
std::string listing(const IndexFile& index) {
  std::string out;
  for (const IndexEntry& entry : index.entries) {
    out += to_octal(entry.mode) + " " + entry.oid.hex() + " " + std::to_string(entry.stage) + "\t" +
           entry.path + '\0';
  }
  return out;
}

/// A repository whose index has everything: long names, odd names, all modes, flags.
GitRepo everything(const fs::path& directory) {
  GitRepo git = GitRepo::init(directory);
  for (int i = 0; i < 70; ++i) git.write("d/" + std::to_string(i) + "/file", std::to_string(i));
  // Directories of 200 bytes, one in the other, until the name's length has no place in 12 bits.
  fs::path deep;
  for (int i = 0; i < 15; ++i) deep /= std::string(200, static_cast<char>('a' + i));
  git.write(deep / "x", "deep");
  git.write(" odd\n\"\xFF", "odd");
  git.write("run", "x");
  fs::permissions(git / "run", fs::perms::owner_all);
  fs::create_symlink("target", git / "link");
  const std::string commit = git.commit_all();
  git.git({"update-index", "--add", "--cacheinfo", "160000," + commit + ",sub"});
  git.git({"update-index", "--assume-unchanged", "run"});
  git.git({"update-index", "--skip-worktree", "d/1/file"});
  git.write("planned", "");
  git.git({"add", "-N", "planned"});
  return git;
}

std::string damaged_at(std::string content, std::size_t at, char value) {
  content.at(at) = value;
  return content;
}

}  // namespace

TEST_CASE("indexes of all versions are read", "[index]") {
  const TempDir top;
  const GitRepo git = everything(top / "base");
  const std::string version = GENERATE(as<std::string>(), "2", "3", "4");
  git.git({"update-index", "--index-version", version});
  const auto index = IndexFile::read(git / ".git/index");
  REQUIRE(index);
  CHECK(listing(*index) == git.git({"ls-files", "-s", "-z"}));
  CHECK(index->find("run")->assume_valid);
  CHECK(index->find("d/1/file")->skip_worktree);
  CHECK(index->find("planned")->intent_to_add);
  CHECK(index->find("run")->mode == FileMode::executable);
  CHECK(index->find("sub")->mode == FileMode::gitlink);
  CHECK(index->find("nothing") == nullptr);
  CHECK_FALSE(index->cached_tree);
  struct stat info {};
  REQUIRE(::stat((git / "run").c_str(), &info) == 0);
  CHECK(index->find("run")->stat.mtime_nanoseconds == info.st_mtim.tv_nsec);
  CHECK(index->find("run")->stat.ino == static_cast<std::uint32_t>(info.st_ino));
  CHECK(index->find("run")->stat.uid == ::getuid());
  CHECK(index->find("run")->stat.gid == info.st_gid);
  CHECK(index->find("run")->stat.size == 1);
}

TEST_CASE("the cached tree is the tree while nothing is staged", "[index]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("a/b", "1");
  git.commit_all();
  CHECK(IndexFile::read(git / ".git/index")->cached_tree->hex() == git.head_tree());
  git.write("a/b", "2");
  git.git({"add", "a/b"});
  CHECK_FALSE(IndexFile::read(git / ".git/index")->cached_tree);
}

TEST_CASE("a damaged cached tree is none", "[index]") {
  const std::string id(Oid::kSize, 'i');
  const std::string nul(1, '\0');
  const std::string good = nul + "2 1\n" + id + "a" + nul + "-1 1\n" + "b" + nul + "1 0\n" + id;
  const auto root = CachedTree::parse(good);
  REQUIRE(root);
  CHECK(root->entry_count == 2);
  REQUIRE(root->find("a") != nullptr);
  CHECK_FALSE(root->find("a")->entry_count);
  REQUIRE(root->find("a")->find("b") != nullptr);
  CHECK(root->find("a")->find("b")->oid == Oid::from_bytes(id));
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(CachedTree::parse(std::string_view(good).substr(0, size)));
  }
  CHECK_FALSE(CachedTree::parse("name" + good));
  CHECK_FALSE(CachedTree::parse(nul + "2x 0\n" + id));
  CHECK_FALSE(CachedTree::parse(nul + " 0\n" + id));
  CHECK_FALSE(CachedTree::parse(nul + "99999999999999999999 0\n" + id));
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += nul + "-1 1\n";
  CHECK_FALSE(CachedTree::parse(deep + nul + "-1 0\n"));
}

TEST_CASE("stages of a conflict are read", "[index]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("f", "1");
  git.commit_all();
  git.git({"checkout", "-q", "-b", "side"});
  git.write("f", "2");
  git.commit_all();
  git.git({"checkout", "-q", "main"});
  git.write("f", "3");
  git.commit_all();
  REQUIRE_FALSE(git.try_git({"merge", "side"}).ok());
  const auto index = IndexFile::read(git / ".git/index");
  CHECK(listing(*index) == git.git({"ls-files", "-s", "-z"}));
  CHECK(index->entries.size() == 3);
  CHECK(index->find("f") == nullptr);
}

TEST_CASE("no index is no index", "[index]") {
  const TempDir top;
  CHECK_FALSE(IndexFile::read(top / "index"));
}

TEST_CASE("what is written git reads", "[index]") {
  const TempDir top;
  const GitRepo git = everything(top / "base");
  const auto index = IndexFile::read(git / ".git/index");
  IndexFile shuffled = *index;
  std::reverse(shuffled.entries.begin(), shuffled.entries.end());
  shuffled.write(top / "copy");
  wafers::test::RunOptions options;
  options.environment = {"GIT_INDEX_FILE=" + (top / "copy").string()};
  CHECK(git.git({"ls-files", "-s", "-z"}, options) == git.git({"ls-files", "-s", "-z"}));
  CHECK(git.git({"ls-files", "-v"}, options) == git.git({"ls-files", "-v"}));
  CHECK(git.git({"ls-files", "--debug"}, options) == git.git({"ls-files", "--debug"}));
  CHECK(git.git({"status", "--porcelain"}, options) == git.git({"status", "--porcelain"}));
  const auto copy = IndexFile::read(top / "copy");
  CHECK(listing(*copy) == listing(*index));
  CHECK(copy->entries.at(5).stat == index->entries.at(5).stat);
  for (const auto& entry : fs::directory_iterator(top.path())) {
    CHECK((entry.path().filename() == "copy" || entry.path().filename() == "base"));
  }
}

TEST_CASE("a directory stands for all that is in it", "[index]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("d/e/1", "1");
  git.write("d/e/2", "2");
  git.write("f", "3");
  git.commit_all();
  IndexFile index;
  index.entries.resize(2);
  index.entries[0].path = "d/";
  index.entries[0].mode = FileMode::tree;
  index.entries[0].oid = Oid::from_hex(git.git_line({"rev-parse", "HEAD:d"})).value();
  index.entries[1] = *IndexFile::read(git / ".git/index")->find("f");
  index.write(top / "sparse");
  CHECK(IndexFile::read(top / "sparse")->has_sparse_dirs);
  CHECK(IndexFile::read(top / "sparse")->entries.at(0).mode == FileMode::tree);
  wafers::test::RunOptions options;
  options.environment = {"GIT_INDEX_FILE=" + (top / "sparse").string()};
  CHECK(git.git({"ls-files", "-s"}, options) == git.git({"ls-files", "-s"}));
  CHECK(git.git({"write-tree"}, options) == git.head_tree() + "\n");
}

TEST_CASE("an index that git did not finish is refused", "[index]") {
  const TempDir top;
  const GitRepo git = everything(top / "base");
  const std::string version = GENERATE(as<std::string>(), "2", "4");
  git.git({"update-index", "--index-version", version});
  const std::string good = read_file(git / ".git/index");
  const fs::path bad = top / "bad";
  const auto refused = [&](const std::string& content) {
    write_file(bad, content);
    try {
      (void)IndexFile::read(bad);
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  CHECK_FALSE(refused(good));
  CHECK(refused(""));
  CHECK(refused("DIRC"));
  CHECK(refused(damaged_at(good, 0, 'X')));
  CHECK(refused(damaged_at(good, 7, 9)));
  CHECK(refused(damaged_at(good, 100, '~')));
  CHECK(refused(damaged_at(good, good.size() - 1, static_cast<char>(good.back() ^ 1))));
  const std::string without_checksum = good.substr(0, good.size() - 20) + std::string(20, '\0');
  CHECK_FALSE(refused(without_checksum));
}

TEST_CASE("no index, however damaged, leads astray", "[index]") {
  const TempDir top;
  const GitRepo git = everything(top / "base");
  const std::string version = GENERATE(as<std::string>(), "2", "4");
  git.git({"update-index", "--index-version", version});
  std::string content = read_file(git / ".git/index");
  const fs::path bad = top / "bad";
  // Every length of the first entries, and every byte near them changed; with no checksum to help.
  unsigned failures = 0;
  bool all_have_paths = true;
  const auto try_it = [&](const std::string& damaged) {
    write_file(bad, damaged);
    try {
      const auto index = IndexFile::read(bad, IndexFile::Checksum::trusted);
      if (index->has_split_index) return;
      for (const IndexEntry& entry : index->entries) {
        all_have_paths = all_have_paths && !entry.path.empty();
      }
    } catch (const Error&) {
      ++failures;
    }
  };
  for (std::size_t size = 0; size < 700; ++size) try_it(content.substr(0, size));
  CHECK(failures == 700);
  for (std::size_t at = 4; at < 700; ++at) {
    for (const char value : {'\0', '\x01', '\x7F', '\xFF'}) try_it(damaged_at(content, at, value));
  }
  for (std::size_t at = content.size() - 120; at < content.size(); ++at) {
    try_it(damaged_at(content, at, '\xFF'));
  }
  CHECK(failures > 700);
  CHECK(all_have_paths);
}

TEST_CASE("an extension that must be understood and is not makes the index unreadable", "[index]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("f", "1");
  git.commit_all();
  const std::string content = read_file(git / ".git/index");
  const std::string body = content.substr(0, content.size() - 20);
  const auto with = [&](const std::string& name) {
    write_file(top / "index", body + name + std::string(4, '\0') + std::string(20, '\0'));
    return IndexFile::read(top / "index");
  };
  CHECK(with("XTRA"));
  CHECK(with("link")->has_split_index);
  CHECK(with("sdir")->has_sparse_dirs);
  CHECK_THROWS_AS(with("xtra"), Error);
}

TEST_CASE("an index that is cut off while it is in use stays as it was", "[index]") {
  const TempDir top;
  const GitRepo git = everything(top / "base");
  const fs::path own = top / "index";
  fs::copy_file(git / ".git/index", own);
  const auto view = wafers::git::IndexView::open(own, wafers::git::IndexChecksum::verified);
  REQUIRE(view);
  const std::size_t count = IndexFile::read(git / ".git/index")->entries.size();
  fs::resize_file(own, 0);
  std::size_t length = 0;
  for (const auto& record : view->entries())
    length += record.path().size() + record.oid().hex().size();
  CHECK(view->entries().size() == count);
  CHECK(length > 40 * count);
}

TEST_CASE("an index that is larger than any is not read", "[index]") {
  const TempDir top;
  write_file(top / "index", "DIRC");
  fs::resize_file(top / "index", std::uintmax_t{1} << 40U);
  CHECK_THROWS_AS(IndexFile::read(top / "index"), Error);
}
