#include "git/objects/pack_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.h"
#include "git/repository/repository.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::git::FileMode;
using wafers::git::Oid;
using wafers::git::Repository;
using wafers::git::TreeEntry;
using wafers::git::Writes;
using wafers::test::GitRepo;
using wafers::test::TempDir;

namespace {

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().extension());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string content_of(int number) {
  std::string text = "blob " + std::to_string(number) + "\n";
  if (number % 10 == 0) text.append(static_cast<std::size_t>(number) * 300, 'x');
  return text;
}

/// Writes so many blobs and a tree of them; returns the tree.
Oid write_all_of(wafers::git::ObjectStore& objects, int count) {
  std::vector<TreeEntry> entries;
  for (int i = 0; i < count; ++i) {
    entries.push_back(
        {"f" + std::to_string(i), FileMode::regular, objects.write_blob(content_of(i))});
  }
  return objects.write_tree(std::move(entries));
}

}  // namespace

TEST_CASE("many objects become one pack, few are loose", "[pack]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("file", "base\n");
  git.commit_all();
  git.git({"config", "core.sharedRepository", "0660"});
  const fs::path packs = git / ".git/objects/pack";
  const Repository repository = Repository::open(git.path());

  const auto few = repository.objects(Writes::to_database);
  write_all_of(*few, 20);
  few->flush();
  CHECK(names_in(packs).empty());

  const auto many = repository.objects(Writes::to_database);
  const Oid tree = write_all_of(*many, 500);
  CHECK(names_in(packs) == std::vector<std::string>{""});  // one without a name yet
  many->flush();
  CHECK(names_in(packs) == std::vector<std::string>{".idx", ".pack"});
  for (const auto& entry : fs::directory_iterator(packs)) {
    struct stat st {};
    REQUIRE(::stat(entry.path().c_str(), &st) == 0);
    CHECK((st.st_mode & 07777U) == 0440);
    if (entry.path().extension() == ".idx") git.git({"verify-pack", entry.path()});
  }
  for (const int i : {0, 19, 20, 490, 499}) {
    CHECK(git.git({"cat-file", "blob", tree.hex() + ":f" + std::to_string(i)}) == content_of(i));
  }
  CHECK(many->read_tree(tree).size() == 500);
  const std::string commit = git.git_line({"commit-tree", "-m", "x", tree.hex()});
  git.git({"update-ref", "refs/heads/packed", commit});
  CHECK(git.git({"fsck", "--strict", "--full"}).find("error") == std::string::npos);
}

TEST_CASE("what is packed already can be read, and isn't packed again", "[pack]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_database);
  const std::string half_mebibyte(512UL * 1024, 'a');
  std::vector<Oid> blobs;
  // Enough to begin a pack, and the same content again later.
  for (int i = 0; i < 80; ++i) {
    blobs.push_back(objects->write_blob(std::to_string(i % 60) + half_mebibyte));
    if (i == 40) CHECK(objects->read_blob(blobs[0]) == "0" + half_mebibyte);  // publishes them
  }
  CHECK(blobs[0] == blobs[60]);
  objects->flush();
  for (const Oid& blob : blobs) CHECK(objects->object_size(blob) > half_mebibyte.size());
  const std::string listed =
      git.git({"cat-file", "--batch-check=%(objectname)", "--batch-all-objects"});
  CHECK(std::count(listed.begin(), listed.end(), '\n') == 60);
  const std::string counts = git.git({"count-objects", "-v"});
  const auto count = [&](const std::string& key) {
    return std::stoi(counts.substr(counts.find(key) + key.size()));
  };
  // "0" to "40", published when one of them was read, and the rest: neither has one twice.
  CHECK(count("in-pack: ") == 41);
  CHECK(count("count: ") == 19);
}

TEST_CASE("a pack that is not finished leaves nothing", "[pack]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const Repository repository = Repository::open(git.path());
  {
    const auto objects = repository.objects(Writes::to_database);
    for (int i = 0; i < 40; ++i) {
      objects->write_blob(std::to_string(i) + std::string(512UL * 1024, 'a'));
    }
    CHECK(names_in(git / ".git/objects/pack").size() == 1);
  }
  CHECK(names_in(git / ".git/objects/pack").empty());
}
