#include "os/activity.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "support/catch.h"

using namespace wafers;

TEST_CASE("a stopped process is waited for no longer, one that goes on is") {
  const pid_t pid = ::fork();
  if (pid == 0) {
    while (true) ::pause();
  }
  ActivityWatch watch(pid);
  CHECK(watch.goes_on());  // it sleeps, but not for long yet
  ::kill(pid, SIGSTOP);
  ::waitpid(pid, nullptr, WUNTRACED);
  while (watch.goes_on()) ::usleep(10'000);
  CHECK(watch.state() == 'T');
  ::kill(pid, SIGCONT);
  ::waitpid(pid, nullptr, WCONTINUED);
  CHECK(watch.goes_on());
  CHECK(watch.state() != 'T');
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

TEST_CASE("a process that works is waited for") {
  const pid_t pid = ::fork();
  if (pid == 0) {
    while (true) {
    }
  }
  ::kill(pid, SIGSTOP);
  ::waitpid(pid, nullptr, WUNTRACED);
  ActivityWatch watch(pid);
  while (watch.goes_on()) ::usleep(10'000);
  // From here on only what it does counts, and not the time since then.
  ::kill(pid, SIGCONT);
  bool worked = false;
  while (!worked) worked = watch.goes_on() && watch.state() == 'R';
  CHECK(worked);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}
