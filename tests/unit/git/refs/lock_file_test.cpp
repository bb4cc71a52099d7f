#include "git/refs/lock_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>

#include "base/error.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::Error;
using wafers::ErrorKind;
using wafers::git::LockFile;
using wafers::git::SharedMode;
using wafers::git::take_away_dead_lock;
using wafers::test::TempDir;

namespace {

/// Another process that has the lock, until it is killed.
class Holder {
 public:
  explicit Holder(const fs::path& file) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const LockFile lock(file, SharedMode(), "theirs");
      (void)!::write(ready[1], "r", 1);
      while (true) ::pause();
    }
    ::close(ready[1]);
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
  }
  ~Holder() { kill(); }

  void kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

struct LockFixture {
  TempDir top;
  fs::path file = top / "refs/heads/b";
  fs::path lock = file.native() + ".lock";
};

ErrorKind kind_of_taking(const fs::path& file) {
  try {
    LockFile(file, SharedMode(), "ours").commit();
  } catch (const Error& error) {
    return error.kind();
  }
  FAIL("the lock was taken");
  throw;
}

}  // namespace

TEST_CASE_METHOD(LockFixture, "a lock is there with all its content, and becomes the file",
                 "[lock]") {
  {
    LockFile taken(file, SharedMode(), "content");
    CHECK(wafers::test::read_file(lock) == "content");
    CHECK_FALSE(fs::exists(file));
    taken.commit();
  }
  CHECK_FALSE(fs::exists(lock));
  CHECK(wafers::test::read_file(file) == "content");
  { const LockFile dropped(file, SharedMode(), "dropped"); }
  CHECK_FALSE(fs::exists(lock));
  CHECK(wafers::test::read_file(file) == "content");
}

TEST_CASE_METHOD(LockFixture, "a lock has the modes that git gives the file", "[lock]") {
  const mode_t before = ::umask(0027);
  LockFile(file, SharedMode(), "x").commit();
  CHECK(fs::status(file).permissions() == fs::perms(0640));
  LockFile(file, SharedMode::parse("0660"), "x").commit();
  CHECK(fs::status(file).permissions() == fs::perms(0660));
  ::umask(before);
}

TEST_CASE_METHOD(LockFixture, "the lock of a process that was killed is taken away", "[lock]") {
  Holder holder(file);
  holder.kill();
  REQUIRE(fs::exists(lock));
  SECTION("by who needs it") {
    LockFile(file, SharedMode(), "ours").commit();
    CHECK(wafers::test::read_file(file) == "ours");
  }
  SECTION("by who tidies up") { take_away_dead_lock(file); }
  CHECK_FALSE(fs::exists(lock));
}

TEST_CASE_METHOD(LockFixture, "the lock of a process that is at work stays", "[lock]") {
  const Holder holder(file);
  take_away_dead_lock(file);
  CHECK(fs::exists(lock));
  CHECK(kind_of_taking(file) == ErrorKind::busy);
  CHECK(wafers::test::read_file(lock) == "theirs");
}

TEST_CASE_METHOD(LockFixture, "somebody else's lock stays, whoever is dead", "[lock]") {
  fs::create_directories(file.parent_path());
  SECTION("with our content") { wafers::test::write_file(lock, "ours"); }
  SECTION("empty") { wafers::test::write_file(lock, ""); }
  SECTION("a directory") { fs::create_directory(lock); }
  SECTION("a symlink to a dead one") {
    Holder(top / "dead").kill();
    fs::create_symlink(top / "dead.lock", lock);
  }
  SECTION("a fifo") { REQUIRE(::mkfifo(lock.c_str(), 0600) == 0); }
  take_away_dead_lock(file);
  CHECK(fs::exists(fs::symlink_status(lock)));
  CHECK(kind_of_taking(file) == ErrorKind::busy);
  CHECK(fs::exists(fs::symlink_status(lock)));
}

TEST_CASE_METHOD(LockFixture, "what was a lock isn't taken for a dead one", "[lock]") {
  LockFile(file, SharedMode(), "x").commit();
  fs::rename(file, lock);  // as if somebody made his lock of it
  take_away_dead_lock(file);
  CHECK(fs::exists(lock));
}
