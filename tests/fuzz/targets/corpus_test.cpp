// Replays what libFuzzer has found, without libFuzzer: each file of the corpus in a process of its
// own, with little stack, memory and time.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

#define TARGET(name) extern "C" int fuzz_##name(const std::uint8_t* data, std::size_t size);
WAFERS_TARGETS
#undef TARGET

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

struct Target {
  std::string name;
  int (*run)(const std::uint8_t* data, std::size_t size);
};

#define TARGET(name) {#name, fuzz_##name},
const std::vector<Target> kTargets{WAFERS_TARGETS};
#undef TARGET

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;  // which takes a lot of address space, and of stack
#else
constexpr bool kSanitized = false;
#endif

void limit(__rlimit_resource resource, rlim_t most) {
  const rlimit value{most, most};
  ::setrlimit(resource, &value);
}

void limit_all() {
  constexpr rlim_t kMegabyte = 1024 * 1024;
  constexpr unsigned kSeconds = 60;  // a thousand times what any of them takes
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, kSeconds);
  ::alarm(kSeconds);
  if (kSanitized) return;
  limit(RLIMIT_STACK, kMegabyte);
  limit(RLIMIT_AS, 1024 * kMegabyte);
}

/// Catch's handlers would go on with the other tests.
void die_of_signals() {
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTERM}) {
    std::signal(signal, SIG_DFL);
  }
}

/// Returns how the process ended: 0 where nothing went wrong.
int replay(const Target& target, const std::string& input, const fs::path& scratch) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setenv("TMPDIR", scratch.c_str(), 1);
    limit_all();
    die_of_signals();
    target.run(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(pid, &status, 0);
  return status;
}

std::vector<fs::path> corpus_of(const Target& target) {
  const fs::directory_iterator files(fs::path(WAFERS_CORPUS) / target.name);
  std::vector<fs::path> corpus(begin(files), end(files));
  std::ranges::sort(corpus);
  return corpus;
}

TEST_CASE("no input of the corpus does harm") {
  const Target target = GENERATE(from_range(kTargets));
  const TempDir scratch;  // of the processes, which end without removing anything
  const std::vector<fs::path> corpus = corpus_of(target);
  CHECK_FALSE(corpus.empty());
  for (const fs::path& file : corpus) {
    INFO(file);
    CHECK(replay(target, read_file(file), scratch.path()) == 0);
  }
}

TEST_CASE("an input that does harm is seen") {
  const Target abort{"abort", [](const std::uint8_t*, std::size_t) -> int { std::abort(); }};
  CHECK(replay(abort, "", {}) != 0);
}

}  // namespace
}  // namespace wafers::test
