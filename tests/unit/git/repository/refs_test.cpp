#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "git/repository/repository.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::Error;
using wafers::ErrorKind;
using wafers::git::Identity;
using wafers::git::Oid;
using wafers::git::Repository;
using wafers::test::GitRepo;
using wafers::test::TempDir;

namespace {

/// A repository with three commits, c[2] the tip of main.
struct ThreeCommits {
  ThreeCommits() {
    for (std::string& commit : hex) {
      git.write("f", hex[0] + std::to_string(&commit - hex));
      commit = git.commit_all();
    }
  }
  Oid at(int i) const { return Oid::from_hex(hex[i]).value(); }
  Repository open() const { return Repository::open(git.path()); }

  TempDir top;
  GitRepo git = GitRepo::init(top / "base");
  std::string hex[3];
};

ErrorKind kind_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  FAIL("no error");
  throw;
}

std::string reflog(const GitRepo& git, const std::string& branch) {
  return wafers::test::read_file(git / ".git/logs/refs/heads" / branch);
}

}  // namespace

TEST_CASE_METHOD(ThreeCommits, "branches are created, moved and deleted as git does", "[refs]") {
  Repository repository = open();
  CHECK(repository.branch_tip("main") == at(2));
  CHECK_FALSE(repository.branch_tip("wafers/a"));
  repository.create_branch("wafers/a", at(0), "branch: Created from main");
  CHECK(git.git_line({"rev-parse", "refs/heads/wafers/a"}) == hex[0]);
  git.git({"branch", "theirs", hex[0]});
  git.git({"update-ref", "-m", "  commit:\n subject  line ", "refs/heads/theirs", hex[1], hex[0]});

  const Identity who = repository.identity(Repository::Role::committer);
  repository.move_branch("wafers/a", at(0), at(1), who, "  commit:\n subject  line ");
  CHECK(repository.branch_tip("wafers/a") == at(1));
  // The first line differs in what is was created from.
  CHECK(reflog(git, "wafers/a").substr(reflog(git, "wafers/a").find('\n')) ==
        reflog(git, "theirs").substr(reflog(git, "theirs").find('\n')));
  CHECK(git.git_line({"reflog", "-1", "--format=%gn %ge %gs", "wafers/a"}) ==
        "C O Mitter committer@example.com commit: subject line");

  repository.delete_branch("wafers/a", at(1));
  CHECK_FALSE(repository.branch_tip("wafers/a"));
  CHECK_FALSE(fs::exists(git / ".git/refs/heads/wafers"));
  CHECK_FALSE(fs::exists(git / ".git/logs/refs/heads/wafers"));
  CHECK(fs::exists(git / ".git/refs/heads"));
  git.git({"fsck", "--strict"});
}

TEST_CASE_METHOD(ThreeCommits, "a branch that is elsewhere is neither moved nor deleted",
                 "[refs]") {
  Repository repository = open();
  repository.create_branch("b", at(0), "made");
  if (GENERATE(false, true)) git.git({"pack-refs", "--all"});
  const Identity who = repository.identity(Repository::Role::committer);
  const std::string log = reflog(git, "b");
  CHECK(kind_of([&] { repository.move_branch("b", at(1), at(2), who, "m"); }) ==
        ErrorKind::refused);
  CHECK(kind_of([&] { repository.delete_branch("b", at(1)); }) == ErrorKind::refused);
  CHECK(kind_of([&] { repository.move_branch("none", at(1), at(2), who, "m"); }) ==
        ErrorKind::refused);
  CHECK(repository.branch_tip("b") == at(0));
  CHECK(reflog(git, "b") == log);
  CHECK_FALSE(fs::exists(git / ".git/refs/heads/b.lock"));
}

