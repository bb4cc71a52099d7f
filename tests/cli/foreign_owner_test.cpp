#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "cli/world.h"
#include "support/catch.h"

// Files of the base that belong to another group, in a namespace.

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

bool has_namespace() {
  return std::ranges::find(working_backends(), "namespace") != working_backends().end();
}

/// An ordinary user who is also in group 2055, with an account and the lines of /etc/subgid that
/// `subgid` has, in a mount namespace of its own; and a checkout of his with one directory and one
/// file in it of that group.
class Member {
 public:
  explicit Member(const std::string& subgid)
      : prepare_(
            "cd '" + top_.path().native() +
            "'\n"
            "export HOME=$PWD/home WAFERS_STATE_DIR=$PWD/home/state\n"
            "{ cat /etc/passwd; echo \"wafers-member:x:59998:59998::$HOME:/bin/sh\"; } > passwd\n"
            "printf '" +
            subgid +
            "' > subgid\n"
            "mount --bind passwd /etc/passwd; touch /etc/subgid; mount --bind subgid /etc/subgid\n"
            "as() { setpriv --reuid 59998 --regid 59998 --groups 2055 \"$@\"; }\n"
            "wafers() { as '" WAFERS_PROGRAM
            "' \"$@\"; }\n"
            "cd home/base\n") {
    fs::permissions(top_.path(), fs::perms(0755));
    fs::create_directory(top_ / "home");
    const GitRepo base = GitRepo::init(top_ / "home/base");
    base.write("d/f", "f\n");
    base.write("e/g", "g\n");
    base.commit_all("base");
    run_ok({"chown", "-R", "59998:59998", (top_ / "home").native()});
    run_ok({"chgrp", "2055", (base / "d").native(), (base / "e/g").native()});
  }

  /// As that user, by `wafers`.
  RunResult run(const std::string& script) const {
    return test::run(
        {"unshare", "--mount", "--propagation", "private", "sh", "-eu", "-c", prepare_ + script});
  }

  /// Whether he can reach the program, which may lie below a closed directory.
  bool reaches_program() const { return run("as test -x '" WAFERS_PROGRAM "'").ok(); }

 private:
  TempDir top_;
  std::string prepare_;
};

TEST_CASE("a group of the caller's is in the view where newgidmap and /etc/subgid allow it") {
  if (::geteuid() != 0 || !has_namespace()) return;  // only root can make such an account
  REQUIRE(run({"sh", "-c", "command -v newgidmap"}).ok());
  const Member member("wafers-member:2055:1\\n");
  if (!member.reaches_program()) return;
  const RunResult result = member.run(
      "wafers add a --backend namespace > /dev/null\n"
      "change='echo more >> d/f; echo new > d/new; mkdir d/dir; echo more >> e/g; stat -c %g d d/f "
      "e/g'\n"
      "wafers exec a -- sh -euc \"$change\"\n"
      "wafers exec a -- grep -E '^Cap(Prm|Eff)' /proc/self/status\n"
      "wafers umount a; wafers exec a -- sh -euc 'rm d/new; touch d/newer; chgrp 2055 d/newer'\n"
      "wafers git-status a --porcelain; wafers rm --force --json a > /dev/null\n");
  CHECK(result.err == "");
  CHECK(result.out ==
        "2055\n59998\n2055\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
        " M d/f\n M e/g\n?? d/newer\n");
}

TEST_CASE("what belongs to a group that can't be mapped is told, with the line that helps") {
  if (::geteuid() != 0 || !has_namespace()) return;  // only root can make such an account
  const Member member("wafers-member:100000:65536\\n");
  if (!member.reaches_program()) return;
  const RunResult result = member.run(
      "wafers add a --backend namespace > /dev/null; wafers exec a -- sh -c 'echo more >> d/f' || "
      "true; wafers rm a > /dev/null\n");
  CHECK_THAT(
      result.err,
      StartsWith("wafers: warning: 1 file and 1 directory of the base belong to another user or "
                 "group, first 'd/'; in a view of backend 'namespace' they can be read but "
                 "not changed (EOVERFLOW)\n"
                 "hint: to have your group 2055 in the view as well: printf '%s\\n' "
                 "wafers-member:2055:1 | sudo tee -a /etc/subgid; then make the wafer "
                 "anew\n"));
  CHECK_THAT(result.err, Contains("Value too large"));
}

TEST_CASE("a copied checkout whose index names other owners is not warned of") {
  if (!has_namespace()) return;
  const World world;
  // As after `cp -a` by root and `chown -R`: the index is older than the files' owners.
  if (::geteuid() == 0) {
    run_ok({"chown", "-hR", "12345:12345", world.base().path().native()});
    world.base().git({"-c", "safe.directory=*", "update-index", "--refresh"});
    run_ok({"chown", "-hR", "0:0", world.base().path().native()});
  }
  const RunResult added = world.wafers({"add", "a", "--backend", "namespace"});
  CHECK(added.ok());
  CHECK(added.err == "");
}

}  // namespace
}  // namespace wafers::test
