#include "core/state/plan.h"

#include <fcntl.h>

#include <csignal>
#include <stdexcept>
#include <vector>

#include "base/fd.h"
#include "os/interrupt.h"
#include "support/catch.h"

namespace wafers {
namespace {

/// A plan whose steps and undos write down that they ran.
struct Recorder {
  std::string log;
  std::vector<std::string> warnings;
  Plan plan;

  void step(const std::string& name) {
    plan.step(
        name, [this, name] { log += "+" + name; }, [this, name] { log += "-" + name; });
  }
  void failing_step(const std::string& name) {
    plan.step(
        name,
        [this, name] {
          log += "!" + name;
          throw std::runtime_error("step " + name);
        },
        [this, name] { log += "-" + name; });
  }
  void run(const Plan::Action& between = {}) {
    plan.run(between, [this](std::string_view line) { warnings.emplace_back(line); });
  }
};

TEST_CASE("an undo has descriptors left, whatever the step that failed has used up") {
  std::vector<UniqueFd> used;
  bool undone = false;
  Plan plan;
  plan.step(
      "use up all",
      [&used] {
        while (true) {
          used.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
          if (!used.back()) throw std::runtime_error("none is left");
        }
      },
      [&undone] { undone = static_cast<bool>(UniqueFd(::open("/dev/null", O_RDONLY))); });
  CHECK_THROWS(plan.run({}, {}));
  CHECK(undone);
}

TEST_CASE("a plan runs its steps in order and undoes nothing") {
  Recorder recorder;
  recorder.step("a");
  recorder.step("b");
  recorder.run();
  CHECK(recorder.log == "+a+b");
  CHECK(recorder.warnings.empty());
}

TEST_CASE("a failure undoes what was begun, the failing step included, in reverse") {
  Recorder recorder;
  recorder.step("a");
  recorder.step("b");
  recorder.failing_step("c");
  recorder.step("d");
  CHECK_THROWS_WITH(recorder.run(), "step c");
  CHECK(recorder.log == "+a+b!c-c-b-a");
}

TEST_CASE("an undo that fails is told of and keeps no other from running") {
  Recorder recorder;
  recorder.step("a");
  recorder.plan.step(
      "b", [] {}, [] { throw std::runtime_error("disk on fire"); });
  recorder.failing_step("c");
  CHECK_THROWS_WITH(recorder.run(), "step c");
  CHECK(recorder.log == "+a!c-c-a");
  CHECK(recorder.warnings == std::vector<std::string>{"cannot undo step 'b': disk on fire"});
}

TEST_CASE("a signal between two steps undoes them") {
  Recorder recorder;
  recorder.step("a");
  recorder.plan.step("signal", [] { ::raise(SIGTERM); });
  recorder.step("b");
  const InterruptGuard guard;
  CHECK_THROWS_AS(recorder.run(InterruptGuard::check), Interrupted);
  CHECK(recorder.log == "+a-a");
}

TEST_CASE("a signal during the last step is not overheard") {
  Recorder recorder;
  recorder.step("a");
  recorder.plan.step("signal", [] { ::raise(SIGINT); });
  const InterruptGuard guard;
  CHECK_THROWS_WITH(recorder.run(InterruptGuard::check), "interrupted by SIGINT");
  CHECK(recorder.log == "+a-a");
}

TEST_CASE("signals do afterwards what they did before") {
  struct sigaction before {};
  ::sigaction(SIGTERM, nullptr, &before);
  {
    const InterruptGuard guard;
    struct sigaction during {};
    ::sigaction(SIGTERM, nullptr, &during);
    CHECK(during.sa_handler != before.sa_handler);
  }
  struct sigaction after {};
  ::sigaction(SIGTERM, nullptr, &after);
  CHECK(after.sa_handler == before.sa_handler);
}

TEST_CASE("a signal that the caller ignores stays ignored") {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGHUP, &ignore, &before);
  {
    const InterruptGuard guard;
    ::raise(SIGHUP);
    CHECK_NOTHROW(InterruptGuard::check());
  }
  ::sigaction(SIGHUP, &before, nullptr);
}

}  // namespace
}  // namespace wafers
