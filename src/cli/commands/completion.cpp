#include "cli/completion.h"

#include "base/text.h"
#include "cli/command.h"

namespace wafers::cli {
namespace {

Completes positional_of(const Command& command) {
  if (command.name == "add") return Completes::nothing;  // its names are new
  if (command.name == "help") return Completes::commands;
  if (command.name == "completion") return Completes::shells;
  const bool names = command.usage.find("<name>") != std::string_view::npos;
  return names ? Completes::names : Completes::nothing;
}

CommandInfo::Tail tail_of(const Command& command) {
  if (command.usage.find("-- <command>") != std::string_view::npos) {
    return CommandInfo::Tail::command;
  }
  const bool paths = command.usage.find("-- <paths>") != std::string_view::npos;
  return paths ? CommandInfo::Tail::files : CommandInfo::Tail::nothing;
}

/// Each command declares its options before it parses anything.
std::vector<OptionInfo> options_of(const Command& command, const Invocation& invocation,
                                   Report& report) {
  try {
    const Arguments none{.own = {}, .tail = {}, .describe = true, .invocation = invocation};
    run_command(command, none, report);
  } catch (const Description& description) {
    std::vector<OptionInfo> options = description.options;
    options.push_back({{"-h", "--help"}, {}, "print this help"});
    return options;
  }
  return {};
}

std::vector<CommandInfo> describe_all(const Invocation& invocation, Report& report) {
  std::vector<CommandInfo> commands;
  for (const Command& command : all_commands()) {
    commands.push_back({.name = std::string(command.name),
                        .summary = std::string(command.summary),
                        .options = options_of(command, invocation, report),
                        .positional = positional_of(command),
                        .tail = tail_of(command)});
  }
  return commands;
}

}  // namespace

int run_completion(const Command& command, const Arguments& arguments, Report& report) {
  Parser parser(command, arguments);
  const auto words = with_tail(parser.parse(), arguments);
  if (words.empty()) throw parser.usage("for which shell? It is one of bash, zsh and fish");
  if (words.size() > 1) throw parser.usage("unexpected argument " + in_quotes(words[1]));
  const std::vector<CommandInfo> commands = describe_all(arguments.invocation, report);
  const std::string& shell = words.front();
  if (shell == "bash") {
    report.data(bash_completion(commands));
  } else if (shell == "zsh") {
    report.data(zsh_completion(commands));
  } else if (shell == "fish") {
    report.data(fish_completion(commands));
  } else {
    throw parser.usage("unknown shell " + in_quotes(shell) + ": it is one of bash, zsh and fish");
  }
  return Report::kDone;
}

}  // namespace wafers::cli
