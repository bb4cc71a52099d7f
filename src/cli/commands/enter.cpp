#include "core/commands/enter.h"

#include <csignal>

#include "base/text.h"
#include "cli/command.h"
#include "cli/enter_in_child.h"
#include "core/state/unclean.h"

namespace wafers::cli {
namespace {

void check_environment(const Parser& parser, const std::vector<std::string>& assignments) {
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw parser.usage("--env wants K=V, not " + in_quotes(assignment));
    }
  }
}

std::string only_name(const Parser& parser, const std::vector<std::string>& positional,
                      const std::string& advice) {
  if (positional.empty()) throw name_missing(parser);
  if (positional.size() > 1) {
    throw parser.usage("unexpected argument " + in_quotes(positional[1]) + advice);
  }
  return positional.front();
}

EnterRequest exec_request(const Command& command, const Arguments& arguments) {
  EnterRequest request;
  Parser parser(command, arguments);
  parser.option("-w,--cwd", request.cwd, "dir", "where to run it, from the root of the view");
  parser.repeated("-e,--env", request.environment, "K=V", "set an environment variable");
  request.name = only_name(parser, parser.parse(), ": a command to run stands behind '--'");
  check_environment(parser, request.environment);
  if (!arguments.tail || arguments.tail->empty()) {
    throw parser.usage("the command to run is missing: it stands behind '--'");
  }
  request.command = *arguments.tail;
  return request;
}

EnterRequest shell_request(const Command& command, const Arguments& arguments) {
  EnterRequest request;
  Parser parser(command, arguments);
  auto positional = parser.parse();
  if (arguments.tail) {
    positional.insert(positional.end(), arguments.tail->begin(), arguments.tail->end());
  }
  request.name = only_name(parser, positional, ": wafers exec runs a command");
  return request;
}

/// Returns only with an exit status for what went wrong.
int enter(const Command& command, const Arguments& arguments,
          EnterRequest (*request)(const Command&, const Arguments&)) {
  try {
    enter_and_execute(open_store(), request(command, arguments), healing(arguments));
  } catch (const CommandNotRun& error) {
    return Report::command_failure(error);
  } catch (const UncleanWafer&) {
    throw;  // refused with the status that it has for every command
  } catch (const Error& error) {
    return Report::enter_failure(error);
  }
}

}  // namespace

int enter_in_child(const Store& store, const std::string& name, const Arguments& arguments) {
  try {
    enter_and_execute(store,
                      {.name = name, .cwd = {}, .environment = {}, .command = *arguments.tail},
                      healing(arguments));
  } catch (const CommandNotRun& error) {
    return Report::command_failure(error);
  } catch (const Error& error) {
    return Report::enter_failure(error);
  }
}

int run_exec(const Command& command, const Arguments& arguments, Report& /*report*/) {
  return enter(command, arguments, exec_request);
}

int run_shell(const Command& command, const Arguments& arguments, Report& /*report*/) {
  return enter(command, arguments, shell_request);
}

}  // namespace wafers::cli
