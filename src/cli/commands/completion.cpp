#include "cli/completion.h"

#include "base/text.h"
#include "cli/command.h"

namespace wafers::cli {

int run_completion(const Command& command, const Arguments& arguments, Report& report) {
  Parser parser(command, arguments);
  const auto words = with_tail(parser.parse(), arguments);
  if (words.empty()) throw parser.usage("for which shell? It is one of bash, zsh and fish");
  if (words.size() > 1) throw parser.usage("unexpected argument " + in_quotes(words[1]));
  const std::vector<CommandInfo> commands = describe_all(arguments.invocation);
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
