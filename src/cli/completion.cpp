#include "cli/completion.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "cli/completion_scripts.h"
#include "cli/help.h"

namespace wafers::cli {
namespace {

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

bool is_choice(std::string_view placeholder) {
  return placeholder.find('|') != std::string_view::npos;
}

/// The function of a script that completes the value of an option; empty where nothing does.
/// Functions of the three scripts are called the same, after the prefix "_wafers_" or "__wafers_".
std::string completer(const OptionInfo& option) {
  using Pair = std::pair<std::string_view, const char*>;
  constexpr std::array kByPlaceholder = {
      Pair{"file", "files"},       Pair{"dir", "view_directories"},
      Pair{"repo", "directories"}, Pair{"mountpoint", "directories"},
      Pair{"branch", "branches"},  Pair{"rev", "branches"}};
  const auto* const found = std::ranges::find(kByPlaceholder, option.placeholder, &Pair::first);
  return found == kByPlaceholder.end() ? "" : found->second;
}

/// That for an argument of a command.
std::string completer(const CommandInfo& command, const ArgumentInfo& argument) {
  const std::string& what = argument.placeholder;
  if (argument.is_behind_dashes) {
    if (what == "command") return "command_line";
    return command.name == "git-log" || command.name == "git-show" ? "view_files" : "changed";
  }
  const bool is_new = command.name == "add" || command.name == "run";
  if (what == "name") return is_new ? "" : "names";
  if (what == "command") return "commands";
  if (what == "remote") return "remotes";
  return what == "rev" ? "branches" : "";
}

bool takes_next_word(const OptionInfo& option) {
  return !option.placeholder.empty() && !option.is_attached;
}

std::vector<std::string> names_of(const std::vector<CommandInfo>& commands) {
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const CommandInfo& command : commands) names.push_back(command.name);
  return names;
}

// --- bash -----------------------------------------------------------------------------------

std::string bash_call(const std::string& completer, const std::string& placeholder) {
  if (is_choice(placeholder)) return "_wafers_words " + joined(split(placeholder, '|'), " ");
  return completer.empty() ? ":" : "_wafers_" + completer;
}

/// "'git-commit -m' | 'git-commit --message'".
std::string with_command(const CommandInfo& command, const OptionInfo& option,
                         std::string_view separator) {
  std::vector<std::string> pairs;
  for (const std::string& name : option.names) {
    pairs.push_back("'" + command.name + " " + name + "'");
  }
  return joined(pairs, separator);
}

/// Branches of a `case "<command> <option>"`.
std::string bash_values(const std::vector<CommandInfo>& commands) {
  std::string text;
  for (const CommandInfo& command : commands) {
    for (const OptionInfo& option : command.options) {
      if (!takes_next_word(option)) continue;
      text += "    " + with_command(command, option, " | ") + ") offer='" +
              bash_call(completer(option), option.placeholder) + "' ;;\n";
    }
  }
  return text;
}

/// The options with values for a list of zsh or fish.
std::string options_with_values(const std::vector<CommandInfo>& commands,
                                std::string_view line_end) {
  std::string text;
  for (const CommandInfo& command : commands) {
    for (const OptionInfo& option : command.options) {
      if (!takes_next_word(option)) continue;
      text += "    " + with_command(command, option, " ") + std::string(line_end);
    }
  }
  return text;
}

std::string joined_names(const std::vector<OptionInfo>& options) {
  std::vector<std::string> names;
  for (const OptionInfo& option : options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return joined(names, " ");
}

std::string bash_options(const std::vector<CommandInfo>& commands) {
  std::string text;
  for (const CommandInfo& command : commands) {
    text += "      " + command.name + ") _wafers_words " + joined_names(command.options) + " ;;\n";
  }
  return text;
}

/// Branches of a `case <command>-<number of the argument>`.
std::string bash_arguments(const std::vector<CommandInfo>& commands) {
  std::string text;
  for (const CommandInfo& command : commands) {
    std::size_t number = 0;
    for (const ArgumentInfo& argument : command.arguments) {
      if (argument.is_behind_dashes) continue;
      const std::string pattern =
          argument.is_repeated && number == 0 ? "*" : std::to_string(number);
      text += "      " + command.name + "-" + pattern + ") " +
              (argument.placeholder == "command"
                   ? "_wafers_words " + joined(names_of(commands), " ")
                   : bash_call(completer(command, argument), argument.placeholder)) +
              " ;;\n";
      ++number;
    }
  }
  return text;
}

/// Branches of a `case <command>` for what stands behind "--".
std::string tails(const std::vector<CommandInfo>& commands, std::string_view more) {
  std::string text;
  for (const CommandInfo& command : commands) {
    for (const ArgumentInfo& argument : command.arguments) {
      if (!argument.is_behind_dashes) continue;
      text += "        " + command.name + ") _wafers_" + completer(command, argument) +
              std::string(more) + " ;;\n";
    }
  }
  return text;
}

// --- zsh ------------------------------------------------------------------------------------

/// `text` where zsh's _arguments or _describe would take some of it for signs.
std::string escaped(std::string_view text, std::string_view signs) {
  std::string result;
  for (const char c : text) {
    if (signs.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

/// What _arguments is told of a value: ":message:action".
std::string zsh_value(const std::string& completer, const std::string& placeholder) {
  if (is_choice(placeholder)) return ":one of:(" + joined(split(placeholder, '|'), " ") + ")";
  return ":" + placeholder + ":" + (completer.empty() ? " " : "_wafers_" + completer);
}

/// What nothing completes stays silent: a message would keep _arguments from inserting an option.
std::string zsh_argument(const CommandInfo& command, const ArgumentInfo& argument) {
  const std::string what = completer(command, argument);
  const bool known = !what.empty() || is_choice(argument.placeholder);
  return zsh_value(known ? what : "nothing", argument.placeholder);
}

/// One for each name of an option, which excludes the others.
std::vector<std::string> zsh_option(const OptionInfo& option) {
  std::vector<std::string> specifications;
  for (const std::string& name : option.names) {
    std::string text = option.is_repeated ? "*" : "(" + joined(option.names, " ") + ")";
    text += name;
    const bool is_long = name.starts_with("--");
    if (option.is_attached) text += is_long ? "=-" : "-";
    if (takes_next_word(option)) text += is_long ? "=" : "+";
    text += "[" + escaped(option.description, "[]\\") + "]";
    if (option.is_attached) text += ":";
    if (!option.placeholder.empty()) text += zsh_value(completer(option), option.placeholder);
    specifications.push_back(shell_quoted(text));
  }
  return specifications;
}

std::string zsh_commands(const std::vector<CommandInfo>& commands) {
  std::string text;
  for (const CommandInfo& command : commands) {
    text += "    " + shell_quoted(command.name + ":" + escaped(command.summary, ":\\")) + "\n";
  }
  return text;
}

/// Arguments of _arguments, each in a line of its own.
std::string zsh_arguments(const std::vector<OptionInfo>& options) {
  std::string text;
  for (const OptionInfo& option : options) {
    for (const std::string& one : zsh_option(option)) text += " \\\n        " + one;
  }
  return text;
}

std::string zsh_options(const std::vector<CommandInfo>& commands) {
  std::string text;
  for (const CommandInfo& command : commands) {
    text += "    " + command.name + ")\n      _arguments -s" + zsh_arguments(command.options);
    for (const ArgumentInfo& argument : command.arguments) {
      if (argument.is_behind_dashes) continue;
      text += " \\\n        " +
              shell_quoted((argument.is_repeated ? "*" : "") + zsh_argument(command, argument));
    }
    text += "\n      ;;\n";
  }
  return text;
}

// --- fish -----------------------------------------------------------------------------------

std::string fish_offer(const std::string& completer, const std::string& placeholder) {
  if (is_choice(placeholder)) return " -a '" + joined(split(placeholder, '|'), " ") + "'";
  if (completer.empty()) return "";
  if (completer == "files") return " -F";
  if (completer == "directories") return " -a '(__fish_complete_directories)'";
  return " -k -a '(__wafers_" + completer + ")'";
}

std::string fish_option(const std::string& when, const OptionInfo& option) {
  std::string line = "complete -c wafers -n '" + when + "'";
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (takes_next_word(option)) {
    line += (completer(option) == "files" ? " -r" : " -x") +
            fish_offer(completer(option), option.placeholder);
  }
  return line + " -d " + shell_quoted(option.description) + "\n";
}

/// Of two arguments the second comes when the first, a wafer, has been named.
std::string fish_argument(const CommandInfo& command, const ArgumentInfo& argument, bool is_first) {
  const std::string what = completer(command, argument);
  const std::string offer = fish_offer(what, argument.placeholder);
  if (offer.empty()) return {};
  std::string when =
      (argument.is_behind_dashes ? "__wafers_is_in_tail_of " : "__wafers_is ") + command.name;
  if (!is_first && !argument.is_behind_dashes) when += "; and __wafers_has_name";
  if (what == "names" && !argument.is_repeated) when += "; and not __wafers_has_name";
  return "complete -c wafers -n '" + when + "'" + offer + "\n";
}

std::string fish_commands(const std::vector<CommandInfo>& commands) {
  std::string text;
  for (const CommandInfo& command : commands) {
    text += "    printf '%s\\t%s\\n' " + command.name + " " + shell_quoted(command.summary) + "\n";
  }
  return text;
}

}  // namespace

std::string bash_completion(const std::vector<CommandInfo>& commands) {
  return filled(std::string(bash_script()), {{"commands", joined(names_of(commands), " ")},
                                             {"common", joined_names(common_options())},
                                             {"tails", tails(commands, " $((i + 1))")},
                                             {"values", bash_values(commands)},
                                             {"options", bash_options(commands)},
                                             {"arguments", bash_arguments(commands)}});
}

std::string zsh_completion(const std::vector<CommandInfo>& commands) {
  return filled(std::string(zsh_script()), {{"commands", zsh_commands(commands)},
                                            {"tails", tails(commands, "")},
                                            {"common", zsh_arguments(common_options())},
                                            {"values", options_with_values(commands, "\n")},
                                            {"options", zsh_options(commands)}});
}

std::string fish_completion(const std::vector<CommandInfo>& commands) {
  std::string script = filled(
      std::string(fish_script()),
      {{"commands", fish_commands(commands)}, {"values", options_with_values(commands, " \\\n")}});
  for (const OptionInfo& option : common_options()) {
    script += fish_option("__wafers_is_first", option);
  }
  for (const CommandInfo& command : commands) {
    script += "\n";
    for (const OptionInfo& option : command.options) {
      script += fish_option("__wafers_is " + command.name, option);
    }
    for (const ArgumentInfo& argument : command.arguments) {
      script += fish_argument(command, argument, &argument == &command.arguments.front());
    }
  }
  return script;
}

}  // namespace wafers::cli