TEST_CASE_METHOD(ThreeCommits, "packed refs are read, moved and deleted", "[refs]") {
  git.git({"branch", "wafers/a", hex[0]});
  git.git({"branch", "wafers/ab", hex[1]});
  git.git({"tag", "-a", "-m", "annotated", "wafers/a", hex[0]});
  git.git({"pack-refs", "--all"});
  Repository repository = open();
  CHECK(repository.branch_tip("wafers/a") == at(0));
  CHECK_FALSE(repository.branch_tip("wafers"));
  repository.move_branch("wafers/a", at(0), at(1), repository.identity(Repository::Role::committer),
                         "m");
  CHECK(git.git_line({"rev-parse", "refs/heads/wafers/a"}) == hex[1]);
  repository.delete_branch("wafers/a", at(1));
  CHECK_FALSE(git.try_git({"rev-parse", "-q", "--verify", "refs/heads/wafers/a"}).ok());
  CHECK(git.git_line({"rev-parse", "refs/heads/wafers/ab"}) == hex[1]);
  CHECK(git.git_line({"rev-parse", "refs/tags/wafers/a^{commit}"}) == hex[0]);
  repository.delete_branch("wafers/ab", at(1));
  CHECK(git.git({"for-each-ref", "--format=%(refname)"}) ==
        "refs/heads/main\nrefs/tags/wafers/a\n");
}

TEST_CASE_METHOD(ThreeCommits, "names that can't exist side by side collide", "[refs]") {
  git.git({"branch", "a/b", hex[0]});
  if (GENERATE(false, true)) git.git({"pack-refs", "--all"});
  Repository repository = open();
  CHECK(kind_of([&] { repository.create_branch("a/b", at(0), "m"); }) == ErrorKind::failed);
  CHECK(kind_of([&] { repository.create_branch("a", at(0), "m"); }) == ErrorKind::failed);
  CHECK(kind_of([&] { repository.create_branch("a/b/c", at(0), "m"); }) == ErrorKind::failed);
  repository.create_branch("a/c", at(0), "m");
  CHECK(git.git_line({"rev-parse", "a/c"}) == hex[0]);
  // Empty directories are no refs.
  fs::create_directories(git / ".git/refs/heads/empty/dirs");
  fs::create_directories(git / ".git/logs/refs/heads/empty/dirs");
  repository.create_branch("empty", at(0), "m");
  CHECK(git.git_line({"rev-parse", "empty"}) == hex[0]);
}

TEST_CASE_METHOD(ThreeCommits, "reflogs are kept as core.logAllRefUpdates says", "[refs]") {
  const std::string setting = GENERATE(as<std::string>(), "unset", "false", "true", "always");
  if (setting != "unset") git.git({"config", "core.logAllRefUpdates", setting});
  Repository repository = open();
  repository.create_branch("ours", at(0), "m");
  git.git({"branch", "theirs", hex[0]});
  CHECK(fs::exists(git / ".git/logs/refs/heads/ours") ==
        fs::exists(git / ".git/logs/refs/heads/theirs"));
}

TEST_CASE_METHOD(ThreeCommits, "a branch that stays where it is gets no entry in its reflog",
                 "[refs]") {
  Repository repository = open();
  for (const char* branch : {"ours", "theirs"}) git.git({"branch", branch, hex[0]});
  repository.move_branch("ours", at(0), at(0), "m");
  git.git({"update-ref", "-m", "m", "refs/heads/theirs", hex[0], hex[0]});
  CHECK(git.git({"reflog", "--format=%gs", "ours"}) ==
        git.git({"reflog", "--format=%gs", "theirs"}));
  repository.move_branch("ours", at(0), at(1), "m");
  CHECK(git.git_line({"reflog", "-1", "--format=%gs", "ours"}) == "m");
}

TEST_CASE_METHOD(ThreeCommits, "a symbolic branch is read, and moves nothing", "[refs]") {
  git.git({"branch", "real", hex[0]});
  git.git({"symbolic-ref", "refs/heads/alias", "refs/heads/real"});
  Repository repository = open();
  CHECK(repository.branch_tip("alias") == at(0));
  CHECK(kind_of([&] {
          repository.move_branch("alias", at(0), at(1),
                                 repository.identity(Repository::Role::committer), "m");
        }) == ErrorKind::refused);
  CHECK(git.git_line({"symbolic-ref", "refs/heads/alias"}) == "refs/heads/real");
  CHECK(git.git_line({"rev-parse", "real"}) == hex[0]);
  git.git({"symbolic-ref", "refs/heads/loop", "refs/heads/loop"});
  CHECK_THROWS_AS(repository.branch_tip("loop"), Error);
}

