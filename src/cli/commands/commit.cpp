#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/git_options.h"
#include "cli/json.h"
#include "core/git_commands/prepare.h"

namespace wafers::cli {
namespace {

Signing signing_wanted(const std::optional<std::string>& key, bool never) {
  if (never) return Signing::no;
  return key ? Signing::yes : Signing::configured;
}

Hooks hooks_wanted(bool verify, bool no_verify) {
  if (verify) return Hooks::run;
  return no_verify ? Hooks::skip : Hooks::configured;
}

/// Somebody who can use an editor. Without one, an agent say, nothing may wait for ever.
bool is_at_terminal() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1; }

void print(const CommitResult& result, Report& report) {
  if (report.form() == OutputForm::json) {
    report.document({{"commit", result.commit},
                     {"tree", result.tree},
                     {"parent", result.parent},
                     {"branch", text_to_json(result.branch)},
                     {"files_changed", result.files_changed}});
    return;
  }
  report.feedback("[" + printable(result.branch) + " " + result.short_id + "] " +
                  printable(result.subject));
  if (!result.summary.empty()) report.feedback(result.summary);
}

}  // namespace

int run_git_commit(const Command& command, const Arguments& arguments, Report& report) {
  CommitRequest request;
  std::optional<std::string> file;
  std::optional<std::string> signing_key;
  bool no_signature = false;
  bool no_edit = false;
  bool verify = false;
  bool no_verify = false;
  bool json = false;
  Parser parser(command, arguments);
  parser.repeated("-m,--message", request.messages, "message", "a paragraph of the message");
  parser.option("-F,--file", file, "file", "take the message from a file; - is standard input");
  parser.option("--author", request.author, "author",
                "\"Name <email>\", or a pattern for an author of the history");
  parser.option("--date", request.author_date, "date", "of the author");
  parser.flag("-a,--all", request.all_tracked,
              "what is staged, and every change to a tracked file");
  parser.flag("--amend", request.amend, "in the place of the branch's last commit");
  parser.flag("--no-edit", no_edit, "amend without an editor: the message stays");
  parser.flag("-s,--signoff", request.sign_off, "add a Signed-off-by trailer");
  parser.flag("--allow-empty", request.allow_empty, "commit even if nothing has changed");
  parser.attached("-S,--gpg-sign", signing_key, "keyid", "sign the commit");
  parser.flag("--no-gpg-sign", no_signature, "do not sign it, whatever commit.gpgSign says");
  parser.flag("--verify", verify, "run the repository's commit hooks, in the view");
  parser.flag("-n,--no-verify", no_verify, "do not (default, unless wafers.verify is set)");
  parser.flag("--accept-moved", request.accept_moved,
              "commit also what was taken from a base that has moved");
  parser.flag("--json", json, "print JSON");
  const std::string name = one_wafer(parser, parser.parse());
  check_exclusive(parser, {{"-m", !request.messages.empty()}, {"-F", file.has_value()}});
  check_exclusive(parser,
                  {{"--gpg-sign", signing_key.has_value()}, {"--no-gpg-sign", no_signature}});
  check_exclusive(parser, {{"--verify", verify}, {"--no-verify", no_verify}});
  request.paths = arguments.tail.value_or(std::vector<std::string>());
  check_exclusive(parser, {{"--all", request.all_tracked}, {"paths", !request.paths.empty()}});
  const bool has_message = !request.messages.empty() || file;
  request.edit = !has_message && !(request.amend && no_edit) && is_at_terminal();
  if (!has_message && !request.edit && !request.amend) {
    throw parser.usage("the message is missing: give it with -m or -F");
  }
  if (file) request.message_file = *file;
  request.signing = signing_wanted(signing_key, no_signature);
  request.signing_key = signing_key.value_or(std::string());
  request.hooks = hooks_wanted(verify, no_verify);
  const CommitResult result = git_commit(open_store(), name, request);
  print_warnings(result.warnings);
  print(result, report);
  return Report::kDone;
}

}  // namespace wafers::cli
