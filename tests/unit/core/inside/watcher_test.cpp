#include "core/inside/watcher.h"

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/inside/watcher_answer.h"
#include "example_wafer.h"
#include "linux/upper.h"
#include "os/files.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;
using test::GitRepo;

/// A wafer with git inside over a snapshot of a base with the files kept, changed and dir/file. The
/// upper is a directory in which marks are made by hand.
class Watched {
 public:
  Watched() {
    test::run_ok({"sh", "-euc", "echo 1 > kept; echo 1 > changed; mkdir dir; echo 1 > dir/file"},
                 {.cwd = base_.path(), .environment = {}, .input = {}});
    base_.commit_all();
    wafer_.base_kind = BaseKind::frozen;
    wafer_.layers = {scratch_.path() / "frozen/tree"};
    wafer_.dialect = UpperDialect::fuse;
    wafer_.directory = scratch_.path() / "state";
    wafer_.git_dir = base_.path() / ".git";  // whose index is the one of git inside
    fs::create_directories(wafer_.layers.back());
    fs::create_directories(wafer_.upper());
    fs::copy_file(base_.path() / ".git/index", index_of_snapshot(wafer_.layers.back()));
  }

  /// Runs in the upper.
  void in_upper(const std::string& script) const {
    test::run_ok({"sh", "-euc", script}, {.cwd = wafer_.upper(), .environment = {}, .input = {}});
  }

  /// The paths alone.
  std::vector<std::string> answer(const std::string& token = "other") const {
    std::vector<std::string> words = split(watcher_answer(wafer_, token), '\0');
    CHECK(words.back().empty());
    words.pop_back();
    last_token = words.front();
    words.erase(words.begin());
    std::ranges::sort(words);
    return words;
  }

  mutable std::string last_token;

  const GitRepo& base() const { return base_; }
  Wafer& wafer() { return wafer_; }

 private:
  test::TempDir scratch_;
  GitRepo base_ = GitRepo::init(scratch_.path() / "base");
  Wafer wafer_ = test::example_wafer("w");
};

using Words = std::vector<std::string>;

TEST_CASE("the watcher tells what the upper holds, and a name in each of its directories") {
  const Watched watched;
  CHECK(watched.answer() == Words{".wafers"});
  watched.in_upper(
      "echo 2 > changed; touch .wh.kept; mkdir -p dir/new; ln -s x dir/new/link; "
      "mkfifo fifo; mkdir dir/.git; touch dir/.git/config");
  CHECK(watched.answer() == Words{".wafers", "changed", "dir/.wafers", "dir/new/.wafers",
                                  "dir/new/link", "fifo", "kept"});
}

TEST_CASE("of a directory that hides the base's the watcher tells all") {
  const Watched watched;
  watched.in_upper("mkdir dir; touch dir/.wh..wh..opq");
  CHECK(watched.answer() == Words{".wafers", "dir/", "dir/.wafers"});
}

TEST_CASE("the watcher tells the entries of git inside that the snapshot hasn't") {
  const Watched watched;
  watched.base().write("made", "staged, and not in the upper any more\n");
  watched.base().write("changed", "2\n");
  watched.base().git({"add", "-A"});
  watched.base().git({"update-index", "--chmod=+x", "dir/file"});
  CHECK(watched.answer() == Words{".wafers", "changed", "dir/file", "made"});
  watched.base().git({"rm", "-q", "--cached", "changed", "made"});
  CHECK(watched.answer() == Words{".wafers", "dir/file"});
}

TEST_CASE("the watcher tells what delta layers hold") {
  Watched watched;
  const fs::path delta = watched.wafer().directory / "delta";
  fs::create_directories(delta / "dir");
  write_all(open_or_throw(delta / "dir/file", O_WRONLY | O_CREAT, 0644).get(), "2\n", "file");
  watched.wafer().layers.insert(watched.wafer().layers.begin(), delta);
  CHECK(watched.answer() == Words{".wafers", ".wafers", "dir/.wafers", "dir/file"});
}

