#include "core/state/taken.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <functional>
#include <string>

#include "example_wafer.h"
#include "support/catch.h"
#include "support/read_hook.h"
#include "support/temp_dir.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;
using test::TempDir;

constexpr int kCount = 40;  // more than what is worth remembering

std::string name_of(int i) { return "w" + std::to_string(i); }

Wafer example(const std::string& name) {
  Wafer wafer = test::example_wafer(name);
  wafer.mountpoint = "/views/new\nline/" + name;
  wafer.mountpoint_parents = {"/views", "/views/new\nline"};
  wafer.created_at = "2026-01-01T00:00:00Z";
  return wafer;
}

/// A state with many wafers, of which list_taken() has remembered all.
class State {
 public:
  State() {
    for (int i = 0; i < kCount; ++i) std::ignore = store.create_wafer(example(name_of(i)));
    list_taken(store);
    set_written(kLater);
  }

  fs::path record(const std::string& name) const { return store.directory_of(name) / kRecordFile; }

  /// When the memory was written, for all that its reader knows.
  void set_written(std::time_t time) const {
    const std::array<timespec, 2> times{{{time, 0}, {time, 0}}};
    REQUIRE(::utimensat(AT_FDCWD, memory.c_str(), times.data(), 0) == 0);
  }

  /// How often a list reads this record, which it gets right.
  int reads_of(const std::string& name) const {
    const test::ReadHook hook(record(name), 1000, [] {});
    require_right();
    return hook.calls();
  }

  /// What is listed is what the records say.
  void require_right() const {
    std::vector<Taken> expected;
    for (const Wafer& wafer : store.list().wafers) expected.push_back(taken_by(wafer));
    REQUIRE(list_taken(store) == expected);
  }

  static constexpr std::time_t kLater = 4'000'000'000;
  TempDir temp;
  Store store{temp.path()};
  fs::path memory = temp / kTakenFile;
};

/// store.list() of require_right() reads each record, too.
int reads_by_list(const State& state) {
  const test::ReadHook hook(state.record("w7"), 1000, [] {});
  std::ignore = state.store.list();
  return hook.calls();
}

TEST_CASE("a record is read once to tell what wafers have taken") {
  const State state;
  REQUIRE(fs::exists(state.memory));
  CHECK(state.reads_of("w7") == reads_by_list(state));
}

TEST_CASE("a record that may have changed in the tick in which it was remembered is read again") {
  const State state;
  state.set_written(1);
  CHECK(state.reads_of("w7") == 2 * reads_by_list(state));
}

TEST_CASE("what wafers have taken follows their records") {
  const State state;
  Wafer changed = example("w7");
  changed.branch = "wafers/w8";  // as long as it was
  state.store.save(changed);
  state.require_right();
  fs::remove_all(state.store.directory_of("w9"));
  state.require_right();
  std::ignore = state.store.create_wafer(example("w9"));
  std::ignore = state.store.create_wafer(example("zz"));
  state.require_right();
  std::ofstream(state.record("w3")) << "{";
  state.require_right();
}

TEST_CASE("what is remembered of wafers is believed as a whole or not at all") {
  const State state;
  std::ifstream file(state.memory);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  const std::vector<std::function<void()>> damages{
      [&] { std::ofstream(state.memory) << whole.substr(0, whole.size() / 2); },
      [&] { std::ofstream(state.memory) << whole.substr(0, whole.size() - 1); },
      [&] { std::ofstream(state.memory) << "wafers taken 2" << whole.substr(14); },
      [&] { std::ofstream(state.memory) << std::string(whole.size(), '\0'); },
      [&] { fs::resize_file(state.memory, 0); },
      [&] { fs::resize_file(state.memory, std::uintmax_t{1} << 40U); },
      [&] { fs::permissions(state.memory, fs::perms{0622}); },
      [&] { fs::remove(state.memory); },
      [&] {
        fs::remove(state.memory);
        fs::create_directory(state.memory);
      },
      [&] {
        fs::remove(state.memory);
        REQUIRE(::mkfifo(state.memory.c_str(), 0600) == 0);
      },
  };
  damages.at(GENERATE(range(std::size_t{0}, std::size_t{10})))();
  if (fs::is_regular_file(state.memory)) state.set_written(State::kLater);
  CHECK(state.reads_of("w7") == 2 * reads_by_list(state));
}

}  // namespace
}  // namespace wafers
