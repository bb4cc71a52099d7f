#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace wafers {

/// A program that goes on in the background after the command that started it.
struct BackgroundServer {
  std::string what;        ///< "keeps keys for gpg"
  std::string how_to_end;  ///< a command line
};

/// What the process `pid` is, by its name in /proc/<pid>/comm and its command line with blanks
/// between the words; absent where it is none that is known here.
std::optional<BackgroundServer> known_server(pid_t pid, std::string_view comm,
                                             std::string_view command_line);

}  // namespace wafers
