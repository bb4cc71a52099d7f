#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "git/diff/diff.h"
#include "git/repository/repository.h"
#include "git/worktree/attributes_files.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/small_stack.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::Error;
using wafers::UniqueFd;
using wafers::git::FileMode;
using wafers::git::Oid;
using wafers::git::Repository;
using wafers::git::TreeChange;
using wafers::git::Writes;
using wafers::test::GitRepo;
using wafers::test::TempDir;
using wafers::test::write_file;

namespace {

Oid oid_of(const GitRepo& git, const std::string& revision) {
  return Oid::from_hex(git.git_line({"rev-parse", revision})).value();
}

std::size_t files_below(const fs::path& directory) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) ++count;
  }
  return count;
}

UniqueFd open_file(const fs::path& path) { return UniqueFd(::open(path.c_str(), O_RDONLY)); }

fs::path loose_path(const GitRepo& git, const Oid& oid) {
  return git / ".git/objects" / oid.hex().substr(0, 2) / oid.hex().substr(2);
}

}  // namespace

TEST_CASE("trees and blobs are read from loose files and packs", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("dir/file", "content");
  git.write("run", "#!/bin/sh\n");
  fs::permissions(git / "run", fs::perms::owner_all);
  fs::create_symlink("dir/file", git / "link");
  git.commit_all();
  if (GENERATE(false, true)) git.git({"gc", "-q"});
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_memory);
  const auto entries = objects->read_tree(oid_of(git, "HEAD^{tree}"));
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].name == "dir");
  CHECK(entries[0].mode == FileMode::tree);
  CHECK(entries[1].name == "link");
  CHECK(entries[1].mode == FileMode::symlink);
  CHECK(entries[2].mode == FileMode::executable);
  CHECK(objects->read_blob(entries[1].oid) == "dir/file");
  CHECK(objects->object_size(entries[2].oid) == 10);
  CHECK_THROWS_AS(objects->read_blob(entries[0].oid), Error);
  CHECK_THROWS_AS(objects->read_tree(entries[1].oid), Error);
  CHECK_THROWS_AS(objects->read_blob(Oid::from_hex(std::string(40, 'a')).value()), Error);
}

TEST_CASE("objects in memory can be read and leave no trace", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const std::size_t before = files_below(git.path());
  const auto objects = Repository::open(git.path()).objects(Writes::to_memory);
  const Oid blob = objects->write_blob("hello\n");
  CHECK(blob.hex() == "ce013625030ba8dba906f756967f9e9ca394464a");
  CHECK(objects->hash_blob("hello\n") == blob);
  const Oid tree = objects->write_tree(
      {{"z", FileMode::regular, blob}, {"a", FileMode::tree, objects->write_tree({})}});
  CHECK(objects->read_blob(blob) == "hello\n");
  CHECK(objects->object_size(blob) == 6);
  REQUIRE(objects->read_tree(tree).size() == 2);
  CHECK(objects->read_tree(tree)[0].name == "a");
  objects->flush();
  CHECK(files_below(git.path()) == before);
}

