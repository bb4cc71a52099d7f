#pragma once

#include <string_view>

namespace wafers::cli {

struct Arguments;
struct Command;
class Report;

/// Parses a command's arguments, calls core and reports. Returns the exit status, or throws Error.
using Runner = int (*)(const Command& command, const Arguments& arguments, Report& report);

/// One command: its words in the help, and what runs it.
struct Command {
  std::string_view name;
  std::string_view usage;    ///< what follows "wafers <name>"
  std::string_view summary;  ///< one line
  Runner run;                ///< null where it needs Git and this program is `wafers`
};

/// How this program was called.
struct Invocation {
  Runner git = nullptr;   ///< runs the commands that need Git
  char** argv = nullptr;  ///< the whole command line, for a program that takes over
};

}  // namespace wafers::cli
