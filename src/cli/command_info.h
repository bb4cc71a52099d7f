#pragma once

#include <string_view>

namespace wafers {
class LockedWafer;
}

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

/// What needs Git and belongs to commands of both programs, as each of them has it.
struct GitParts {
  Runner run = nullptr;  ///< runs the commands that need Git
  /// A PrepareLayers (core/view/mount.h).
  void (*heal)(LockedWafer& wafer, char** argv) = nullptr;
};

/// How this program was called.
struct Invocation {
  GitParts git;
  char** argv = nullptr;  ///< the whole command line, for a program that takes over
};

}  // namespace wafers::cli