TEST_CASE("what is written to the database is there after flush", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("known", "known content");
  git.commit_all();
  const std::size_t before = files_below(git / ".git/objects");
  const auto objects = Repository::open(git.path()).objects(Writes::to_database);
  const Oid known = objects->write_blob("known content");
  const Oid blob = objects->write_blob(std::string("with\0zero", 9));
  const Oid same = objects->write_blob(std::string("with\0zero", 9));
  const Oid tree = objects->write_tree({{"f", FileMode::executable, blob},
                                        {"g", FileMode::regular, known},
                                        {"d", FileMode::tree, objects->write_tree({})},
                                        {"d.x", FileMode::regular, blob}});
  CHECK(same == blob);
  CHECK(objects->read_blob(blob).size() == 9);
  objects->flush();
  // Two trees and one blob are new.
  CHECK(files_below(git / ".git/objects") == before + 3);
  CHECK(git.git({"cat-file", "blob", blob.hex()}) == std::string("with\0zero", 9));
  CHECK(git.git({"ls-tree", "--name-only", tree.hex()}) == "d.x\nd\nf\ng\n");
  CHECK(objects->read_tree(tree).size() == 4);
  git.git({"fsck", "--strict"});
  struct stat info {};
  REQUIRE(::stat(loose_path(git, blob).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0444);
}

TEST_CASE("an object that is not flushed is not in the database", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const std::size_t before = files_below(git.path());
  {
    const auto objects = Repository::open(git.path()).objects(Writes::to_database);
    (void)objects->write_blob("lost");
    write_file(top / "big", std::string(3'000'000, 'x'));
    (void)objects->write_blob_from(open_file(top / "big").get(), 3'000'000);
  }
  CHECK(files_below(git.path()) == before);
}

TEST_CASE("an object that git has is not written again, but kept from git gc", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("f", "content");
  git.commit_all();
  const Oid blob = oid_of(git, "HEAD:f");
  const fs::path loose = loose_path(git, blob);
  const auto old = fs::last_write_time(loose) - std::chrono::hours(1000);
  fs::last_write_time(loose, old);
  struct stat before {};
  REQUIRE(::stat(loose.c_str(), &before) == 0);
  SECTION("in memory nothing is touched") {
    const auto objects = Repository::open(git.path()).objects(Writes::to_memory);
    CHECK(objects->write_blob("content") == blob);
    CHECK(fs::last_write_time(loose) == old);
  }
  SECTION("in the database it counts as fresh") {
    const auto objects = Repository::open(git.path()).objects(Writes::to_database);
    CHECK(objects->write_blob("content") == blob);
    objects->flush();
    struct stat after {};
    REQUIRE(::stat(loose.c_str(), &after) == 0);
    CHECK(after.st_ino == before.st_ino);
    CHECK(fs::last_write_time(loose) > old);
  }
}

TEST_CASE("files are stored in pieces", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const std::size_t size = GENERATE(0UL, 1UL, 131072UL, 131073UL, 5'000'000UL);
  std::string content(size, 'a');
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>((i * 7919) >> 5U);
  write_file(top / "file", content);
  const std::string expected = git.git_line({"hash-object", top / "file"});
  const Repository repository = Repository::open(git.path());
  const auto writes = GENERATE(Writes::to_memory, Writes::to_database);
  const auto objects = repository.objects(writes);
  const bool from_memory = GENERATE(true, false);
  const Oid blob = from_memory ? objects->write_blob(content)
                               : objects->write_blob_from(open_file(top / "file").get(), size);
  CHECK(blob.hex() == expected);
  if (writes == Writes::to_database) {
    CHECK(objects->object_size(blob) == size);
    CHECK(objects->read_blob(blob) == content);
  }
  objects->flush();
  CHECK(git.try_git({"cat-file", "-e", expected}).ok() == (writes == Writes::to_database));
  git.git({"fsck"});
  // A file that is not as long as it was is an error, not a wrong blob.
  CHECK_THROWS_AS(objects->write_blob_from(open_file(top / "file").get(), size + 1), Error);
  if (size > 0) {
    CHECK_THROWS_AS(objects->write_blob_from(open_file(top / "file").get(), size - 1), Error);
  }
}

TEST_CASE("more than fits into memory goes out early", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const auto objects = Repository::open(git.path()).objects(Writes::to_database);
  std::vector<Oid> blobs;
  for (int i = 0; i < 40; ++i) {
    blobs.push_back(objects->write_blob(std::string(1'000'000, static_cast<char>('a' + i))));
  }
  CHECK(files_below(git / ".git/objects/pack") == 1);  // in the making
  for (const Oid& blob : blobs) CHECK(objects->object_size(blob) == 1'000'000);
  objects->flush();
  for (const Oid& blob : blobs) CHECK(git.try_git({"cat-file", "-e", blob.hex()}).ok());
  git.git({"fsck"});
}

TEST_CASE("what went into the first pack of an object directory can be read", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const Repository repository = Repository::open(git.path());
  const bool beside = GENERATE(false, true);
  const fs::path directory = beside ? top / "beside" : git / ".git/objects";
  if (beside) fs::create_directory(directory);
  if (!beside) fs::remove(directory / "pack");  // git itself makes it when there is a pack
  const auto objects =
      beside ? repository.objects_beside(directory) : repository.objects(Writes::to_database);
  std::vector<wafers::git::TreeEntry> entries;
  for (int i = 0; i < 200; ++i) {
    const std::string name = std::to_string(i);
    entries.push_back({name, FileMode::regular, objects->write_blob(name)});
  }
  const auto read_before = GENERATE(false, true);
  if (read_before) CHECK(objects->read_blob(entries.back().oid) == "199");
  const Oid tree = objects->write_tree(entries);
  objects->flush();
  CHECK(objects->read_tree(tree).size() == 200);
  CHECK(objects->read_blob(entries.front().oid) == "0");
  CHECK(files_below(directory / "pack") == 2);
}

TEST_CASE("files of a shared repository get its permissions", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const std::string setting = GENERATE(as<std::string>(), "group", "0660", "all", "umask", "0640");
  git.git({"config", "core.sharedRepository", setting});
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_database);
  const Oid ours = objects->write_blob("ours");
  objects->flush();
  wafers::test::RunOptions options;
  options.input = "theirs";
  std::string hex = git.git({"hash-object", "-w", "--stdin"}, options);
  const Oid theirs = Oid::from_hex(hex.substr(0, 40)).value();
  struct stat a {
  }, b{};
  REQUIRE(::stat(loose_path(git, ours).c_str(), &a) == 0);
  REQUIRE(::stat(loose_path(git, theirs).c_str(), &b) == 0);
  CHECK(a.st_mode == b.st_mode);
  REQUIRE(::stat(loose_path(git, ours).parent_path().c_str(), &a) == 0);
  REQUIRE(::stat(loose_path(git, theirs).parent_path().c_str(), &b) == 0);
  CHECK(a.st_mode == b.st_mode);
}

