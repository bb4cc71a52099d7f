#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace wafers {

/// A program that is given all of its input and runs to its end.
struct ProgramResult {
  int status = 0;  ///< exit status, or 128 + the signal
  std::string output;
  std::string errors;

  bool success() const noexcept { return status == 0; }
};

/// This process's environment without the variables that tie git to one repository, of those that
/// `git rev-parse --local-env-vars` lists. Configuration given in the environment stays: wafers
/// heeds it as well.
std::vector<std::string> environment_without_repository();

/// Runs `argv`, found on PATH, in `directory` with `input` as its standard input and
/// environment_without_repository(). A program that
/// isn't found gives status 127, as in a shell. Throws Error(failed) where it can't be started.
ProgramResult run_program(const std::vector<std::string>& argv,
                          const std::filesystem::path& directory, std::string_view input);

/// The words of a command line as git splits the ones that it gives to no shell (alias.c:
/// split_cmdline): at blanks, with '...', "..." and \x as in a shell. Throws Error(failed) where a
/// quote isn't closed.
std::vector<std::string> split_command_line(std::string_view line);

}  // namespace wafers
