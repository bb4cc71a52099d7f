#include "core/view/bystanders.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "support/catch.h"

namespace wafers::test {
namespace {

/// A process that waits to be ended.
class Keeper {
 public:
  Keeper() : pid_(::fork()) {
    if (pid_ != 0) return;
    while (true) ::pause();
  }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

bool is_around(pid_t pid, const std::string& wafer, Bystanders bystanders) {
  return std::ranges::count(bystanders.residents_around(wafer), pid, &Resident::pid) > 0;
}

}  // namespace

TEST_CASE("a holder is a bystander to every wafer but its own") {
  const Keeper keeper;
  const Bystanders bystanders(list_processes(), {{keeper.pid(), "a"}});
  CHECK(is_around(keeper.pid(), "a", bystanders));
  CHECK_FALSE(is_around(keeper.pid(), "b", bystanders));
  const Keeper other;
  CHECK(is_around(other.pid(), "b", bystanders));
  CHECK_FALSE(is_around(::getpid(), "a", bystanders));
  CHECK(is_around(keeper.pid(), "b", Bystanders()));
}

TEST_CASE("one look at all processes serves the next wafers, not all of them") {
  const Keeper keeper;
  Bystanders bystanders(list_processes(), {{keeper.pid(), "a"}});
  const auto is_seen = [&](const Keeper& process) {
    return std::ranges::count(bystanders.residents_around("b"), process.pid(), &Resident::pid) > 0;
  };
  const Keeper early;
  CHECK(is_seen(early));
  const Keeper late;
  int calls = 1;
  while (!is_seen(late)) {
    ++calls;
    REQUIRE(calls < 100);
  }
  CHECK(calls == 16);
  CHECK(is_seen(early));
}

TEST_CASE("a process that got the pid of a holder is nobody's bystander") {
  const Keeper keeper;
  std::vector<ProcessEntry> processes = list_processes();
  for (ProcessEntry& process : processes) ++process.inode;
  CHECK(is_around(keeper.pid(), "b", Bystanders(processes, {{keeper.pid(), "a"}})));
}

}  // namespace wafers::test
