#pragma once

#include <sys/types.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/git_repo.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace wafers::test {

using Words = std::vector<std::string>;

/// A base with one commit, a state directory that does not exist yet, and the wafers program.
/// Everything lies below one temporary directory; wafers that are left are removed at the end.
class World {
 public:
  /// `name` becomes part of every path: for odd characters.
  explicit World(const std::string& name = "world");
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  /// Runs wafers in the base.
  RunResult wafers(const Words& arguments, RunOptions options = {}) const;
  /// The same with another program.
  RunResult run_program(const std::filesystem::path& program, const Words& arguments,
                        RunOptions options) const;
  /// As wafers(); throws unless it exits with 0. Returns its stdout.
  std::string wafers_ok(const Words& arguments, const RunOptions& options = {}) const;
  /// The JSON document of `<arguments> --json`, whatever the exit status.
  nlohmann::json json(Words arguments) const;
  /// The entry of a wafer in `ls --json`.
  nlohmann::json listed(const std::string& name) const;
  /// Runs a shell script inside a wafer; throws unless it exits with 0. Returns its stdout.
  std::string inside(const std::string& name, const std::string& script) const;
  /// The same in the base, where nothing of wafers is called.
  std::string in_base(const std::string& script) const;
  /// The same in `copy`, a clone of the base beside it: where git does what wafers is to do.
  std::string in_copy(const std::string& script) const;
  /// `wafers add <name> --backend <backend> <more>`.
  void add(const std::string& name, const std::string& backend, const Words& more = {}) const;

  const GitRepo& base() const noexcept { return base_; }
  std::filesystem::path operator/(const std::filesystem::path& below) const { return top_ / below; }
  std::filesystem::path state() const { return top_ / "state"; }

  /// `text` with the temporary directory replaced by "{top}".
  std::string shortened(std::string text) const;

  /// Everything that a refused command must leave alone: refs and reflogs, HEAD, the base's index
  /// and files byte by byte, the state, whatever else lies below the temporary directory, and what
  /// is mounted there with the processes that keep it so.
  std::string everything() const;

 private:
  TempDir top_;
  GitRepo base_;
};

/// Starts a process that stays inside a wafer, and returns its pid; end it by kill_and_wait().
pid_t start_inside(const World& world, const std::string& name);

/// A command line that is to fail, with its exit status and all of its stderr, "{top}" for the
/// temporary directory.
struct Refusal {
  Words arguments;
  int status = 0;
  std::string err;
};

/// The lines of what World::everything() said that are gone or new; empty where nothing changed.
std::string changes(const std::string& before, const std::string& after);

/// Checks that it fails like this, prints no data, and changes nothing.
void check_refused(const World& world, const Refusal& wanted, const RunOptions& options = {});

/// The hint of wrong usage.
std::string see_help(const std::string& command);

/// The backends that work for this user on this host. What is expected to work and doesn't is a
/// failure where WAFERS_TESTS_MUST_RUN is set, else said once on stderr. WAFERS_TESTS_BACKEND names
/// the one that is to be tested alone.
const std::vector<std::string>& working_backends();

/// The backend of working_backends() to use where any will do.
std::string any_backend();

}  // namespace wafers::test
