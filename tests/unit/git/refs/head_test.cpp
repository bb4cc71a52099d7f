#include "git/refs/head.h"

#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace wafers {
namespace {

using test::GitRepo;
using test::TempDir;

TEST_CASE("HEAD is read as git reads it") {
  const TempDir temp;
  const GitRepo repo = GitRepo::init(temp / "base");
  CHECK_FALSE(git::read_base_files(repo.path()).head);
  repo.write("file", "1");
  const std::string first = repo.commit_all();

  SECTION("a loose ref") { CHECK(git::read_base_files(repo.path()).head == first); }
  SECTION("a packed ref") {
    repo.git({"branch", "mainly"});
    repo.git({"pack-refs", "--all"});
    CHECK(git::read_base_files(repo.path()).head == first);
  }
  SECTION("a loose ref hides a packed one") {
    repo.git({"pack-refs", "--all"});
    repo.write("file", "2");
    const std::string second = repo.commit_all();
    CHECK(git::read_base_files(repo.path()).head == second);
  }
  SECTION("a detached HEAD") {
    repo.git({"checkout", "-q", "--detach"});
    CHECK(git::read_base_files(repo.path()).head == first);
  }
  SECTION("a linked worktree") {
    repo.git({"worktree", "add", "-q", "-b", "side", (temp / "side").native()});
    const GitRepo side(temp / "side");
    side.write("file", "2");
    const std::string second = side.commit_all();
    CHECK(git::read_base_files(side.path()).head == second);
    CHECK(git::read_base_files(repo.path()).head == first);
    CHECK(git::read_base_files(side.path()).common_dir ==
          git::read_base_files(repo.path()).common_dir);
  }
}

TEST_CASE("what is no repository, or damaged, has no HEAD") {
  const TempDir temp;
  CHECK_FALSE(git::read_base_files(temp / "nothing").exists);
  const git::BaseFiles plain = git::read_base_files(temp.path());
  CHECK(plain.exists);
  CHECK_FALSE(plain.common_dir);
  CHECK_FALSE(plain.head);

  const GitRepo repo = GitRepo::init(temp / "base");
  repo.commit_all();
  for (const char* const head : {"", "ref: refs/heads/none\n", "ref: ../../outside\n",
                                 "ref: refs/../../../etc/passwd\n", "0123\n"}) {
    test::write_file(repo / ".git/HEAD", head);
    CHECK_FALSE(git::read_base_files(repo.path()).head);
  }
  test::write_file(repo / ".git/HEAD", "ref: refs/heads/loop\n");
  test::write_file(repo / ".git/refs/heads/loop", "ref: refs/heads/loop\n");
  CHECK_FALSE(git::read_base_files(repo.path()).head);
}

}  // namespace
}  // namespace wafers
