#include "core/state/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <tuple>

#include "base/error.h"
#include "example_wafer.h"
#include "support/call_hook.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using test::example_wafer;
using test::TempDir;

/// Sets an environment variable (or unsets it) for the scope.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* const old = std::getenv(name)) old_ = old;
    if (value != nullptr) {
      ::setenv(name, value, 1);
    } else {
      ::unsetenv(name);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() {
    if (old_) {
      ::setenv(name_, old_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

std::string failure_of(const std::function<void()>& action) {
  try {
    action();
    return {};
  } catch (const Error& error) {
    return error.message();
  }
}

mode_t mode_of(const fs::path& path) {
  struct stat stat {};
  REQUIRE(::lstat(path.c_str(), &stat) == 0);
  return stat.st_mode & 07777U;
}

TEST_CASE("the state directory is the first of three that the environment names") {
  const TempDir temp;
  const fs::path own = temp / "own";
  const fs::path xdg = temp / "xdg";
  const fs::path home = temp / "home";
  const Variable set_home("HOME", home.c_str());
  {
    const Variable set_own("WAFERS_STATE_DIR", own.c_str());
    const Variable set_xdg("XDG_STATE_HOME", xdg.c_str());
    CHECK(state_directory() == own);
  }
  {
    const Variable set_own("WAFERS_STATE_DIR", "");
    const Variable set_xdg("XDG_STATE_HOME", xdg.c_str());
    CHECK(state_directory() == xdg / "wafers");
  }
  const Variable set_own("WAFERS_STATE_DIR", nullptr);
  const Variable set_xdg("XDG_STATE_HOME", "relative/is/ignored");
  CHECK(state_directory() == home / ".local/state/wafers");
  const Variable no_home("HOME", nullptr);
  CHECK_THAT(failure_of([] { state_directory(); }), Contains("$HOME is not set"));
}

TEST_CASE("the state directory is absolute and has no symlinks in it") {
  const TempDir temp;
  fs::create_directory(temp / "real");
  fs::create_directory_symlink("real", temp / "link");
  const Variable set_own("WAFERS_STATE_DIR", (temp / "link/not/yet").c_str());
  CHECK(state_directory() == temp / "real/not/yet");
}

TEST_CASE("names of wafers") {
  for (const char* const name : {"a", "A1", "0", "a.b_c-d", "a..b", "x-"}) {
    CHECK(is_valid_wafer_name(name));
  }
  CHECK(is_valid_wafer_name(std::string(64, 'x')));
  CHECK_FALSE(is_valid_wafer_name(std::string(65, 'x')));
  for (const char* const name :
       {"", ".", "..", ".a", "-a", "_a", "a b", "a/b", "\xC3\xA9", "a\n"}) {
    CHECK_FALSE(is_valid_wafer_name(name));
  }
}

TEST_CASE("a new state directory is private, whatever the umask") {
  const TempDir temp;
  const mode_t old = ::umask(0);
  const Store store(temp / "a/b");
  const auto made = store.create();
  ::umask(old);
  CHECK(made == std::vector<fs::path>{temp / "a", temp / "a/b"});
  CHECK(mode_of(temp / "a/b") == 0700);
  CHECK(store.create().empty());
}

TEST_CASE("a wafer is made whole, found, changed and listed") {
  const TempDir temp;
  const Store store(temp / "state");
  const Lock all = store.lock_all();
  const auto lock = store.create_wafer(example_wafer("b"));
  const auto other = store.create_wafer(example_wafer("a"));
  CHECK(fs::is_directory(temp / "state/b/upper"));
  CHECK(fs::is_directory(temp / "state/b/work"));
  CHECK(mode_of(temp / "state/b") == 0700);

  Wafer wafer = store.load("b");
  CHECK(wafer.branch == "wafers/b");
  CHECK(wafer.upper() == temp / "state/b/upper");
  wafer.last_commit = std::string(40, 'c');
  store.save(wafer);
  CHECK(store.load("b").last_commit == wafer.last_commit);

  const auto listing = store.list();
  REQUIRE(listing.wafers.size() == 2);
  CHECK(listing.wafers.front().name == "a");
  CHECK(listing.invalid.empty());
}

TEST_CASE("a name is given away once") {
  const TempDir temp;
  const Store store(temp / "state");
  const Lock all = store.lock_all();
  { const auto lock = store.create_wafer(example_wafer("a")); }
  Wafer second = example_wafer("a");
  second.branch = "another";
  CHECK_THAT(failure_of([&] { store.create_wafer(second); }), Contains("'a' exists already"));
  CHECK(store.load("a").branch == "wafers/a");
  CHECK_FALSE(fs::exists(temp / "state/.adding-a"));
}

TEST_CASE("what a killed add left is swept away by the next") {
  const TempDir temp;
  const Store store(temp / "state");
  const Lock all = store.lock_all();
  fs::create_directories(temp / "state/.adding-a/upper/deep");
  const auto lock = store.create_wafer(example_wafer("a"));
  CHECK(fs::is_empty(temp / "state/a/upper"));
}

TEST_CASE("what is absent is an error that says so") {
  const TempDir temp;
  const Store store(temp / "state");
  CHECK(store.list().wafers.empty());
  CHECK_THAT(failure_of([&] { store.load("a"); }), Contains("there is no wafer 'a'"));
  CHECK_THAT(failure_of([&] { store.lock("a"); }), Contains("there is no wafer 'a'"));
  CHECK_THAT(failure_of([&] { store.lock("../a"); }), Contains("there is no wafer"));
  CHECK_FALSE(fs::exists(temp / "state"));
}

TEST_CASE("entries that can't be read are listed with their reason") {
  const TempDir temp;
  const Store store(temp / "state");
  const Lock all = store.lock_all();
  { const auto good = store.create_wafer(example_wafer("good")); }
  fs::create_directory(temp / "state/empty");
  test::write_file(temp / "state/file", "x");
  test::write_file(temp / "state/torn/metadata", "{\"version\": 1, \"na");
  fs::create_directory(temp / "state/odd name");
  fs::create_directory(temp / "state/other");
  fs::copy_file(temp / "state/good/metadata", temp / "state/other/metadata");
  fs::create_directory(temp / "state/.hidden");

  const auto listing = store.list();
  REQUIRE(listing.wafers.size() == 1);
  std::vector<std::string> names;
  for (const auto& entry : listing.invalid) names.push_back(entry.name);
  CHECK(names == std::vector<std::string>{"empty", "file", "odd name", "other", "torn"});
  CHECK_THAT(failure_of([&] { store.load("torn"); }), Contains("no JSON"));
  CHECK_THAT(failure_of([&] { store.load("empty"); }), Contains("no metadata file"));
  CHECK_THAT(failure_of([&] { store.load("other"); }), Contains("'good'"));
}

TEST_CASE("a metadata file that is a fifo or a symlink neither hangs nor leads away") {
  const TempDir temp;
  const Store store(temp / "state");
  const Lock all = store.lock_all();
  fs::create_directories(temp / "state/fifo");
  REQUIRE(::mkfifo((temp / "state/fifo/metadata").c_str(), 0600) == 0);
  fs::create_directories(temp / "state/link");
  fs::create_symlink("/etc/passwd", temp / "state/link/metadata");
  CHECK(store.list().invalid.size() == 2);
}

TEST_CASE("a record is replaced through a new file, whatever has its name already") {
  const TempDir temp;
  const Store store(temp / "state");
  const Lock all = store.lock_all();
  Wafer wafer = example_wafer("a");
  const auto lock = store.create_wafer(wafer);
  const fs::path in_the_way = temp / "state/a/metadata.new";
  test::write_file(temp / "precious", "precious");
  SECTION("what a killed process left") { test::write_file(in_the_way, "half"); }
  SECTION("a fifo") { REQUIRE(::mkfifo(in_the_way.c_str(), 0600) == 0); }
  SECTION("a hard link") { fs::create_hard_link(temp / "precious", in_the_way); }
  SECTION("a symlink") { fs::create_symlink(temp / "precious", in_the_way); }
  SECTION("a directory") { test::write_file(in_the_way / "deep/file", "x"); }
  wafer.branch = "changed";
  store.save(wafer);
  CHECK(store.load("a").branch == "changed");
  CHECK_FALSE(fs::exists(fs::symlink_status(in_the_way)));
  CHECK(test::read_file(temp / "precious") == "precious");
}

TEST_CASE("a record that is too large is not read") {
  const TempDir temp;
  const Store store(temp / "state");
  const Lock all = store.lock_all();
  const auto lock = store.create_wafer(example_wafer("a"));
  fs::resize_file(temp / "state/a/metadata", std::uintmax_t{60} << 30U);
  const auto listing = store.list();
  REQUIRE(listing.invalid.size() == 1);
  CHECK(listing.invalid.front().reason == "it is larger than 1 MiB");
}

TEST_CASE("something else in the place of a lock is nobody's lock") {
  const TempDir temp;
  const Store store(temp / "state");
  const Lock all = store.lock_all();
  { const auto lock = store.create_wafer(example_wafer("a")); }
  const fs::path place = temp / "state/a/lock";
  fs::remove(place);
  test::write_file(temp / "precious", "precious");
  SECTION("a directory") { test::write_file(place / "file", "x"); }
  SECTION("a symlink") { fs::create_symlink(temp / "precious", place); }
  const Lock lock = store.lock("a");
  CHECK(fs::is_regular_file(fs::symlink_status(place)));
  CHECK(test::read_file(temp / "precious") == "precious");
}

TEST_CASE("a state directory that others can write is made private where it is plainly ours") {
  const TempDir temp;
  const fs::path root = temp / "state";
  fs::create_directory(root);
  const auto refusal_at = [&](mode_t mode) {
    REQUIRE(::chmod(root.c_str(), mode) == 0);
    return failure_of([&] { require_own_state(root); });
  };
  SECTION("empty") {
    CHECK(refusal_at(0777).empty());
    CHECK(mode_of(root) == 0700);
  }
  SECTION("used") {
    { const Lock all = Store(root).lock_all(); }
    for (const mode_t mode : {0775U, 0757U, 0755U, 0750U}) {
      CHECK(refusal_at(mode).empty());
      CHECK(mode_of(root) == 0700);
    }
  }
  SECTION("shared on purpose") {
    CHECK_THAT(refusal_at(01777), Contains("can be written by others"));
    CHECK(mode_of(root) == 01777);
  }
  SECTION("of other use") {
    test::write_file(root / "something", "x");
    CHECK_THAT(refusal_at(0775), Contains("can be written by others"));
    CHECK(refusal_at(0755).empty());
    CHECK(mode_of(root) == 0755);
  }
  SECTION("what is in it as well") {
    const Store store(root);
    const Lock all = store.lock_all();
    const auto lock = store.create_wafer(example_wafer("a"));
    REQUIRE(::chmod((root / "a").c_str(), 0777) == 0);
    REQUIRE(::chmod((root / "a/metadata").c_str(), 0666) == 0);
    CHECK(store.load("a").name == "a");
    CHECK(mode_of(root / "a") == 0700);
    CHECK(mode_of(root / "a/metadata") == 0600);
  }
}

TEST_CASE("a state directory of somebody else is refused") {
  const bool root = ::geteuid() == 0;
  const TempDir temp;
  if (root) REQUIRE(::chown(temp.path().c_str(), 59998, 59998) == 0);
  const fs::path other = root ? temp.path() : fs::path("/usr");
  CHECK_THAT(failure_of([&] { require_own_state(other); }), Contains("belongs to another user"));
  CHECK_THAT(failure_of([&] { Store(other).create(); }), Contains("belongs to another user"));
  CHECK(failure_of([&] { require_own_state(temp / "missing"); }).empty());
}

TEST_CASE("what somebody else left in the state is not obeyed") {
  if (::geteuid() != 0) return;  // only root can make it
  const TempDir temp;
  const Store store(temp / "state");
  const Lock all = store.lock_all();
  { const auto lock = store.create_wafer(example_wafer("a")); }
  const auto give_away = [&](const char* what) {
    REQUIRE(::chown((temp / "state" / what).c_str(), 59998, 59998) == 0);
  };
  SECTION("a wafer") {
    give_away("a");
    CHECK_THAT(failure_of([&] { store.lock("a"); }), Contains("belongs to another user"));
  }
  SECTION("a record") { give_away("a/metadata"); }
  CHECK_THAT(failure_of([&] { store.load("a"); }), Contains("belongs to another user (uid 59998)"));
  REQUIRE(store.list().invalid.size() == 1);
  CHECK(store.list().invalid.front().foreign);
}

TEST_CASE("a lock file of somebody else is nobody's lock") {
  if (::geteuid() != 0) return;  // only root can make it
  const TempDir temp;
  const Store store(temp.path());
  test::write_file(temp / ".lock", "");
  const int held = ::open((temp / ".lock").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::flock(held, LOCK_EX) == 0);
  REQUIRE(::chown((temp / ".lock").c_str(), 59998, 59998) == 0);
  const Lock all = store.lock_all();
  ::close(held);
}

TEST_CASE("a wafer that is half made or half removed is no use") {
  const TempDir temp;
  const Store store(temp / "state");
  const Lock all = store.lock_all();
  Wafer wafer = example_wafer("a");
  wafer.stage = WaferStage::adding;
  const auto lock = store.create_wafer(wafer);
  CHECK_THAT(failure_of([&] { store.load("a"); }), Contains("only half made"));
  wafer.stage = WaferStage::removing;
  store.save(wafer);
  CHECK_THAT(failure_of([&] { store.load("a"); }), Contains("only half removed"));
  CHECK(store.lookup("a").wafer);
  CHECK(store.list().wafers.size() == 1);
}

/// A pipe of single letters between two processes.
class Letters {
 public:
  Letters() { REQUIRE(::pipe(ends_.data()) == 0); }
  Letters(const Letters&) = delete;
  Letters& operator=(const Letters&) = delete;
  ~Letters() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void send(char letter) const { std::ignore = ::write(ends_[1], &letter, 1); }
  char receive() const {
    char letter = 0;
    return ::read(ends_[0], &letter, 1) == 1 ? letter : '\0';
  }

 private:
  std::array<int, 2> ends_{};
};

/// A process that asks for the lock of wafer "a" when it is told to, and reports 'w' when it has to
/// wait, then 'l' when it has the lock or 'g' when the wafer is gone. It is forked before the
/// parent takes the lock: a child would inherit its own copy of it.
class Waiter {
 public:
  explicit Waiter(const fs::path& root) : pid_(::fork()) {
    REQUIRE(pid_ >= 0);
    if (pid_ > 0) return;
    const Store store(root, [this](std::string_view) { reports_.send('w'); });
    go_.receive();
    try {
      const Lock lock = store.lock("a");
      reports_.send('l');
    } catch (const Error& error) {
      reports_.send(error.message().starts_with("there is no wafer") ? 'g' : '?');
    }
    ::_exit(0);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    ask();  // in a test that failed before it did
    ::waitpid(pid_, nullptr, 0);
  }

  void ask() const { go_.send('g'); }
  char report() const { return reports_.receive(); }

 private:
  Letters go_;
  Letters reports_;
  pid_t pid_;
};

TEST_CASE("a lock keeps another process waiting, which is told so") {
  const TempDir temp;
  const Waiter waiter(temp / "state");
  const Store store(temp / "state");
  {
    const Lock all = store.lock_all();
    const auto lock = store.create_wafer(example_wafer("a"));
    waiter.ask();
    CHECK(waiter.report() == 'w');
  }
  CHECK(waiter.report() == 'l');
}

TEST_CASE("wafers that are made together share a lock, and have one each from then on") {
  const TempDir temp;
  const Waiter waiter(temp / "state");
  const Store store(temp / "state");
  {
    const Lock all = store.lock_all();
    const auto lock = store.create_wafer(example_wafer("b"));
    const Wafer held = store.load("b");
    CHECK_FALSE(store.create_wafer(example_wafer("a"), &held));
    CHECK_FALSE(store.create_wafer(example_wafer("c"), &held));
    waiter.ask();
    CHECK(waiter.report() == 'w');
  }
  CHECK(waiter.report() == 'l');
  const Lock lock_of_a = store.lock("a");
  const Lock lock_of_b = store.lock("b");
  const Lock lock_of_c = store.lock("c");
}

TEST_CASE("who waited for a wafer that was removed meanwhile learns that it is gone") {
  const TempDir temp;
  const Waiter waiter(temp / "state");
  const Store store(temp / "state");
  {
    const Lock all = store.lock_all();
    const auto lock = store.create_wafer(example_wafer("a"));
    waiter.ask();
    CHECK(waiter.report() == 'w');
    fs::remove_all(temp / "state/a");
  }
  CHECK(waiter.report() == 'g');
}

TEST_CASE("of many records none takes its place before all are on the disk") {
  const TempDir temp;
  const Store store(temp.path());
  std::vector<Wafer> wafers;
  for (int i = 0; i < 40; ++i) wafers.push_back(example_wafer("w" + std::to_string(i)));
  std::vector<const Wafer*> records;
  for (Wafer& wafer : wafers) {
    std::ignore = store.create_wafer(wafer);
    wafer.branch = "changed/" + wafer.name;
    records.push_back(&wafer);
  }
  std::vector<int> replaced;  // of the records, as each syncfs(2) begins
  const test::CallHook hook(test::CallHook::Before::each_syncfs, [&] {
    const auto all = store.list().wafers;
    replaced.push_back(static_cast<int>(std::ranges::count_if(
        all, [](const Wafer& wafer) { return wafer.branch.starts_with("changed/"); })));
    for (const Wafer& wafer : wafers) {
      const bool written = fs::exists(temp.path() / wafer.name / "metadata.new");
      CHECK(written == (replaced.size() == 1));
    }
  });
  store.save_all(records);
  CHECK(replaced == std::vector<int>{0, 40});
}

TEST_CASE("many records are replaced at once") {
  const std::size_t count = GENERATE(as<std::size_t>{}, 0, 3, 40);
  const TempDir temp;
  const Store store(temp.path());
  std::vector<Wafer> wafers;
  for (std::size_t i = 0; i < count; ++i) wafers.push_back(example_wafer("w" + std::to_string(i)));
  for (Wafer& wafer : wafers) {
    std::ignore = store.create_wafer(wafer);
    wafer.branch = "changed/" + wafer.name;
  }
  std::vector<const Wafer*> records;
  for (const Wafer& wafer : wafers) records.push_back(&wafer);
  SECTION("all of them") {
    store.save_all(records);
    CHECK(store.list().wafers.size() == count);
    for (const Wafer& wafer : store.list().wafers) CHECK(wafer.branch == "changed/" + wafer.name);
  }
  SECTION("none where one can't be written") {
    if (count == 40) {
      fs::rename(temp.path() / "w20", temp.path() / "aside");
      CHECK_THROWS_AS(store.save_all(records), Error);
      CHECK(store.lookup("w0").wafer.value().branch == "wafers/w0");
      CHECK_FALSE(fs::exists(temp.path() / "w0/metadata.new"));
    }
  }
}

}  // namespace
}  // namespace wafers
