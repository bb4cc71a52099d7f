#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/parser.h"

namespace wafers::cli {

/// An argument that a usage names: "<name>...", or "a|b|c", one of these words.
struct ArgumentInfo {
  std::string placeholder;
  bool is_repeated = false;
  bool is_behind_dashes = false;

  bool operator==(const ArgumentInfo&) const = default;
};

/// One command, as it declares itself.
struct CommandInfo {
  std::string name;
  std::string summary;
  std::string usage;
  std::vector<OptionInfo> options;
  std::vector<ArgumentInfo> arguments;
};

/// Those of the usage's words that are no options, and no values of options.
std::vector<ArgumentInfo> arguments_in(std::string_view usage);

/// All commands, in the order of the help. Those that need Git are asked for their options too, by
/// `invocation`.
std::vector<CommandInfo> describe_all(const Invocation& invocation);

}  // namespace wafers::cli
