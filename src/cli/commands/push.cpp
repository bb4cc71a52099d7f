#include "core/git_commands/push.h"

#include <cstdlib>

#include "base/text.h"
#include "cli/command.h"
#include "cli/git_options.h"

namespace wafers::cli {
namespace {

/// Inside a wafer its name may be left out: a single word then is the remote, unless there is a
/// wafer of that name.
bool is_remote(const Store& store, const std::string& word) {
  const char* const inside = std::getenv("WAFERS_NAME");
  if (inside == nullptr || *inside == '\0') return false;
  const Lookup found = store.lookup(word);
  return !found.wafer && !found.invalid;
}

}  // namespace

int run_git_push(const Command& command, const Arguments& arguments, Report& /*report*/) {
  PushRequest request;
  Parser parser(command, arguments);
  parser.flag("-f,--force", request.force, "overwrite the remote branch, whatever it has");
  parser.flag("--force-with-lease", request.force_with_lease,
              "overwrite the remote branch if it still is where it was last seen");
  parser.flag("-n,--dry-run", request.dry_run, "do everything but send the updates");
  auto words = with_tail(parser.parse(), arguments);
  check_exclusive(parser,
                  {{"--force", request.force}, {"--force-with-lease", request.force_with_lease}});
  const Store store = open_store();
  if (words.size() == 2 || (words.size() == 1 && is_remote(store, words.front()))) {
    request.remote = words.back();
    words.pop_back();
  }
  git_push(store, one_wafer(parser, words), request);
  return Report::kDone;
}

}  // namespace wafers::cli
