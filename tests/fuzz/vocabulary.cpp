#include "vocabulary.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace wafers::fuzz {
namespace {

using std::string;
using std::string_view;

constexpr std::array<string_view, 12> kStems{"a",    "b",    "main", "util",   "test", "x",
                                             "keep", "core", "tmp",  "README", "A",    "out"};
// Those of the attributes below, and the ones that people ignore.
constexpr std::array<string_view, 13> kExtensions{"",      ".o", ".txt", ".c", ".log", ".id", ".up",
                                                  ".crlf", ".l", ".b",   ".h", ".r",   "~"};
constexpr std::array<string_view, 12> kDirectories{"d",   "dir", "src",  "build", "lib", "out",
                                                   "tmp", "e",   "docs", "test",  "Src", "n"};
constexpr std::array<string_view, 36> kOdd{
    "a b", "-n", "--", "q\"q", "it's", "back\\slash", "new\nline", "tab\t", "\x01\x7f", "\xff\xfe",
    "latin\xe4", "\xc3\xa4\xc3\xb6", "\xe6\x97\xa5\xe6\x9c\xac", "e\xcc\x81", "*", "[a]", "?",
    "#hash", "!bang", " lead", "trail ", ".hidden", "...", "..x",
    // Around a directory's place in git's order.
    "d-", "d.c", "d0", "dir-", "dir.c", "dir0",
    // Near git's own names.
    ".gitx", ".gitkeep", ".git-x", "gitignore", ".gitignore~", "HEAD"};

}  // namespace

Vocabulary::Vocabulary(Random& random, bool overlay_names) : random_(random) {
  for (std::size_t i = 0; i < 5; ++i) stems_.emplace_back(random_.pick(kStems));
  for (std::size_t i = 0; i < 4; ++i) directories_.emplace_back(random_.pick(kDirectories));
  const std::size_t odd = random_.percent(50) ? 0 : random_.between(1, 6);
  for (std::size_t i = 0; i < odd; ++i) odd_.emplace_back(random_.pick(kOdd));
  if (overlay_names && random_.percent(10)) {
    for (const char* name : {".wh.", ".wh..wh..opq", ".wh..opq"}) odd_.emplace_back(name);
    odd_.push_back(".wh." + stems_[0]);
  }
}

string Vocabulary::name() {
  if (!odd_.empty() && random_.percent(25)) return random_.pick(odd_);
  return random_.pick(stems_) + string(random_.pick(kExtensions));
}

string Vocabulary::directory_name() {
  if (!odd_.empty() && random_.percent(15)) return random_.pick(odd_);
  return random_.percent(5) ? name() : random_.pick(directories_);
}

string Vocabulary::line() {
  static constexpr std::array<string_view, 6> kWords{"alpha", "beta",        "gamma",
                                                     "$Id$",  "$Id: 1234 $", "int x;"};
  string text(random_.pick(kWords));
  if (random_.percent(30)) text += std::to_string(random_.below(100));
  return text + (random_.percent(25) ? "\r\n" : "\n");
}

string Vocabulary::content(const string& path) {
  string text;
  if (random_.percent(5)) return text;
  const std::size_t lines = random_.between(1, random_.percent(10) ? 60 : 5);
  const bool uniform = random_.percent(70);
  for (std::size_t i = 0; i < lines; ++i) {
    string next = line();
    if (uniform && next.ends_with("\r\n")) next.erase(next.size() - 2, 1);
    text += next;
  }
  if (random_.percent(15)) text.pop_back();
  if (random_.percent(5)) text += string_view("\0\x01\xff", 3);
  if (random_.percent(3)) text += "\r";
  if (random_.percent(2)) text += "\x1a";
  if (!path.ends_with(".utf16")) return text;
  string wide;
  for (const char c : text) wide += {c, '\0'};
  return wide;
}

