// Compares wafers with git on random repositories and random work: see docs/HACKING.md.

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apply.h"
#include "generate.h"
#include "minimise.h"
#include "scenario.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"
#include "tree.h"
#include "world.h"

namespace {

using namespace wafers::fuzz;
using wafers::test::read_file;
using wafers::test::TempDir;
using wafers::test::write_file;

namespace fs = std::filesystem;

struct Options {
  std::uint64_t seed = 1;
  std::size_t cases = 100;
  std::size_t first = 0;
  std::size_t rounds = 4;
  std::size_t jobs = 1;
  std::size_t give_up = 5;
  int budget = 400;
  std::string backend = "auto";
  std::string moving = {};
  std::string wafers = WAFERS_PROGRAM;
  std::string reports = {};
  std::string replay = {};
  std::string show = {};
  // In the view, for ourselves:
  std::string apply = {};
  std::string templates = {};
  std::int64_t first_time = 0;
};

constexpr int kSkipped = 77;  ///< CTest's SKIP_RETURN_CODE

constexpr const char* kUsage =
    "usage: wafers-fuzz [--backend namespace|host|fuse] [--seed N] [--cases N] [--rounds N]\n"
    "                   [--moving frozen] people change the checkout of a frozen base\n"
    "                   [--first N]     skip the cases before the N-th\n"
    "                   [--jobs N]      cases at the same time\n"
    "                   [--give-up N]   after so many mismatches\n"
    "                   [--budget N]    runs that minimising a case may take; 0: don't\n"
    "                   [--reports DIR] where minimal cases go; standard error otherwise\n"
    "                   [--wafers FILE] another build of the program\n"
    "       wafers-fuzz [--backend B] --replay FILE    run a case again, as a report has it\n";

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view key = argv[i];
    const char* value = argv[i + 1];
    const auto number = [&] { return std::strtoull(value, nullptr, 10); };
    if (key == "--seed")
      options.seed = number();
    else if (key == "--cases")
      options.cases = number();
    else if (key == "--first")
      options.first = number();
    else if (key == "--rounds")
      options.rounds = number();
    else if (key == "--jobs")
      options.jobs = number();
    else if (key == "--give-up")
      options.give_up = number();
    else if (key == "--budget")
      options.budget = static_cast<int>(number());
    else if (key == "--backend")
      options.backend = value;
    else if (key == "--moving")
      options.moving = value;
    else if (key == "--wafers")
      options.wafers = fs::absolute(value);
    else if (key == "--reports")
      options.reports = value;
    else if (key == "--replay")
      options.replay = value;
    else if (key == "--apply")
      options.apply = value;
    else if (key == "--templates")
      options.templates = value;
    else if (key == "--first-time")
      options.first_time = std::strtoll(value, nullptr, 10);
    else
      return false;
  }
  return argc % 2 == 1 && (options.moving.empty() || options.moving == "frozen");
}

/// What the program does in the view: the operations, what each returned, and what is there then.
int apply_here(const Options& options) {
  Applier applier(".", options.templates, options.first_time);
  std::string out;
  const std::string text = read_file(options.apply);
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const Operation operation = parse_operation(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    out += std::to_string(applier.apply(operation)) + " " + to_text(operation) + "\n";
  }
  std::cout << out << listing(".", Inner::leave_out);
  return EXIT_SUCCESS;
}

struct Counts {
  std::size_t done = 0;
  std::size_t unusable = 0;
  std::size_t mismatches = 0;
};

class Fuzzer {
 public:
  explicit Fuzzer(const Options& options) : options_(options) {
    make_templates(scratch_ / "templates");
    tools_ = {.wafers = options.wafers,
              .self = fs::read_symlink("/proc/self/exe"),
              .repository = scratch_ / "templates",
              .backend = options.backend};
  }

  /// The cases whose number leaves `remainder`.
  Counts run(std::size_t remainder) {
    Counts counts;
    for (std::size_t i = options_.first; i < options_.first + options_.cases; ++i) {
      if (i % options_.jobs != remainder) continue;
      if (counts.mismatches >= options_.give_up) break;
      const Scenario scenario = generated(i);
      const Outcome outcome = check(scenario);
      ++counts.done;
      if (outcome.unusable) ++counts.unusable;
      if (!outcome.mismatch) continue;
      ++counts.mismatches;
      report(i, scenario, *outcome.mismatch);
    }
    return counts;
  }

  /// Why there can be no view here.
  std::optional<std::string> missing() {
    const TempDir directory;
    try {
      World(tools_, {}, directory.path()).finish();
    } catch (const Unsupported& unsupported) {
      return unsupported.why;
    } catch (const Mismatch&) {  // is found again, and minimised
    }
    return std::nullopt;
  }

  int replay() {
    const Outcome outcome = check(parse_scenario(read_file(options_.replay)));
    if (outcome.unusable) std::cerr << "unusable: " << *outcome.unusable << '\n';
    if (outcome.mismatch) std::cerr << "MISMATCH: " << *outcome.mismatch << '\n';
    return outcome.mismatch ? EXIT_FAILURE : EXIT_SUCCESS;
  }

