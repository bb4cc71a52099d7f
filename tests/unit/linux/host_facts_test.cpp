#include "linux/host_facts.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/catch.h"
#include "support/git_repo.h"
#include "support/run.h"
#include "support/temp_dir.h"

using namespace wafers;

namespace {

/// PATH for the time of a test.
class PathGuard {
 public:
  explicit PathGuard(const std::string& path) : old_(std::getenv("PATH")) { set(path); }
  PathGuard(const PathGuard&) = delete;
  PathGuard& operator=(const PathGuard&) = delete;
  ~PathGuard() { set(old_); }

 private:
  static void set(const std::string& path) { ::setenv("PATH", path.c_str(), 1); }
  std::string old_;
};

void write_program(const std::filesystem::path& file, const std::string& script, mode_t mode) {
  test::write_file(file, "#!/bin/sh\n" + script + "\n");
  REQUIRE(::chmod(file.c_str(), mode) == 0);
}

}  // namespace

TEST_CASE("kernel facts agree with uname(1)") {
  const KernelFacts facts = read_kernel_facts();
  CHECK(facts.release + "\n" == test::run_ok({"uname", "-r"}));
  CHECK(facts.release.starts_with(std::to_string(facts.major) + "." + std::to_string(facts.minor)));
}

TEST_CASE("capabilities and no_new_privs are read as the kernel tells them") {
  const RestrictionFacts facts = read_restriction_facts();
  // unshare(CLONE_NEWNS) needs CAP_SYS_ADMIN in the caller's own user namespace.
  CHECK(facts.cap_sys_admin == test::run({"unshare", "--mount", "true"}).ok());
  CHECK(facts.no_new_privs == test::run_script("setpriv --dump | grep -q 'no_new_privs: 1'").ok());
}

TEST_CASE("the file system of a directory is named, probed, and left as it was") {
  const test::TempDir temp;
  const FileSystemFacts facts = probe_file_system(temp.path());
  CHECK(facts.errnum == 0);
  CHECK_FALSE(facts.type.empty());
  CHECK(facts.d_type);
  CHECK(std::filesystem::is_empty(temp.path()));
  CHECK(probe_file_system(temp / "absent").errnum == ENOENT);
  CHECK(probe_file_system("/proc").errnum != 0);
}

TEST_CASE("fuse programs are looked for in PATH, and need to be executable files") {
  const test::TempDir temp;
  std::filesystem::create_directories(temp / "a/fusermount3");
  std::filesystem::create_directories(temp / "b");
  write_program(temp / "a/fuse-overlayfs", "exit 0", 0644);
  const std::string path = (temp / "a").string() + ":" + (temp / "b").string();
  {
    const PathGuard guard(path);
    const FuseFacts facts = read_fuse_facts();
    CHECK_FALSE(facts.server);
    CHECK_FALSE(facts.fusermount);
  }
  write_program(temp / "b/fuse-overlayfs",
                "echo 'fusermount3 version: 3.14.0'; echo 'fuse-overlayfs: version 1.13-dev'",
                0755);
  write_program(temp / "b/fusermount3", "exit 0", 0755);
  {
    const PathGuard guard(path);
    const FuseFacts facts = read_fuse_facts();
    REQUIRE(facts.server);
    CHECK(*facts.server == temp / "b/fuse-overlayfs");
    CHECK(facts.server_version == "1.13-dev");
    REQUIRE(facts.fusermount);
    CHECK_FALSE(facts.fusermount_privileged);
  }
}

TEST_CASE("the user service that unmounts at a shutdown is enabled where a link says so") {
  const test::TempDir temp;
  const std::filesystem::path wants = temp / "systemd/user/default.target.wants";
  std::filesystem::create_directories(wants);
  ::setenv("XDG_CONFIG_HOME", temp.path().c_str(), 1);
  CHECK_FALSE(read_shutdown_facts().enabled);
  std::filesystem::create_symlink(temp / "wafers.service", wants / "wafers.service");
  CHECK_FALSE(read_shutdown_facts().enabled);  // to nowhere
  std::ofstream(temp / "wafers.service") << "[Unit]\n";
  CHECK(read_shutdown_facts().enabled);
  ::unsetenv("XDG_CONFIG_HOME");
}
