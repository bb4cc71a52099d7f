#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/parser.h"

namespace wafers::cli {

/// How an option is written: "-m, --message <message>", "-U, --unified[=<n>]".
std::string shown(const OptionInfo& option);

/// The options that stand before the command, by the manual page of wafers.
std::vector<OptionInfo> common_options();

/// What `wafers help` prints: the commands.
std::string overview();

/// What `<command> --help` prints: usage, description, arguments, options and examples.
std::string help_text(const Command& command, const std::vector<OptionInfo>& options);

}  // namespace wafers::cli
