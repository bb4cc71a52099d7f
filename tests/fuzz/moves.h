#pragma once

#include <string>
#include <utility>
#include <vector>

#include "operation.h"
#include "random.h"
#include "vocabulary.h"

namespace wafers::fuzz {

/// What people do in the checkout while an agent is at work in a view of it. Nothing is tried:
/// where a file isn't there, or git refuses, an operation does nothing.
///
/// Besides what an Applier does:
///   git ARGUMENT...       in the checkout
///   wafers ARGUMENT...    there too; must do what git can, and leave the checkout alone
class Moves {
 public:
  /// `branch` is checked out at first, and has `paths`.
  Moves(Random& random, Vocabulary& words, std::string branch, std::vector<std::string> paths)
      : random_(random), words_(words), branch_(std::move(branch)), paths_(std::move(paths)) {}

  /// By which one commit differs from another. Rules are left alone, and no file becomes a
  /// directory or the reverse: a delta layer writes again what git's checkout would, and ignored
  /// files of the checkout stay in place.
  std::vector<Operation> small_change();
  /// What happens between two rounds.
  std::vector<Operation> make();

 private:
  std::string some_path();
  std::string new_path();
  std::string some_commit();
  void git(std::vector<std::string> arguments);
  void edit();
  void edits();
  void commit();
  void check_out();
  void stash();
  void take_back();
  void merge();
  void keep_house();
  void freeze();

  Random& random_;
  Vocabulary& words_;
  std::string branch_;
  std::vector<std::string> paths_;  ///< that there are, or have been
  std::vector<Operation> made_ = {};
};

}  // namespace wafers::fuzz