string Vocabulary::glob() {
  const string stem = random_.pick(stems_);
  const string extension(random_.pick(kExtensions));
  switch (random_.below(10)) {
    case 0:
      return "*" + extension;
    case 1:
      return stem + "*";
    case 2:
      return stem + extension;
    case 3:
      return "?" + extension;
    case 4:
      return "[!a]*" + extension;
    case 5:
      return "*.[oc]";
    case 6:
      return random_.pick(directories_);
    case 7:
      return "*";
    case 8:
      return "[[:alpha:]]" + extension;
    default:
      return "*" + stem.substr(stem.size() / 2) + extension;
  }
}

string Vocabulary::ignore_rule(const std::vector<string>& paths) {
  const string some = paths.empty() ? "a" : random_.pick(paths);
  const string directory = random_.pick(directories_);
  switch (random_.below(22)) {
    case 0:
      return "/" + some;
    case 1:
      return some;
    case 2:
      return some + "/";
    case 3:
      return "!" + some;
    case 4:
      return "!/" + some;
    case 5:
      return directory + "/";
    case 6:
      return "/" + directory + "/";
    case 7:
      return directory + "/*";
    case 8:
      return directory + "/**";
    case 9:
      return "**/" + glob();
    case 10:
      return directory + "/**/" + glob();
    case 11:
      return "!" + glob();
    case 12:
      return "!" + directory + "/" + glob();
    case 13:
      return "!*/";
    case 14:
      return "/*";
    case 15:
      return "# " + some;
    case 16:
      return glob() + " ";
    case 17:
      return glob() + "\\ ";
    case 18:
      return odd_.empty() ? "\\#hash" : random_.pick(odd_);
    case 19:
      return "\\" + some;
    case 20:
      return glob() + "\r";
    default:
      return glob();
  }
}

string Vocabulary::ignore_rules(const std::vector<string>& paths) {
  string text = random_.percent(3) ? "\xef\xbb\xbf" : "";
  const std::size_t lines = random_.between(1, 5);
  for (std::size_t i = 0; i < lines; ++i) text += ignore_rule(paths) + "\n";
  if (random_.percent(5)) text.pop_back();
  return text;
}

string Vocabulary::attribute_rule(const std::vector<string>& paths, bool at_top) {
  static constexpr std::array<string_view, 22> kStates{"text",
                                                       "-text",
                                                       "text=auto",
                                                       "!text",
                                                       "eol=crlf",
                                                       "eol=lf",
                                                       "text eol=crlf",
                                                       "text=auto eol=crlf",
                                                       "text=auto eol=lf",
                                                       "binary",
                                                       "-crlf",
                                                       "crlf",
                                                       "crlf=input",
                                                       "ident",
                                                       "-ident",
                                                       "filter=up",
                                                       "-filter",
                                                       "!filter",
                                                       "raw",
                                                       "-raw",
                                                       "-diff",
                                                       "diff=x merge=y"};
  if (at_top && random_.percent(10)) return "[attr]raw -text";
  string pattern;
  switch (random_.below(8)) {
    case 0:
      pattern = "*";
      break;
    case 1:
      pattern = random_.pick(directories_) + "/**";
      break;
    case 2:
      pattern = paths.empty() ? "a" : random_.pick(paths);
      break;
    case 3:
      pattern = "/" + glob();
      break;
    case 4:
      pattern = "**/" + glob();
      break;
    default:
      pattern = glob();
  }
  if (pattern.find_first_of(" \t\n\"\\#!\r") != string::npos) pattern = "*.txt";
  if (random_.percent(4)) pattern = '"' + pattern + '"';
  return pattern + " " + string(random_.pick(kStates));
}

string Vocabulary::attributes(const std::vector<string>& paths, bool at_top) {
  string text;
  const std::size_t lines = random_.between(1, 4);
  for (std::size_t i = 0; i < lines; ++i) text += attribute_rule(paths, at_top) + "\n";
  if (at_top && random_.percent(10)) text += "*.utf16 working-tree-encoding=UTF-16LE\n";
  return text;
}

string Vocabulary::link_target(const std::vector<string>& paths) {
  switch (random_.below(5)) {
    case 0:
      return "nowhere";
    case 1:
      return "/nonexistent/" + name();
    case 2:
      return "../" + name();
    default:
      return paths.empty() ? "." : random_.pick(paths);
  }
}

}  // namespace wafers::fuzz
