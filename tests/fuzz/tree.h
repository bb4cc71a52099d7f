#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace wafers::fuzz {

/// What ends the functions on trees below.
struct TreeError {
  int error;  ///< errno
};

/// Everything in a directory but `.` and `..`, sorted. Throws TreeError.
std::vector<std::string> names_in(int dirfd);

/// The whole file. Throws TreeError.
std::string content_of(int fd);

/// As `cp -a --no-preserve=links`: what git can't see of a copy, but for times, is left out.
/// Throws TreeError.
void copy_tree(int from_dirfd, const std::string& from, int to_dirfd, const std::string& to);

/// As `rm -r`. Throws TreeError.
void remove_tree_at(int dirfd, const std::string& name);

/// Every file below `root`, one line each: type, permissions, size and a hash of the content.
/// `.git` of `root` itself is left out.
enum class Inner { leave_out, list };
std::string listing(const std::filesystem::path& root, Inner inner);

struct Entry {
  std::string path;
  char type;  ///< `f`ile, `d`irectory, `l`ink or `s`pecial
};
/// The same as a list, in the order of a walk, without reading files. `.git` is left out
/// everywhere.
std::vector<Entry> entries_below(const std::filesystem::path& root);

}  // namespace wafers::fuzz
