#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_info.h"
#include "cli/report.h"

namespace wafers::cli {

/// What stands behind `wafers <command>`. Split at the first "--", which CLI11 never gets to see:
/// what follows (a command to run, paths) is not parsed.
struct Arguments {
  std::vector<std::string> own;
  std::optional<std::vector<std::string>> tail;
  bool describe = false;  ///< nothing is to be parsed: Parser::parse() throws Description
  Invocation invocation = {};
};
Arguments split_arguments(std::vector<std::string> words);

/// Positional arguments, and what stands behind "--" as more of them.
std::vector<std::string> with_tail(std::vector<std::string> positional, const Arguments& arguments);

/// Thrown where help was asked for instead.
struct HelpWanted {
  std::string text;
};

/// One option of a command, as it was declared.
struct OptionInfo {
  std::vector<std::string> names;  ///< with their dashes
  std::string placeholder;         ///< what its value is, "a|b|c" for one of them; empty for a flag
  std::string description;
  bool is_repeated = false;
  bool is_attached = false;  ///< the value may be left out, and is part of the option's word
};

/// Thrown where the options were to be told: manual pages and shell completion are made from them.
struct Description {
  std::vector<OptionInfo> options;
};

/// Options of one command through CLI11. Positional arguments are taken here: CLI11 would split
/// "[a,b]", and take the name of a wafer called "ls" for a subcommand.
class Parser {
 public:
  Parser(const Command& command, const Arguments& arguments);

  void flag(const std::string& names, bool& value, const std::string& description);
  void option(const std::string& names, std::optional<std::string>& value,
              const std::string& placeholder, const std::string& description);
  /// An option that may be given several times, with one value each.
  void repeated(const std::string& names, std::vector<std::string>& values,
                const std::string& placeholder, const std::string& description);

  /// An option whose value may be left out, and is part of its word where it is given ("-Skey",
  /// "--gpg-sign=key"): the next word is never its value.
  void attached(const std::string& names, std::optional<std::string>& value,
                const std::string& placeholder, const std::string& description);

  /// Parses; returns the positional arguments. Of a long option's name as much is enough as no
  /// other begins with, as in git. Throws Error(usage), HelpWanted or Description.
  std::vector<std::string> parse();

  /// An Error(usage) that points to the command's help.
  Error usage(const std::string& message) const;

 private:
  struct Attached {
    std::string short_name, long_name;
    std::optional<std::string>* value;
  };
  std::vector<std::string> without_attached() const;
  std::vector<std::string> long_names() const;
  std::string in_full(const std::string& word) const;
  Error unknown(const std::string& option) const;
  OptionInfo& declared(const std::string& names, const std::string& placeholder,
                       const std::string& description);

  const Command& command_;
  const Arguments& arguments_;
  std::vector<Attached> attached_;
  std::vector<OptionInfo> options_;
  CLI::App app_;
};

}  // namespace wafers::cli
