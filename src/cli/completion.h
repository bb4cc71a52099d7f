#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/parser.h"

namespace wafers::cli {

/// What can stand somewhere on the command line.
enum class Completes { nothing, names, commands, shells, files, directories, backends, whens };

/// One command as a shell needs to know it.
struct CommandInfo {
  std::string name;
  std::string summary;
  std::vector<OptionInfo> options;
  Completes positional = Completes::nothing;
  enum class Tail { nothing, command, files } tail = Tail::nothing;  ///< what stands behind "--"
};

/// What the value of an option is.
Completes completes(const OptionInfo& option);

/// The words to choose from, where they are always the same.
std::vector<std::string> fixed_words(Completes what);

std::string bash_completion(const std::vector<CommandInfo>& commands);
std::string zsh_completion(const std::vector<CommandInfo>& commands);
std::string fish_completion(const std::vector<CommandInfo>& commands);

}  // namespace wafers::cli