TEST_CASE("the watcher tells nothing where nothing has changed since git asked") {
  const Words changes{"echo 3 > changed", "touch changed",         "rm changed", "rmdir dir",
                      "chmod +x changed", "touch dir/n; rm dir/n", ": > new"};
  const Words all{".wafers", "changed", "dir/.wafers"};
  std::vector<Watched> views(changes.size());
  for (Watched& view : views) {
    view.wafer().dialect = UpperDialect::kernel_user;
    view.in_upper("mkdir dir; echo 2 > changed");
    // Of what changed a moment ago it tells each time.
    CHECK(view.answer() == all);
    CHECK(view.answer(view.last_token) == all);
  }
  // The times of change can't be set: it takes as long as it takes for them to be of another
  // moment.
  while (views.back().answer(views.back().last_token) == all) {
  }
  for (std::size_t i = 0; i < views.size(); ++i) {
    CAPTURE(changes[i]);
    CHECK(views[i].answer() == all);
    const std::string token = views[i].last_token;
    CHECK(views[i].answer(token) == Words{});
    CHECK(views[i].last_token == token);
    views[i].in_upper(changes[i]);
    CHECK(views[i].answer(token) != Words{});
  }
}

TEST_CASE("of what fuse-overlayfs writes the watcher tells all each time") {
  const Watched watched;
  watched.in_upper("echo 2 > changed; sleep 3");
  CHECK(watched.answer() == Words{".wafers", "changed"});
  CHECK(watched.answer(watched.last_token) == Words{".wafers", "changed"});
}

TEST_CASE("a directory with more directories in it than descriptors are allowed is told") {
  const Watched watched;
  watched.in_upper("for i in $(seq 3000); do echo d$i; done | xargs mkdir");
  CHECK(watched.answer().size() == 3001);
}

TEST_CASE("the watcher tells nothing of a live base, and of no index that it can't read") {
  Watched watched;
  SECTION("live") { watched.wafer().base_kind = BaseKind::live; }
  SECTION("split") { watched.base().git({"update-index", "--split-index"}); }
  SECTION("no index") { fs::remove(watched.base().path() / ".git/index"); }
  SECTION("no index of the snapshot") {
    fs::remove(index_of_snapshot(watched.wafer().layers.back()));
  }
  CHECK_THROWS_AS(watcher_answer(watched.wafer(), ""), Error);
}

TEST_CASE("git reads the watcher's configuration as it is meant, whatever the paths hold") {
  const test::TempDir scratch;
  const GitRepo repo = GitRepo::init(scratch.path() / "repo");
  const fs::path odd = scratch.path() / "a 'b' \"c\" \\d;#\n$(e)";
  fs::create_directory(odd);
  const fs::path program = odd / "program";
  write_all(open_or_throw(program, O_WRONLY | O_CREAT, 0755).get(),
            "#!/bin/sh\nprintf '%s|' \"$@\"\n", "program");
  write_all(open_or_throw(repo.path() / "config", O_WRONLY | O_CREAT, 0644).get(),
            watcher_config(program, odd), "config");
  const auto value = [&](const std::string& key) {
    return repo.git_line({"config", "--file", "config", key});
  };
  CHECK(value("core.fsmonitorHookVersion") == "2");
  CHECK(value("core.untrackedCache") == "true");
  // As git gives it to a shell (run-command.c: prepare_shell_cmd).
  const Words shell{"sh", "-c", value("core.fsmonitor") + " \"$@\"", "git", "2", "token"};
  CHECK(test::run_ok(shell, {}) == odd.native() + "|2|token|");
  fs::remove(program);
  const auto gone = test::run(shell, {});
  CHECK(gone.status == 1);
  CHECK(gone.err.empty());
}

TEST_CASE("git older than 2.43 is not trusted with a watcher") {
  CHECK(heeds_watcher("git version 2.43.0\n"));
  CHECK(heeds_watcher("git version 2.47.3 (Apple Git-1)\n"));
  CHECK(heeds_watcher("git version 3.0-rc1\n"));
  for (const char* other : {"git version 2.42.4\n", "git version 2.39.5\n", "git version 1.99.0",
                            "", "git version ", "git version 2", "git version 2.",
                            "git version x.43", "error", "git version 99999999999.1"}) {
    CAPTURE(other);
    CHECK_FALSE(heeds_watcher(other));
  }
}

}  // namespace
}  // namespace wafers
