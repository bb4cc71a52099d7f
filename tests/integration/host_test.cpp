// What `add` and `doctor` say on hosts that lack something. The lack is simulated by limited_host,
// for one command at a time; each case says what the same command does without it.

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/git_repo.h"
#include "support/run.h"
#include "support/temp_dir.h"

using namespace wafers::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;

constexpr const char* kUid = "59999";
constexpr uid_t kUidNumber = 59999;

bool is_root() { return ::geteuid() == 0; }

/// A base, a state directory and the wafers program, on a host with limits.
class Host {
 public:
  explicit Host(Words limits) : limits_(std::move(limits)) {
    const GitRepo base = GitRepo::init(base_);
    base.write("a.txt", "one\n");
    base.commit_all();
    fs::create_directories(home_);
  }

  /// The limits, with an ordinary user as the caller. Started by root, that user has fuse to fall
  /// back to; else it has not, since fusermount3 gets no privilege inside the simulation.
  static Host for_user(Words limits) {
    if (is_root()) limits.insert(limits.end(), {"--uid", kUid});
    return Host(std::move(limits));
  }

  Host& path(const std::string& path) {
    path_ = path;
    return *this;
  }

  /// From now on.
  void limit(const std::string& more) { limits_.insert(limits_.begin(), more); }

  RunResult wafers(const Words& arguments) const {
    Words command{WAFERS_PROGRAM};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return execute(command);
  }

  /// A whole life of a wafer in one simulation: what was mounted in one can't be seen in the next.
  RunResult add_doctor_rm() const {
    const std::string script =
        R"("$0" add a1 --from "$1" && "$0" doctor && "$0" exec a1 -- cat a.txt && "$0" rm a1)";
    return execute({"sh", "-c", script, WAFERS_PROGRAM, base_.string()});
  }

  /// A script with the program as $0 and the base as $1.
  RunResult script(const std::string& text) const {
    return execute({"sh", "-c", text, WAFERS_PROGRAM, base_.string()});
  }

  RunResult add(const Words& more = {}) const {
    Words arguments{"add", "a1", "--from", base_.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return wafers(arguments);
  }

  /// Looked up without git, to which the base may belong to another user by now.
  bool left_nothing_behind() const {
    return !fs::exists(base_ / ".git/refs/heads/wafers") && !fs::exists(state_ / "a1");
  }

  bool remembers_trial() const {
    return ::getxattr(state_.c_str(), "user.wafers.passed.volatile", nullptr, 0) > 0;
  }

  const fs::path& base() const { return base_; }
  const fs::path& state() const { return state_; }
  fs::path top() const { return temp_ / "host"; }

 private:
  RunResult execute(const Words& command) const {
    if (is_ordinary_by_root()) give_all_away();
    Words argv{WAFERS_LIMITED_HOST};
    argv.insert(argv.end(), limits_.begin(), limits_.end());
    if (is_ordinary_by_root()) {
      argv.insert(argv.end(), {"--reach", top().string(), "--reach", WAFERS_BUILD_DIR});
    }
    argv.emplace_back("--");
    argv.insert(argv.end(), command.begin(), command.end());
    RunOptions options;
    options.cwd = "/";
    options.environment = {"WAFERS_STATE_DIR=" + state_.string(), "HOME=" + home_.string(),
                           "TMPDIR=" + top().string()};
    if (!path_.empty()) options.environment.push_back("PATH=" + path_);
    return run(argv, options);
  }

  bool is_ordinary_by_root() const {
    return is_root() && std::find(limits_.begin(), limits_.end(), "--uid") != limits_.end();
  }

  void give_all_away() const {
    REQUIRE(::lchown(top().c_str(), kUidNumber, kUidNumber) == 0);
    for (const fs::path& entry : fs::recursive_directory_iterator(top())) {
      REQUIRE(::lchown(entry.c_str(), kUidNumber, kUidNumber) == 0);
    }
  }

  TempDir temp_;
  fs::path base_ = temp_ / "host/base";
  fs::path state_ = temp_ / "host/state";
  fs::path home_ = temp_ / "host/home";
  Words limits_;
  std::string path_;
};

/// The line of `doctor`'s output that has `word` in it, "" if there is none.
std::string line_with(const std::string& output, const std::string& word) {
  const std::size_t found = output.find(word);
  if (found == std::string::npos) return {};
  const std::size_t begin = output.rfind('\n', found) + 1;
  return output.substr(begin, output.find('\n', found) - begin);
}

void expect_unsupported(const Host& host) {
  const RunResult add = host.add();
  CAPTURE(add.out, add.err);
  CHECK(add.status == 5);
  CHECK_THAT(add.err, Contains("wafers doctor"));
  CHECK(host.left_nothing_behind());
  const RunResult doctor = host.wafers({"doctor"});
  CAPTURE(doctor.out, doctor.err);
  CHECK(doctor.status == 5);
  CHECK_THAT(doctor.out, Contains("no backend works here"));
}

void expect_to_work(const Host& host, const RunResult& life, const std::string& backend) {
  CAPTURE(life.out, life.err);
  REQUIRE(life.status == 0);
  CHECK_THAT(life.out, Contains("takes the backend " + backend));
  CHECK_THAT(life.out, Contains("\none\n"));
  CHECK_FALSE(fs::exists(host.state() / "a1"));
}

/// Needs to be started by root: see Host::for_user.
void expect_fallback_to_fuse(const Host& host, const std::string& why) {
  const RunResult life = host.add_doctor_rm();
  expect_to_work(host, life, "fuse");
  const std::string line = line_with(life.err, "falling back");
  CHECK_THAT(line, Contains("from backend namespace to fuse"));
  CHECK_THAT(line, Contains(why));
}

std::string doctor_says(const Host& host) { return host.wafers({"doctor"}).out; }

}  // namespace

