#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wafers {

/// Where ssh looks for its configuration.
struct SshConfigRoots {
  std::filesystem::path home;                 ///< ~/.ssh/config is read below it
  std::vector<std::filesystem::path> system;  ///< files for all users, which include others
};
/// Those of ssh(1) for the caller, by $HOME.
SshConfigRoots ssh_config_roots();

/// ssh reads a user's file, and whatever any file includes, only where it is the caller's own or
/// root's (readconf.c: SSHCONF_CHECKPERM). In a user namespace that doesn't map root, root's files
/// show as nobody's and are refused, and with them every use of ssh. These are the files of root's
/// that ssh reads and takes outside, real paths, each once. None where the caller is root. A file
/// that can't be read, and an include with %-tokens or variables, is passed over. Throws nothing.
std::vector<std::filesystem::path> ssh_files_of_root(const SshConfigRoots& roots);

}  // namespace wafers
