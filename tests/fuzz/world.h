#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scenario.h"
#include "support/run.h"

namespace wafers::fuzz {

/// What every case of a run needs.
struct Tools {
  std::filesystem::path wafers = {};      ///< the program under test
  std::filesystem::path self = {};        ///< this program: it runs in the view
  std::filesystem::path repository = {};  ///< see Applier; and `empty.git` for the base
  std::string backend = {};
};

/// Makes the templates in `directory`.
void make_templates(const std::filesystem::path& directory);

/// What was not as git has it.
struct Mismatch {
  std::string what;
};

/// This host has no views of that kind.
struct Unsupported {
  std::string why;
};

/// The scenario can't be compared: git itself gets no clean base out of it, or gives up later.
struct Unusable {
  std::string why;
};

/// A base, a wafer of it, and a plain copy of the base in which git works.
class World {
 public:
  /// Makes all of them in `directory`. Throws Unsupported, Unusable, Mismatch, std::runtime_error.
  World(const Tools& tools, const Scenario& scenario, std::filesystem::path directory);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  /// Does one round in the view and in the copy, and compares. Throws Mismatch.
  void play(const Round& round);
  /// Compares what can be compared only once, and removes the wafer. Throws Mismatch.
  void finish();

 private:
  void make_base(const std::vector<Operation>& operations);
  void make_copy();
  void check_out_copy_afresh() const;
  void configure(const std::string& key, const std::string& value) const;
  void absorb(const std::string& path) const;
  void commit_base(const std::vector<std::string>& forced, const std::vector<std::string>& sparse);
  void freeze_near(const std::vector<Operation>& operations) const;
  void add_wafer();

  void move(const std::vector<Operation>& moves);
  bool git_can_check_out() const;
  void disturb(Before before);
  void kill_holder();
  void apply(const std::vector<Operation>& operations);
  std::string status_without_stat_data() const;
  void compare_status(const char* when);
  void compare_commit(const Round& round);
  void refused_commit(const Round& round, const test::RunResult& theirs,
                      const test::RunResult& ours, const std::string& tip);
  bool adds_nothing_of_some(const Round& round) const;
  void compare_patch(const std::string& patch, const std::string& tip, const std::string& tree);
  void compare_base() const;
  void compare_objects() const;

  test::RunResult git(const std::filesystem::path& where, std::vector<std::string> arguments,
                      const test::RunOptions& options = {}) const;
  std::string git_ok(const std::filesystem::path& where, std::vector<std::string> arguments) const;
  test::RunResult wafers(std::vector<std::string> arguments) const;
  test::RunResult wafers_in(const std::filesystem::path& where,
                            std::vector<std::string> arguments) const;
  std::string tip_of_copy() const;
  std::string tip_of_wafer() const;
  std::string digest_of_base() const;

  const Tools& tools_;
  std::filesystem::path directory_;
  std::filesystem::path base_, copy_;
  std::filesystem::path base_git_, copy_git_;  ///< the common directories
  std::string branch_ = "main";
  bool linked_ = false;
  bool real_times_;
  bool frozen_;
  bool sparse_ = false;
  bool moved_ = false;
  bool added_ = false;
  std::int64_t round_ = 0;
  std::string digest_;
};

}  // namespace wafers::fuzz
