#include "linux/capabilities.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

#include "linux/namespaces.h"
#include "os/child.h"
#include "support/catch.h"

using namespace wafers;

namespace {

std::string status_line(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return line;
  }
  throw std::runtime_error("no " + name);
}

}  // namespace

TEST_CASE("drop_all_capabilities leaves none, and may be called again") {
  const std::string bounds = status_line("CapBnd");
  const bool privileged = status_line("CapEff") != "CapEff:\t0000000000000000";
  const auto failure = run_in_child([&] {
    for (int round = 0; round < 2; ++round) {
      drop_all_capabilities();
      for (const std::string set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
        if (status_line(set) != set + ":\t0000000000000000") throw std::runtime_error(set);
      }
    }
    // Without CAP_SETPCAP nobody may shrink the bounding set.
    const std::string expected = privileged ? "CapBnd:\t0000000000000000" : bounds;
    if (status_line("CapBnd") != expected) throw std::runtime_error("CapBnd");
    if (has_sys_admin()) throw std::runtime_error("has_sys_admin");
  });
  if (failure) FAIL(failure->doing);
}

TEST_CASE("keep_only_capabilities leaves these, and hands them on to programs") {
  constexpr unsigned kOne = 21;  // CAP_SYS_ADMIN
  const std::string mask = "\t0000000000200000";
  const auto failure = run_in_child([&] {
    // As an ordinary user too: who makes a user namespace has them all in there.
    unshare_user_and_mount();
    keep_only_capabilities({kOne});
    for (const std::string set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
      if (status_line(set) != set + ":" + mask) throw std::runtime_error(status_line(set));
    }
    const char* const script = "test \"$(grep -c 'Cap.*0000000000200000$' /proc/self/status)\" = 5";
    if (std::system(script) != 0) throw std::runtime_error("a program has others");
  });
  if (failure) FAIL(failure->doing);
}