TEST_CASE("without limits an ordinary user gets the namespace backend, and no word of fallback") {
  const Host host = Host::for_user({});
  const RunResult life = host.add_doctor_rm();
  expect_to_work(host, life, "namespace");
  CHECK_THAT(life.err, !Contains("falling back"));
  CHECK_THAT(line_with(life.out, "user namespaces"), Contains("ok"));
}

TEST_CASE("user namespaces switched off: fuse, with the reason") {
  if (!is_root()) return;  // by root only, see Host::for_user
  const Host host = Host::for_user({"--no-userns", "--fuse"});
  expect_fallback_to_fuse(host, "ENOSPC");
  const std::string said = doctor_says(host);
  CAPTURE(said);
  CHECK_THAT(said, Contains("user.max_user_namespaces = 0"));
  CHECK_THAT(said, Contains("sysctl -w user.max_user_namespaces="));
}

TEST_CASE("unshare denied by seccomp: fuse, with the reason") {
  if (!is_root()) return;  // by root only, see Host::for_user
  const Host host = Host::for_user({"--deny-unshare", "--fuse"});
  expect_fallback_to_fuse(host, "EPERM");
  const std::string said = doctor_says(host);
  CAPTURE(said);
  CHECK_THAT(said, Contains("seccomp filter denies unshare(2)"));
  CHECK_THAT(said, Contains("seccomp=unconfined"));
}

TEST_CASE("user namespaces switched off, and no fuse: nothing works, and nothing is left behind") {
  const Host host = Host::for_user({"--no-userns", "--no-fuse"});
  expect_unsupported(host);
  const std::string said = doctor_says(host);
  CAPTURE(said);
  CHECK_THAT(line_with(said, "switched off"), Contains("fail"));
  CHECK_THAT(said, Contains("user.max_user_namespaces = 0"));
  CHECK_THAT(line_with(said, "/dev/fuse"), Contains("fail"));
}

TEST_CASE("unshare denied, and no fuse: nothing works") {
  const Host host = Host::for_user({"--deny-unshare", "--no-fuse"});
  expect_unsupported(host);
  CHECK_THAT(doctor_says(host), Contains("seccomp filter denies unshare(2)"));
}

TEST_CASE("mount denied: neither kernel nor fuse mounts, for user and root") {
  const bool by_root = GENERATE(false, true);
  if (by_root && !is_root()) return;
  const Host host =
      by_root ? Host({"--deny-mount"}) : Host::for_user({"--deny-mount", "--no-userns"});
  expect_unsupported(host);
  if (by_root) CHECK_THAT(doctor_says(host), Contains("denies mount(2)"));
}

TEST_CASE("programs of fuse not in PATH: said, and harmless where namespaces work") {
  Host host = Host::for_user({});
  const TempDir empty;
  host.path(empty.path().string());
  const RunResult doctor = host.wafers({"doctor"});
  CAPTURE(doctor.out);
  CHECK(doctor.status == 0);
  CHECK_THAT(line_with(doctor.out, "fuse-overlayfs is not in PATH"), Contains("warn"));
  CHECK_THAT(line_with(doctor.out, "fusermount3 is not in PATH"), Contains("warn"));
  CHECK_THAT(doctor.out, Contains("apt-get install fuse-overlayfs fuse3"));
}