 private:
  struct Outcome {
    std::optional<std::string> unusable;
    std::optional<std::string> mismatch;
  };

  Scenario generated(std::size_t number) {
    const TempDir trial;
    return generate(options_.seed * 1'000'003 + number,
                    {.rounds = options_.rounds,
                     .moving = !options_.moving.empty(),
                     .backend = options_.backend,
                     .repository = tools_.repository},
                    trial.path());
  }

  Outcome check(const Scenario& scenario) {
    const TempDir directory;
    try {
      World world(tools_, scenario, directory.path());
      for (const Round& round : scenario.rounds) world.play(round);
      world.finish();
    } catch (const Unusable& unusable) {
      return {unusable.why, {}};
    } catch (const Mismatch& mismatch) {
      return {{}, mismatch.what};
    } catch (const std::exception& error) {
      return {{}, std::string("the fuzzer: ") + error.what()};
    } catch (const TreeError& error) {
      return {{}, "the fuzzer: errno " + std::to_string(error.error)};
    }
    return {};
  }

  void report(std::size_t number, const Scenario& scenario, const std::string& what) {
    // The same kind of mismatch: what it says up to the first line's end or colon.
    const std::string kind = what.substr(0, what.find_first_of(":\n"));
    std::string last = what;
    const Scenario small = minimise(
        scenario,
        [&](const Scenario& smaller) {
          const Outcome outcome = check(smaller);
          if (!outcome.mismatch || !outcome.mismatch->starts_with(kind)) return false;
          last = *outcome.mismatch;
          return true;
        },
        options_.budget);
    std::string text = "# backend " + options_.backend + ", seed " + std::to_string(options_.seed) +
                       ", case " + std::to_string(number) + "\n";
    for (std::size_t at = 0; at < last.size();) {
      const std::size_t end = std::min(last.find('\n', at), last.size());
      text += "# " + last.substr(at, end - at) + "\n";
      at = end + 1;
    }
    text += to_text(small);
    if (options_.reports.empty()) {
      std::cerr << text << std::flush;
      return;
    }
    const fs::path file =
        fs::path(options_.reports) /
        (options_.backend + "-" + std::to_string(options_.seed) + "-" + std::to_string(number));
    write_file(file, text);
    std::cerr << "case " + std::to_string(number) + ": " + kind + ": " + file.native() + "\n"
              << std::flush;
  }

  const Options& options_;
  TempDir scratch_;
  Tools tools_;
};

/// As the other tests do: see docs/HACKING.md. That only root mounts on the host is no lack.
int skip(const Options& options, const std::string& reason) {
  const char* must = std::getenv("WAFERS_TESTS_MUST_RUN");
  const bool impossible = options.backend == "host" && ::geteuid() != 0;
  const bool failed = must != nullptr && std::string_view(must) == "1" && !impossible;
  std::cerr << (failed ? "failed: " : "skipped: ") << reason;
  return failed ? EXIT_FAILURE : kSkipped;
}

/// All cases, in `jobs` processes.
Counts run_all(const Options& options) {
  if (options.jobs == 1) return Fuzzer(options).run(0);
  std::vector<int> pipes;
  for (std::size_t job = 0; job < options.jobs; ++job) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork");
    if (child == 0) {
      const Counts counts = Fuzzer(options).run(job);
      const bool told = ::write(ends[1], &counts, sizeof counts) == sizeof counts;
      std::exit(told ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    ::close(ends[1]);
    pipes.push_back(ends[0]);
  }
  Counts sum;
  for (const int pipe : pipes) {
    Counts counts;
    if (::read(pipe, &counts, sizeof counts) != sizeof counts) {
      throw std::runtime_error("a process of the fuzzer died");
    }
    sum.done += counts.done;
    sum.unusable += counts.unusable;
    sum.mismatches += counts.mismatches;
    ::close(pipe);
  }
  while (::wait(nullptr) > 0) {
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  if (!parse(argc, argv, options)) {
    std::cerr << kUsage;
    return 2;
  }
  if (!options.apply.empty()) return apply_here(options);
  ::umask(022);
  wafers::test::use_hermetic_git();
  if (!options.replay.empty()) return Fuzzer(options).replay();
  if (const auto reason = Fuzzer(options).missing()) return skip(options, *reason);
  const Counts counts = run_all(options);
  std::printf(
      "fuzz: backend %s seed %llu: %zu cases of %zu rounds, %zu mismatches (%zu that git "
      "itself can't do)\n",
      options.backend.c_str(), static_cast<unsigned long long>(options.seed), counts.done,
      options.rounds, counts.mismatches, counts.unusable);
  return counts.mismatches == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const std::exception& error) {
  std::cerr << "wafers-fuzz: " << error.what() << '\n';
  return 2;
}