TEST_CASE_METHOD(ThreeCommits, "a branch that a worktree uses is neither moved nor made",
                 "[refs]") {
  const auto refuses_to_move = [&](const std::string& branch) {
    Repository repository = open();
    const Identity who = repository.identity(Repository::Role::committer);
    return kind_of([&] { repository.move_branch(branch, at(0), at(1), who, "commit: x"); }) ==
           ErrorKind::refused;
  };
  git.git({"branch", "used", hex[0]});
  SECTION("at HEAD") { git.git({"checkout", "-q", "used"}); }
  SECTION("in another worktree") { git.git({"worktree", "add", "-q", top / "linked", "used"}); }
  SECTION("in a worktree that is gone") {
    git.git({"worktree", "add", "-q", top / "linked", "used"});
    fs::remove_all(top / "linked");
  }
  SECTION("by way of a symbolic ref") {
    git.git({"symbolic-ref", "refs/heads/alias", "refs/heads/used"});
    git.git({"worktree", "add", "-q", top / "linked", "alias"});
  }
  const std::string log = reflog(git, "used");
  CHECK(refuses_to_move("used"));
  CHECK_FALSE(git.try_git({"branch", "-f", "used", hex[1]}).ok());  // the twin
  CHECK(git.git_line({"rev-parse", "used"}) == hex[0]);
  CHECK(reflog(git, "used") == log);
  git.git({"worktree", "add", "-q", "--detach", top / "unborn", hex[0]});
  GitRepo(top / "unborn").git({"checkout", "-q", "--orphan", "to-be"});
  CHECK(kind_of([&] { open().create_branch("to-be", at(0), "m"); }) == ErrorKind::refused);
}

TEST_CASE_METHOD(ThreeCommits, "a foreign lock is waited for, then reported", "[refs]") {
  Repository repository = open();
  repository.create_branch("b", at(0), "m");
  const fs::path lock = git / ".git/refs/heads/b.lock";
  wafers::test::write_file(lock, "");
  const Identity who = repository.identity(Repository::Role::committer);
  CHECK(kind_of([&] { repository.move_branch("b", at(0), at(1), who, "m"); }) == ErrorKind::busy);
  CHECK(fs::exists(lock));
  CHECK(repository.branch_tip("b") == at(0));
}

TEST_CASE_METHOD(ThreeCommits, "no ref is deleted while another process packs refs", "[refs]") {
  Repository repository = open();
  repository.create_branch("b", at(0), "m");
  const fs::path lock = git / ".git/packed-refs.lock";
  wafers::test::write_file(lock, "");
  CHECK(kind_of([&] { repository.delete_branch("b", at(0)); }) == ErrorKind::busy);
  CHECK(repository.branch_tip("b") == at(0));
  fs::remove(lock);
  repository.delete_branch("b", at(0));
  CHECK_FALSE(repository.branch_tip("b"));
}

TEST_CASE_METHOD(ThreeCommits, "of two processes that move a branch one wins", "[refs]") {
  Repository repository = open();
  const Identity who = repository.identity(Repository::Role::committer);
  repository.create_branch("b", at(0), "m");
  // Both add 1 to the "counter" of rounds: each round has exactly one winner.
  for (int round = 0; round < 40; ++round) {
    const Oid before = at(round % 2);
    const Oid after = at(1 - round % 2);
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_t children[2];
    for (pid_t& child : children) {
      child = ::fork();
      if (child == 0) {
        ::close(ready[1]);
        char byte = 0;
        (void)!::read(ready[0], &byte, 1);  // until both are there
        int status = 0;
        try {
          repository.move_branch("b", before, after, who, "m");
        } catch (const Error& error) {
          status = error.kind() == ErrorKind::refused ? 1 : 2;
        }
        ::_exit(status);
      }
    }
    ::close(ready[0]);
    ::close(ready[1]);
    int winners = 0;
    int losers = 0;
    for (const pid_t child : children) {
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      winners += status == 0 ? 1 : 0;
      losers += WIFEXITED(status) && WEXITSTATUS(status) == 1 ? 1 : 0;
    }
    REQUIRE(winners == 1);
    REQUIRE(losers == 1);
    REQUIRE(repository.branch_tip("b") == after);
  }
  const std::string log = reflog(git, "b");
  CHECK(std::count(log.begin(), log.end(), '\n') == 41);
}

