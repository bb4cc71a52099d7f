#include "cli/described.h"

#include <algorithm>

#include "base/text.h"
#include "cli/command.h"

namespace wafers::cli {
namespace {

/// Each command declares its options before it parses anything.
std::vector<OptionInfo> options_of(const Command& command, const Invocation& invocation) {
  Report report(OutputForm::text);
  try {
    const Arguments none{.own = {}, .tail = {}, .describe = true, .invocation = invocation};
    run_command(command, none, report);
  } catch (const Description& description) {
    return description.options;
  }
  return {};
}

}  // namespace

std::vector<ArgumentInfo> arguments_in(std::string_view usage) {
  std::vector<ArgumentInfo> arguments;
  bool is_value = false;
  bool dashes = false;
  for (const std::string& part : split(usage, ' ')) {
    const std::string word = part.substr(std::min(part.find_first_not_of("[("), part.size()));
    if (word == "--") dashes = true;
    const bool is_option = word.starts_with('-') && !dashes;
    const bool closed = word.ends_with(']') || word.ends_with(')');
    const std::size_t end = word.find('>');
    if (!is_value && word.starts_with('<') && end != std::string::npos) {
      const bool repeated = word.find("...") != std::string::npos;
      arguments.push_back({word.substr(1, end - 1), repeated, dashes});
    } else if (!is_value && !is_option && word.size() > 1 && word.find('|') != std::string::npos) {
      arguments.push_back({word, false, dashes});
    }
    is_value = is_option && !closed;
  }
  return arguments;
}

std::vector<CommandInfo> describe_all(const Invocation& invocation) {
  std::vector<CommandInfo> commands;
  for (const Command& command : all_commands()) {
    commands.push_back({.name = std::string(command.name),
                        .summary = std::string(command.summary),
                        .usage = std::string(command.usage),
                        .options = options_of(command, invocation),
                        .arguments = arguments_in(command.usage)});
  }
  return commands;
}

}  // namespace wafers::cli