TEST_CASE("trees that git would not take are not written", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const auto objects = Repository::open(git.path()).objects(Writes::to_memory);
  const Oid blob = objects->write_blob("x");
  CHECK_THROWS_AS(objects->write_tree({{"", FileMode::regular, blob}}), Error);
  CHECK_THROWS_AS(objects->write_tree({{"a/b", FileMode::regular, blob}}), Error);
  CHECK_THROWS_AS(objects->write_tree({{"a", FileMode::absent, blob}}), Error);
  CHECK_THROWS_AS(objects->write_tree({{"a", FileMode::regular, Oid{}}}), Error);
  CHECK_THROWS_AS(
      objects->write_tree({{"a", FileMode::regular, blob}, {"a", FileMode::symlink, blob}}), Error);
}

TEST_CASE("commits are byte for byte what git writes", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("f", "1");
  git.commit_all("first");
  Repository repository = Repository::open(git.path());
  Repository::CommitRequest request;
  request.tree = oid_of(git, "HEAD^{tree}");
  request.parents = {oid_of(git, "HEAD")};
  request.author = repository.identity(Repository::Role::author);
  request.committer = repository.identity(Repository::Role::committer);
  request.message = "second\n\nbody without newline at the end";
  SECTION("plain") {
    const Oid ours = repository.write_commit(request);
    wafers::test::RunOptions options;
    options.input = request.message;
    CHECK(git.git({"commit-tree", "HEAD^{tree}", "-p", "HEAD"}, options) == ours.hex() + "\n");
  }
  SECTION("other encoding") {
    request.encoding = "ISO-8859-1";
    request.message = "gr\xFC\xDF\n";
    const Oid ours = repository.write_commit(request);
    wafers::test::RunOptions options;
    options.input = request.message;
    CHECK(git.git(
              {"-c", "i18n.commitEncoding=ISO-8859-1", "commit-tree", "HEAD^{tree}", "-p", "HEAD"},
              options) == ours.hex() + "\n");
  }
  SECTION("a NUL is refused") {
    request.message = std::string("a\0b", 3);
    CHECK_THROWS_AS(repository.write_commit(request), Error);
  }
}

TEST_CASE("changed paths come in index order", "[objects]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("a", "file that becomes a directory");
  git.write("a.c", "1");
  git.write("b/x", "directory that becomes a file");
  git.write("same/deep/x", "1");
  git.write("mode", "1");
  git.write("link", "1");
  git.commit_all();
  const Oid before = oid_of(git, "HEAD^{tree}");
  fs::remove(git / "a");
  git.write("a/x", "1");
  git.write("a.c", "2");
  fs::remove_all(git / "b");
  git.write("b", "1");
  fs::permissions(git / "mode", fs::perms::owner_all);
  fs::remove(git / "link");
  fs::create_symlink("a.c", git / "link");
  git.write("same/deep/y", "1");
  git.commit_all();
  const Oid after = oid_of(git, "HEAD^{tree}");
  const auto objects = Repository::open(git.path()).objects(Writes::to_memory);
  for (const auto& [from, to] : {std::pair{before, after}, {after, before}}) {
    std::string ours;
    for (const TreeChange& change : wafers::git::changed_paths(*objects, from, to)) {
      ours += ":" + to_octal(change.old_mode) + " " + to_octal(change.new_mode) + " " +
              change.old_oid.hex() + " " + change.new_oid.hex() + " " + change.path + "\n";
    }
    std::string theirs =
        git.git({"diff-tree", "-r", "--raw", "--no-renames", "--no-abbrev", from.hex(), to.hex()});
    std::string without_status;
    for (std::size_t at = 0; at < theirs.size();) {
      const std::size_t end = theirs.find('\n', at);
      std::string line = theirs.substr(at, end - at);
      line.erase(line.find('\t') - 2, 2);
      line[line.find('\t')] = ' ';
      without_status += line + "\n";
      at = end + 1;
    }
    CHECK(ours == without_status);
  }
  CHECK(wafers::git::changed_paths(*objects, before, before).empty());
}

TEST_CASE("trees nested more deeply than a stack allows", "[objects]") {
  constexpr int kDepth = 5000;
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_memory);
  const auto nested = [&](const std::string& content) {
    Oid tree = objects->write_tree(
        {{.name = "f", .mode = FileMode::regular, .oid = objects->write_blob(content)},
         {.name = ".gitattributes",
          .mode = FileMode::regular,
          .oid = objects->write_blob("f deep\n")}});
    for (int i = 0; i < kDepth; ++i) {
      tree = objects->write_tree({{.name = "d", .mode = FileMode::tree, .oid = tree}});
    }
    return tree;
  };
  const Oid before = nested("1");
  const Oid after = nested("2");
  std::string path;
  for (int i = 0; i < kDepth; ++i) path += "d/";
  path += "f";
  wafers::test::on_small_stack([&] {
    const auto changes = wafers::git::changed_paths(*objects, before, after);
    REQUIRE(changes.size() == 1);
    CHECK(changes.front().path == path);
    CHECK(wafers::git::changed_paths(*objects, Oid{}, after).size() == 2);
    auto attributes = wafers::git::attributes_in_tree(repository, *objects, after, {path});
    CHECK(attributes.of(path).contains("deep"));
  });
}