TEST_CASE_METHOD(ThreeCommits, "refs survive git pack-refs running at the same time", "[refs]") {
  Repository repository = open();
  for (int i = 0; i < 20; ++i) git.git({"branch", "keep" + std::to_string(i), hex[0]});
  const pid_t packer = ::fork();
  if (packer == 0) {
    for (int i = 0; i < 30; ++i) (void)git.try_git({"pack-refs", "--all"});
    ::_exit(0);
  }
  for (int i = 0; i < 200; ++i) {
    const std::string name = "w/" + std::to_string(i);
    repository.create_branch(name, at(0), "m");
    repository.delete_branch(name, at(0));
  }
  int status = 0;
  REQUIRE(::waitpid(packer, &status, 0) == packer);
  const std::string refs = git.git({"for-each-ref", "--format=%(refname)"});
  CHECK(std::count(refs.begin(), refs.end(), '\n') == 21);
}

TEST_CASE_METHOD(ThreeCommits, "a branch in use is found in every worktree", "[refs]") {
  git.git({"worktree", "add", "-q", "-b", "linked", top / "linked", hex[1]});
  git.git({"branch", "free", hex[0]});
  for (const fs::path& from : {git.path(), top / "linked"}) {
    const Repository repository = Repository::open(from);
    CHECK(repository.use_of_branch("main").value().worktree == git.path());
    CHECK(repository.use_of_branch("linked").value().worktree == top / "linked");
    CHECK_FALSE(repository.use_of_branch("free"));
  }
}

TEST_CASE_METHOD(ThreeCommits, "a branch is in use during rebase and bisect", "[refs]") {
  using How = Repository::BranchUse::How;
  How how = How::rebase;
  git.git({"branch", "other", hex[1]});
  git.git({"checkout", "-q", "-b", "side", hex[0]});
  git.write("f", "conflict");
  git.commit_all();
  SECTION("rebase by merging") { (void)git.try_git({"rebase", "main"}); }
  SECTION("rebase by applying") { (void)git.try_git({"rebase", "--apply", "main"}); }
  SECTION("bisect") {
    how = How::bisect;
    git.git({"checkout", "-q", "-B", "side", "main"});
    git.git({"bisect", "start", "HEAD", hex[0]});
  }
  REQUIRE_FALSE(git.try_git({"symbolic-ref", "-q", "HEAD"}).ok());
  CHECK(open().use_of_branch("side").value().worktree == git.path());
  CHECK(open().use_of_branch("side").value().how == how);
  CHECK_FALSE(open().use_of_branch("other"));
}

TEST_CASE_METHOD(ThreeCommits, "a branch's new name is found", "[refs]") {
  git.git({"branch", "a", hex[0]});
  CHECK_FALSE(open().renamed_branch("a"));
  git.git({"branch", "-m", "a", "x/b"});
  CHECK(open().renamed_branch("a") == "x/b");
  git.git({"branch", "-m", "x/b", "c"});
  CHECK(open().renamed_branch("a") == "c");
  git.git({"branch", "-q", "-D", "c"});
  CHECK_FALSE(open().renamed_branch("a"));
}

TEST_CASE_METHOD(ThreeCommits, "git packs refs after a removal that was killed", "[refs]") {
  Repository repository = open();
  repository.create_branch("b", at(0), "m");
  git.git({"pack-refs", "--all"});
  const fs::path packed = git / ".git/packed-refs";
  fs::copy_file(packed, packed.native() + ".wafers");  // what is left then
  git.git({"branch", "c", hex[1]});
  git.git({"pack-refs", "--all"});
  repository.delete_branch("b", at(0));
  CHECK_FALSE(fs::exists(packed.native() + ".wafers"));
  CHECK(git.git({"for-each-ref", "--format=%(refname)"}) == "refs/heads/c\nrefs/heads/main\n");
}

TEST_CASE_METHOD(ThreeCommits, "branch names are valid where git says so", "[refs]") {
  for (const char* name :
       {"a",     "wafers/a1", "a.b",  "a..b", ".a",     "a/.b", "a.",  "a.lock",   "a.lock/b",
        "a b",   "a~",        "a^",   "a:",   "a?",     "a*",   "a[",  "a\\b",     "a\x7f",
        "a\x01", "/a",        "a/",   "a//b", "a@{b",   "@",    "a@b", "\xC3\xA4", "",
        "a\nb",  "-a",        "HEAD", "a/-b", "x/HEAD", "a/b."}) {
    INFO("name '" << name << "'");
    CHECK(Repository::is_valid_branch_name(name) ==
          git.try_git({"check-ref-format", "--branch", name}).ok());
  }
}
