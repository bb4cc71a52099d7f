#include "cli/completion.h"

#include <algorithm>

#include "base/text.h"
#include "cli/completion_scripts.h"

namespace wafers::cli {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view separator = " ") {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::vector<std::string> names_of(const std::vector<CommandInfo>& commands) {
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const CommandInfo& command : commands) names.push_back(command.name);
  return names;
}

std::vector<std::string> option_names(const CommandInfo& command) {
  std::vector<std::string> names;
  for (const OptionInfo& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

/// `text` with every `@key@` of `parts` replaced.
std::string filled(std::string text,
                   const std::vector<std::pair<std::string, std::string>>& parts) {
  for (const auto& [key, value] : parts) {
    const std::string mark = "@" + key + "@";
    for (std::size_t at = text.find(mark); at != std::string::npos;
         at = text.find(mark, at + value.size())) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

/// How a shell is told what to offer: functions of the scripts below.
std::string offer(Completes what, const std::vector<CommandInfo>& commands) {
  switch (what) {
    case Completes::nothing:
      return "_wafers_nothing";
    case Completes::names:
      return "_wafers_names";
    case Completes::files:
      return "_wafers_files";
    case Completes::directories:
      return "_wafers_directories";
    case Completes::commands:
      return "_wafers_words " + joined(names_of(commands));
    case Completes::shells:
    case Completes::backends:
    case Completes::whens:
      break;
  }
  return "_wafers_words " + joined(fixed_words(what));
}

/// Branches of a shell's `case "<command> <previous word>"` for the values of options.
std::string value_cases(const std::vector<CommandInfo>& commands) {
  std::string text;
  for (const CommandInfo& command : commands) {
    for (const OptionInfo& option : command.options) {
      if (option.placeholder.empty()) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) {
        patterns.push_back("'" + command.name + " " + name + "'");
      }
      text += "    " + joined(patterns, " | ") + ") " + offer(completes(option), commands) +
              "; return ;;\n";
    }
  }
  return text;
}

std::string option_cases(const std::vector<CommandInfo>& commands) {
  std::string text;
  for (const CommandInfo& command : commands) {
    text += "      " + command.name + ") _wafers_words " + joined(option_names(command)) + " ;;\n";
  }
  return text;
}

std::string positional_cases(const std::vector<CommandInfo>& commands) {
  std::string text;
  for (const CommandInfo& command : commands) {
    text += "    " + command.name + ") " + offer(command.positional, commands) + " ;;\n";
  }
  return text;
}

std::vector<std::string> commands_with(const std::vector<CommandInfo>& commands,
                                       CommandInfo::Tail tail) {
  std::vector<std::string> names;
  for (const CommandInfo& command : commands) {
    if (command.tail == tail) names.push_back(command.name);
  }
  return names;
}

std::string filled_for_posix(std::string_view script, const std::vector<CommandInfo>& commands) {
  return filled(std::string(script),
                {{"commands", joined(names_of(commands))},
                 {"with-command", joined(commands_with(commands, CommandInfo::Tail::command), "|")},
                 {"with-files", joined(commands_with(commands, CommandInfo::Tail::files), "|")},
                 {"values", value_cases(commands)},
                 {"options", option_cases(commands)},
                 {"positionals", positional_cases(commands)}});
}

std::string fish_offer(Completes what, const std::vector<CommandInfo>& commands) {
  switch (what) {
    case Completes::nothing:
      return "";
    case Completes::names:
      return " -a '(__wafers_names)'";
    case Completes::files:
      return " -F";
    case Completes::directories:
      return " -a '(__fish_complete_directories)'";
    case Completes::commands:
      return " -a '" + joined(names_of(commands)) + "'";
    case Completes::shells:
    case Completes::backends:
    case Completes::whens:
      break;
  }
  return " -a '" + joined(fixed_words(what)) + "'";
}

std::string fish_option(const CommandInfo& command, const OptionInfo& option,
                        const std::vector<CommandInfo>& commands) {
  std::string line = "complete -c wafers -n '__wafers_is " + command.name + "'";
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.placeholder.empty()) {
    const Completes what = completes(option);
    line += (what == Completes::files ? " -r" : " -x") + fish_offer(what, commands);
  }
  return line + " -d " + shell_quoted(option.description) + "\n";
}

}  // namespace

Completes completes(const OptionInfo& option) {
  if (option.placeholder == "file") return Completes::files;
  if (option.placeholder == "backend") return Completes::backends;
  if (option.placeholder == "when") return Completes::whens;
  for (const char* directory : {"dir", "mountpoint", "repo"}) {
    if (option.placeholder == directory) return Completes::directories;
  }
  return Completes::nothing;
}

std::vector<std::string> fixed_words(Completes what) {
  if (what == Completes::shells) return {"bash", "zsh", "fish"};
  if (what == Completes::backends) return {"auto", "namespace", "host", "fuse"};
  if (what == Completes::whens) return {"auto", "always", "never"};
  return {};
}

std::string bash_completion(const std::vector<CommandInfo>& commands) {
  return filled_for_posix(bash_script(), commands);
}

std::string zsh_completion(const std::vector<CommandInfo>& commands) {
  return filled_for_posix(zsh_script(), commands);
}

std::string fish_completion(const std::vector<CommandInfo>& commands) {
  std::string script(fish_script());
  for (const CommandInfo& command : commands) {
    script += "\ncomplete -c wafers -n __wafers_is_first -a " + command.name + " -d " +
              shell_quoted(command.summary) + "\n";
    for (const OptionInfo& option : command.options) {
      script += fish_option(command, option, commands);
    }
    if (command.positional != Completes::nothing) {
      script += "complete -c wafers -n '__wafers_is " + command.name + "'" +
                fish_offer(command.positional, commands) + "\n";
    }
    if (command.tail == CommandInfo::Tail::nothing) continue;
    const bool runs = command.tail == CommandInfo::Tail::command;
    script +=
        "complete -c wafers -n '__wafers_in_tail; and test (__wafers_command) = " + command.name +
        "'" + (runs ? " -a '(__wafers_subcommand)'" : " -F") + "\n";
  }
  return script;
}

}  // namespace wafers::cli
