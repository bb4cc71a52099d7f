#pragma once

#include <string_view>

namespace wafers::cli {

// The scripts of src/cli/completion/, as they were when this was built, with `@key@` where
// completion.cpp puts what depends on the commands.

std::string_view bash_script();
std::string_view zsh_script();
std::string_view fish_script();

}  // namespace wafers::cli
