#include "core/view/background_server.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace wafers {
namespace {

struct Known {
  std::string_view comm;  ///< as the kernel cuts it, to 15 characters
  std::string_view word;  ///< that the command line has as well
  std::string_view what;
  std::string_view how_to_end;
};

constexpr std::array kKnown{
    Known{"gpg-agent", "", "keeps keys for gpg", "gpgconf --kill gpg-agent"},
    Known{"scdaemon", "", "reads smart cards for gpg", "gpgconf --kill scdaemon"},
    Known{"keyboxd", "", "keeps keys for gpg", "gpgconf --kill keyboxd"},
    Known{"dirmngr", "", "looks keys up for gpg", "gpgconf --kill dirmngr"},
    Known{"tmux: server", "", "has all sessions of tmux", "tmux kill-server"},
    Known{"screen", "", "has a session of screen", "screen -X quit"},
    Known{"watchman", "", "watches files", "watchman shutdown-server"},
    Known{"git", "fsmonitor--daemon", "watches files for git", "git fsmonitor--daemon stop"},
    Known{"git", "credential-cache--daemon", "keeps passwords for git",
          "git credential-cache exit"},
    Known{"git-credential-", "cache--daemon", "keeps passwords for git",
          "git credential-cache exit"},
    Known{"java", "GradleDaemon", "builds for gradle", "gradle --stop"},
    Known{"java", "KotlinCompileDaemon", "compiles for gradle", "gradle --stop"},
    Known{"sccache", "", "caches what is compiled", "sccache --stop-server"},
    Known{"adb", "fork-server", "talks to devices", "adb kill-server"},
};

/// "ssh: <path> [mux]": a master connection, as it calls itself (ssh's clientloop.c).
std::optional<BackgroundServer> ssh_master(std::string_view line) {
  constexpr std::string_view kStart = "ssh: ";
  constexpr std::string_view kEnd = " [mux]";
  if (!line.starts_with(kStart) || !line.ends_with(kEnd)) return std::nullopt;
  line.remove_prefix(kStart.size());
  line.remove_suffix(kEnd.size());
  return BackgroundServer{"shares a connection of ssh",
                          "ssh -S " + shell_quoted(line) + " -O exit -"};
}

}  // namespace

std::optional<BackgroundServer> known_server(pid_t pid, std::string_view comm,
                                             std::string_view command_line) {
  if (comm == "ssh") return ssh_master(command_line);
  if (comm == "ssh-agent") {
    return BackgroundServer{"keeps keys for ssh", "kill " + std::to_string(pid)};
  }
  if (comm.starts_with("bazel(")) return BackgroundServer{"builds for bazel", "bazel shutdown"};
  const auto* const found = std::ranges::find_if(kKnown, [&](const Known& known) {
    return comm == known.comm && command_line.find(known.word) != std::string_view::npos;
  });
  if (found == kKnown.end()) return std::nullopt;
  return BackgroundServer{std::string(found->what), std::string(found->how_to_end)};
}

}  // namespace wafers