TEST_CASE("programs of fuse not in PATH and namespaces denied: nothing works") {
  Host host = Host::for_user({"--deny-unshare"});
  const TempDir empty;
  host.path(empty.path().string());
  expect_unsupported(host);
  CHECK_THAT(line_with(doctor_says(host), "fuse-overlayfs is not in PATH"), Contains("fail"));
}

TEST_CASE("what fusermount3 would mount and not unmount is never begun") {
  if (!is_root()) return;  // by root only, see Host::for_user
  const auto [lack, reason, remedy] = GENERATE(table<const char*, const char*, const char*>(
      {{"--no-mtab", "there is no /etc/mtab", "ln -s ../proc/self/mounts /etc/mtab"},
       {"--no-name", "uid 59999 has no entry in /etc/passwd", "59999:59999::/:/bin/sh"}}));
  // The machine may have mounts of its own.
  const std::string before = "before=$(grep fuse-overlayfs /proc/self/mountinfo); ";
  const std::string nothing_mounted =
      "; status=$?; after=$(grep fuse-overlayfs /proc/self/mountinfo); "
      "[ \"$after\" = \"$before\" ] || echo \"$after\"; exit $status";
  Host host = Host::for_user({"--fuse"});
  REQUIRE(host.script(R"("$0" add a1 --backend fuse --from "$1" && "$0" umount a1)").ok());
  host.limit(lack);
  for (const char* command : {R"("$0" add a2 --backend fuse --from "$1")", R"("$0" mount a1)"}) {
    const RunResult result = host.script(before + command + nothing_mounted);
    CAPTURE(command, result.err);
    CHECK(result.status == 5);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, Contains(reason));
    CHECK_THAT(result.err, Contains(remedy));
  }
  CHECK_THAT(line_with(doctor_says(host), reason), Contains("warn"));
  CHECK_FALSE(fs::exists(host.state() / "a2"));
}

TEST_CASE("a trial that was passed before is no promise") {
  Host host = Host::for_user(is_root() ? Words{"--fuse"} : Words{});
  expect_to_work(host, host.add_doctor_rm(), "namespace");
  REQUIRE(host.remembers_trial());
  host.limit("--deny-unshare");
  if (is_root()) {
    expect_fallback_to_fuse(host, "EPERM");
    CHECK_FALSE(host.remembers_trial());
  } else {
    const RunResult add = host.add({"--branch", "new"});
    CAPTURE(add.err);
    CHECK(add.status == 5);
    CHECK_FALSE(fs::exists(host.base() / ".git/refs/heads/new"));
    CHECK_FALSE(fs::exists(host.state() / "a1"));
  }
}

TEST_CASE("a backend that is asked for by name does not fall back") {
  const Host host = Host::for_user({"--deny-unshare"});
  const RunResult add = host.add({"--backend", "namespace"});
  CAPTURE(add.err);
  CHECK(add.status == 5);
  CHECK_THAT(add.err, Contains("EPERM"));
  CHECK(host.left_nothing_behind());
}

TEST_CASE("root mounts in its own namespace, whatever is denied to users") {
  if (!is_root()) return;
  const Host host({"--no-userns", "--no-fuse"});
  expect_to_work(host, host.add_doctor_rm(), "host");
}

TEST_CASE("doctor --json is one document that agrees with the exit status") {
  const Host host = Host::for_user({"--deny-unshare", "--no-fuse"});
  const RunResult doctor = host.wafers({"doctor", "--json"});
  CAPTURE(doctor.out);
  CHECK(doctor.status == 5);
  const auto document = nlohmann::json::parse(doctor.out);
  CHECK(document.at("backend").is_null());
  bool found = false;
  for (const auto& check : document.at("checks")) {
    if (check.at("id") != "user-namespaces") continue;
    found = true;
    CHECK(check.at("status") == "fail");
    CHECK_FALSE(check.at("remedy").get<std::string>().empty());
  }
  CHECK(found);
}

TEST_CASE("doctor leaves no state directory behind, and speaks of the repository it is in") {
  const Host host = Host::for_user({});
  const RunResult doctor = host.wafers({"doctor"});
  CAPTURE(doctor.out);
  CHECK(doctor.status == 0);
  CHECK_FALSE(fs::exists(host.state()));
  CHECK_THAT(doctor.out, Contains("not inside a Git repository"));
}
