#include "cli/completion.h"

#include <algorithm>

#include "base/text.h"

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

std::string filled_for_posix(const char* script, const std::vector<CommandInfo>& commands) {
  return filled(script,
                {{"commands", joined(names_of(commands))},
                 {"with-command", joined(commands_with(commands, CommandInfo::Tail::command), "|")},
                 {"with-files", joined(commands_with(commands, CommandInfo::Tail::files), "|")},
                 {"values", value_cases(commands)},
                 {"options", option_cases(commands)},
                 {"positionals", positional_cases(commands)}});
}

constexpr const char* kBash = R"sh(# Completion of wafers in bash: source <(wafers completion bash)

_wafers_nothing() { :; }
_wafers_words() { COMPREPLY+=($(compgen -W "$*" -- "$current")); }
_wafers_files() { compopt -o filenames 2> /dev/null || true; _wafers_lines < <(compgen -f -- "$current"); }
_wafers_directories() { compopt -o filenames 2> /dev/null || true; _wafers_lines < <(compgen -d -- "$current"); }
_wafers_lines() { local line; while IFS= read -r line; do COMPREPLY+=("$line"); done; }
_wafers_names() {
  local name rest
  while read -r name rest; do
    [[ $name == NAME || $name != "$current"* ]] || COMPREPLY+=("$name")
  done < <("$program" ls 2> /dev/null)
}

# What stands behind "--", whose place in the words is $1.
_wafers_tail() {
  case $command in
    @with-command@)
      if declare -F _command_offset > /dev/null; then
        _command_offset $(($1 + 1))
      elif ((COMP_CWORD == $1 + 1)); then
        _wafers_lines < <(compgen -c -- "$current")
      else
        _wafers_files
      fi
      ;;
    @with-files@) _wafers_files ;;
  esac
}

_wafers() {
  local program=$1 current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' i
  COMPREPLY=()
  # bash takes "--color=auto" for three words.
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = && COMP_CWORD -gt 2 ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    if [[ ${COMP_WORDS[i]} == -- ]]; then
      _wafers_tail "$i"
      return
    fi
    [[ -n $command || ${COMP_WORDS[i]} == -* ]] || command=${COMP_WORDS[i]}
  done
  if [[ -z $command ]]; then
    _wafers_words @commands@ --help --version
    return
  fi
  case "$command $previous" in
@values@  esac
  if [[ $current == -* ]]; then
    case $command in
@options@    esac
    return
  fi
  case $command in
@positionals@  esac
}

complete -F _wafers wafers
)sh";

constexpr const char* kZsh = R"sh(#compdef wafers
# Completion of wafers in zsh: source <(wafers completion zsh), or as the file _wafers in $fpath.

_wafers_nothing() { return 1; }
_wafers_words() { compadd -- "$@"; }
_wafers_files() { _files; }
_wafers_directories() { _directories; }
_wafers_names() { compadd -- ${${(f)"$($program ls 2> /dev/null)"}[2,-1]%% *}; }

_wafers() {
  local program=$words[1] current=$words[CURRENT] previous=$words[CURRENT-1] command='' i
  for ((i = 2; i < CURRENT; ++i)); do
    if [[ $words[i] == -- ]]; then
      case $command in
        @with-command@) words=("${(@)words[i+1,-1]}"); ((CURRENT -= i)); _normal ;;
        @with-files@) _files ;;
      esac
      return
    fi
    [[ -n $command || $words[i] == -* ]] || command=$words[i]
  done
  if [[ -z $command ]]; then
    _wafers_words @commands@ --help --version
    return
  fi
  # "--color=auto" is one word here.
  if [[ $current == --*=* ]]; then
    previous=${current%%=*}
    compset -P '*='
  fi
  case "$command $previous" in
@values@  esac
  if [[ $current == -* ]]; then
    case $command in
@options@    esac
    return
  fi
  case $command in
@positionals@  esac
}

if [[ $funcstack[1] == _wafers ]]; then _wafers "$@"; else compdef _wafers wafers; fi
)sh";

constexpr const char* kFish = R"sh(# Completion of wafers in fish: wafers completion fish | source

function __wafers_words
    commandline -opc
end

# The first word that is no option, or nothing.
function __wafers_command
    for word in (__wafers_words)[2..-1]
        if not string match -q -- '-*' $word
            echo $word
            return 0
        end
    end
    return 1
end

function __wafers_in_tail
    contains -- -- (__wafers_words)
end

# Whether no command has been said yet.
function __wafers_is_first
    not __wafers_in_tail; and not __wafers_command > /dev/null
end

# Whether the command is one of the arguments, and "--" has not come yet.
function __wafers_is
    not __wafers_in_tail; and contains -- "$(__wafers_command)" $argv
end

# Whether the command is the argument, and "--" has come.
function __wafers_is_in_tail_of
    __wafers_in_tail; and test "$(__wafers_command)" = $argv[1]
end

function __wafers_names
    set -l program (__wafers_words)[1]
    $program ls 2>/dev/null | string match -rv '^NAME ' | string replace -r ' .*' ''
end

# Hands over to the completion of the command that stands behind "--".
function __wafers_subcommand
    set -l words (__wafers_words) (commandline -ct)
    set -l start (math (contains -i -- -- $words) + 1)
    complete -C (string join ' ' -- $words[$start..-1])
end

complete -c wafers -f
complete -c wafers -n __wafers_is_first -l help -d 'print help'
complete -c wafers -n __wafers_is_first -l version -d 'print the version'
)sh";

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
  return filled_for_posix(kBash, commands);
}

std::string zsh_completion(const std::vector<CommandInfo>& commands) {
  return filled_for_posix(kZsh, commands);
}

std::string fish_completion(const std::vector<CommandInfo>& commands) {
  std::string script = kFish;
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
