#include "linux/ssh_config.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "os/child.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace wafers;
using wafers::test::TempDir;

namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

/// One of root's files a line, as an ordinary user is told of them.
std::string found(const SshConfigRoots& roots) {
  std::string lines;
  const auto failure = run_in_child([&] {
    if (::geteuid() == 0 && (::setgid(59999) != 0 || ::setuid(59999) != 0)) ::_exit(1);
    for (const fs::path& file : ssh_files_of_root(roots)) lines += file.native() + "\n";
    throw std::runtime_error("found:" + lines);
  });
  return failure->doing;
}

}  // namespace

TEST_CASE("root's files are found through whatever includes them") {
  const TempDir top;
  fs::permissions(top.path(), fs::perms(0755));
  const SshConfigRoots roots{top / "home", {top / "ssh_config"}};
  const std::string passwd = fs::canonical("/etc/passwd");
  const std::string group = fs::canonical("/etc/group");

  SECTION("by an absolute name, a pattern, in quotes, of any case and after '='") {
    const std::string line =
        GENERATE("Include /etc/passwd", "\tinclude /etc/passw?", "INCLUDE = \"/etc/passwd\" # why",
                 "Include=/etc/passwd", "Host a\n  Include /nowhere/* /etc/passwd /etc/passwd");
    write(top / "ssh_config", "Port 22\n" + line + "\n");
    CHECK(found(roots) == "found:" + passwd + "\n");
  }
  SECTION("by the user's own files, one including the other, once each") {
    write(top / "home/.ssh/config", "Include deeper/*\nInclude ~/more\n");
    write(top / "home/.ssh/deeper/a", "Include /etc/group\n");
    write(top / "home/more", "Include /etc/passwd /etc/group\n");
    CHECK(found(roots) == (::geteuid() == 0
                               ? "found:" + (top / "home/.ssh/config").native() + "\n" +
                                     (top / "home/.ssh/deeper/a").native() + "\n" + group + "\n" +
                                     (top / "home/more").native() + "\n" + passwd + "\n"
                               : "found:" + group + "\n" + passwd + "\n"));
  }
  SECTION("through a symlink, by its real name") {
    fs::create_symlink("/etc/passwd", top / "link");
    write(top / "ssh_config", "Include " + (top / "link").native() + "\n");
    CHECK(found(roots) == "found:" + passwd + "\n");
  }
  SECTION("and none that isn't there, isn't included, or includes itself") {
    write(top / "ssh_config", "# Include /etc/passwd\nIncluded /etc/passwd\nInclude\nInclude " +
                                  (top / "ssh_config").native() + "\n");
    CHECK(found(roots) ==
          (::geteuid() == 0 ? "found:" + (top / "ssh_config").native() + "\n" : "found:"));
    CHECK(found({"/nowhere", {"/nowhere"}}) == "found:");
  }
}
