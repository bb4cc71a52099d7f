#include "moves.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace wafers::fuzz {

std::vector<Operation> Moves::small_change() {
  std::vector<Operation> changes;
  const std::size_t count = random_.between(1, 3);
  for (std::size_t i = 0; i < count; ++i) {
    const bool fresh = random_.percent(25);
    const std::string path = fresh ? "near" + std::to_string(i) : some_path();
    const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
    if (name.starts_with(".git")) continue;
    if (!fresh && random_.percent(30)) {
      changes.push_back({"unlink", {path}});
    } else {
      changes.push_back({fresh ? "write" : "append", {path, words_.content(path)}});
    }
  }
  return changes;
}

std::vector<Operation> Moves::make() {
  using Make = void (Moves::*)();
  static constexpr std::array<std::pair<unsigned, Make>, 8> kKinds{{
      {30, &Moves::edits},
      {18, &Moves::commit},
      {18, &Moves::check_out},
      {12, &Moves::stash},
      {12, &Moves::take_back},
      {4, &Moves::merge},
      {3, &Moves::keep_house},
      {3, &Moves::freeze},
  }};
  made_.clear();
  const std::size_t things = random_.below(5);
  for (std::size_t i = 0; i < things; ++i) {
    std::size_t ticket = random_.below(100);
    for (const auto& [weight, make] : kKinds) {
      if (ticket < weight) {
        (this->*make)();
        break;
      }
      ticket -= weight;
    }
  }
  return std::move(made_);
}

std::string Moves::some_path() { return paths_.empty() ? new_path() : random_.pick(paths_); }

std::string Moves::new_path() {
  std::string path = words_.name();
  if (random_.percent(40)) path = words_.directory_name() + "/" + path;
  // A directory becomes a file, or the reverse.
  if (random_.percent(10) && !paths_.empty()) path = random_.pick(paths_) + "/" + path;
  paths_.push_back(path);
  return path;
}

/// As git understands it. The wafer's own branch is looked at, never taken.
std::string Moves::some_commit() {
  switch (random_.below(6)) {
    case 0:
      return "side";
    case 1:
      return "other";
    case 2:
      return "wafers/fz";
    case 3:
      return "HEAD~1";
    default:
      return branch_;
  }
}

void Moves::git(std::vector<std::string> arguments) {
  made_.push_back({"git", std::move(arguments)});
}

void Moves::edit() {
  const std::string path = some_path();
  switch (random_.below(12)) {
    case 0:
    case 1:
      made_.push_back({"append", {path, words_.line()}});
      break;
    case 2:
    case 3:
      made_.push_back({"write", {path, words_.content(path)}});
      break;
    case 4:
      made_.push_back({"save", {path, words_.content(path)}});
      break;
    case 5:
      made_.push_back({"chmod", {path, random_.percent(50) ? "755" : "700"}});
      break;
    case 6:
    case 7:
      made_.push_back({"rmtree", {path}});
      break;
    case 8:
      made_.push_back({"rename", {path, new_path()}});
      break;
    case 9:
      made_.push_back({"rmtree", {path}});
      made_.push_back({"symlink", {path, words_.link_target(paths_)}});
      break;
    case 10: {
      const bool ignore = random_.percent(70);
      made_.push_back({"write",
                       {ignore ? ".gitignore" : ".gitattributes",
                        ignore ? words_.ignore_rules(paths_) : words_.attributes(paths_, true)}});
      break;
    }
    default: {
      const std::string fresh = new_path();
      made_.push_back({"write", {fresh, words_.content(fresh)}});
    }
  }
}

void Moves::edits() {
  const std::size_t count = random_.between(1, random_.percent(20) ? 15 : 4);
  for (std::size_t i = 0; i < count; ++i) edit();
}

/// On a branch of its own, mostly.
void Moves::commit() {
  if (random_.percent(75)) git({"checkout", "-q", "-B", random_.percent(50) ? "side" : "other"});
  edits();
  git({"add", "-A"});
  git({"commit", "-q", "--allow-empty", "-m", "moved"});
}

void Moves::check_out() {
  std::vector<std::string> arguments{"checkout", "-q"};
  if (random_.percent(50)) arguments.emplace_back("--force");
  const std::string commit = some_commit();
  if (commit.starts_with("wafers/")) arguments.emplace_back("--detach");
  arguments.push_back(commit);
  git(std::move(arguments));
}

void Moves::stash() {
  if (random_.percent(40)) return git({"stash", "pop", "-q"});
  std::vector<std::string> arguments{"stash", "push", "-q"};
  if (random_.percent(50)) {
    arguments.emplace_back(random_.percent(70) ? "--include-untracked" : "--all");
  }
  git(std::move(arguments));
}

void Moves::take_back() {
  if (random_.percent(50)) return git({"clean", random_.percent(70) ? "-fdxq" : "-fdq"});
  git({"reset", "-q", "--hard", random_.percent(50) ? "HEAD" : some_commit()});
}

void Moves::merge() { git({"merge", "-q", "--no-edit", "wafers/fz"}); }

void Moves::keep_house() {
  if (random_.percent(50)) return git({"repack", "-a", "-d", "-q"});
  git({"prune", "--expire=now"});
}

/// What other wafers that come and go make of the snapshots.
void Moves::freeze() {
  switch (random_.below(4)) {
    case 0:
      made_.push_back({"wafers", {"freeze"}});
      break;
    case 1:
      made_.push_back({"wafers", {"freeze", "--refresh"}});
      break;
    case 2:
      made_.push_back({"wafers", {"prune"}});
      break;
    default:
      made_.push_back({"wafers", {"add", "second", "--frozen"}});
      made_.push_back({"wafers", {"rm", "second"}});
  }
}

}  // namespace wafers::fuzz
