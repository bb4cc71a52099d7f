#pragma once

#include <string>
#include <vector>

#include "cli/described.h"

namespace wafers::cli {

// Scripts that complete words in a shell, made of what the commands say of themselves.
std::string bash_completion(const std::vector<CommandInfo>& commands);
std::string zsh_completion(const std::vector<CommandInfo>& commands);
std::string fish_completion(const std::vector<CommandInfo>& commands);

}  // namespace wafers::cli
