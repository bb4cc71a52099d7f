#include "scenario.h"

#include <cstddef>
#include <stdexcept>

namespace wafers::fuzz {
namespace {

constexpr std::string_view kMove = "base.";
constexpr std::string_view kNear = "near.";

std::string with_prefix(std::string_view prefix, const std::vector<Operation>& operations) {
  std::string text;
  for (const Operation& operation : operations) {
    text += "  " + std::string(prefix) + fuzz::to_text(operation) + "\n";
  }
  return text;
}

/// Takes an operation with that prefix.
bool take(std::string_view prefix, Operation& line, std::vector<Operation>& operations) {
  if (!line.verb.starts_with(prefix)) return false;
  operations.push_back({line.verb.substr(prefix.size()), line.args});
  return true;
}

std::string to_text(const Round& round) {
  std::string text = "round\n";
  text += with_prefix(kMove, round.moves);
  if (round.before == Before::umount) text += "  umount\n";
  if (round.before == Before::kill) text += "  kill\n";
  if (round.inside) text += "  inside\n";
  if (round.patch) text += "  patch\n";
  for (const Operation& operation : round.operations)
    text += "  " + fuzz::to_text(operation) + "\n";
  for (const std::string& path : round.paths) text += "  only " + quote(path) + "\n";
  return text;
}

void add_line(Round& round, Operation line) {
  if (line.verb == "umount") {
    round.before = Before::umount;
  } else if (line.verb == "kill") {
    round.before = Before::kill;
  } else if (line.verb == "inside") {
    round.inside = true;
  } else if (line.verb == "patch") {
    round.patch = true;
  } else if (line.verb == "only") {
    round.paths.push_back(line.args.at(0));
  } else if (!take(kMove, line, round.moves)) {
    round.operations.push_back(std::move(line));
  }
}

}  // namespace

std::string to_text(const Scenario& scenario) {
  std::string text = scenario.real_times ? "times real\n" : "times fixed\n";
  if (scenario.frozen) text += "frozen\n";
  text += "base\n";
  for (const Operation& operation : scenario.base) text += "  " + to_text(operation) + "\n";
  text += with_prefix(kNear, scenario.near);
  for (const Round& round : scenario.rounds) text += to_text(round);
  return text;
}

Scenario parse_scenario(std::string_view text) {
  Scenario scenario;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line[0] == '#' || line == "base") continue;
    if (line.starts_with("times ")) {
      scenario.real_times = line == "times real";
    } else if (line == "frozen") {
      scenario.frozen = true;
    } else if (line == "round") {
      scenario.rounds.emplace_back();
    } else if (scenario.rounds.empty()) {
      Operation operation = parse_operation(line);
      if (!take(kNear, operation, scenario.near)) scenario.base.push_back(std::move(operation));
    } else {
      add_line(scenario.rounds.back(), parse_operation(line));
    }
  }
  return scenario;
}

}  // namespace wafers::fuzz
