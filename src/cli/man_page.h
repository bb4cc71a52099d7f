#pragma once

#include <string>
#include <vector>

#include "cli/command_info.h"

namespace wafers::cli {

struct ManPage {
  std::string name;  ///< "wafers-add"
  int section = 1;
  std::string text;  ///< for man(1), by the macros of man(7)
};

/// A page for the program, one for each command, and those that tell how to use it. What they say
/// is what the help says: texts of src/cli/manual, and the options that the commands declare.
std::vector<ManPage> man_pages(const std::string& date, const GitParts& git);

}  // namespace wafers::cli
