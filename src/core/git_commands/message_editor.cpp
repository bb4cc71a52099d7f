#include "core/git_commands/message_editor.h"

#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/objects/change_letter.h"
#include "git/program/git_program.h"
#include "os/files.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// wt-status.c: wt_status_diff_status_string()
std::string_view words_for(char letter) {
  switch (letter) {
    case 'A':
      return "new file:   ";
    case 'D':
      return "deleted:    ";
    case 'T':
      return "typechange: ";
    default:
      return "modified:   ";
  }
}

constexpr std::string_view kScissors = " ------------------------ >8 ------------------------\n";

/// wt-status.c: wt_status_locate_end()
std::string without_rest(const std::string& text, char comment_char) {
  const std::string line = comment_char + std::string(kScissors);
  if (text.starts_with(line)) return {};
  const std::size_t at = text.find("\n" + line);
  return at == text.npos ? text : text.substr(0, at + 1);
}

std::string template_of(const git::Repository& repository) {
  const auto file = repository.config_path("commit.template");
  if (!file || file->empty()) return {};
  if (auto content = read_file(repository.worktree() / *file)) return *std::move(content);
  throw Error(ErrorKind::failed, "cannot read commit.template " + in_quotes(*file));
}

}  // namespace

MessageEditor::MessageEditor(const git::Repository& repository, std::string branch,
                             std::string message, const git::Identity* signed_off_by,
                             std::vector<git::TreeChange> changes)
    : repository_(repository),
      branch_(std::move(branch)),
      is_template_(message.empty()),
      begun_(message.empty() ? template_of(repository) : std::move(message)),
      changes_(std::move(changes)) {
  if (signed_off_by != nullptr) begun_ = with_sign_off(begun_, *signed_off_by, repository);
  cleanup_ = edited_cleanup(repository, begun_);
}

std::string MessageEditor::text() const {
  if (!cleanup_.takes_comments) return begun_;
  const std::string mark(1, cleanup_.comment_char);
  std::string text = begun_ + "\n";
  if (cleanup_.mode == git::Cleanup::scissors) text += mark + std::string(kScissors);
  text += mark + " Please enter the commit message for your changes. Lines starting\n" + mark +
          " with '" + mark + "' will be ignored, and an empty message aborts the commit.\n" + mark +
          "\n" + mark + " On branch " + printable(branch_) + "\n" + mark +
          " Changes to be committed:\n";
  for (const git::TreeChange& change : changes_) {
    text += mark + "\t" + std::string(words_for(git::letter_of(change))) + printable(change.path) +
            "\n";
  }
  return text;
}

void MessageEditor::edit(const fs::path& file) const {
  const ProgramResult result = git::run_git(repository_.worktree(), {"var", "GIT_EDITOR"});
  if (!result.success()) {
    throw Error(ErrorKind::failed, "no editor: " + printable(trimmed(result.errors)),
                "give the message with -m, or set core.editor");
  }
  const std::string editor(trimmed(result.output));
  if (editor == ":") return;  // git's word for none
  Command command;
  command.path = "/bin/sh";
  command.argv = {"sh", "-c", editor + " \"$@\"", editor, file.native()};
  command.environment = git::environment_without_repository();
  command.inherits = Command::Inherits::all;
  if (git::run_in_foreground(command).success()) return;
  throw Error(ErrorKind::failed, "there was a problem with the editor " + in_quotes(editor),
              "give the message with -m or -F");
}

std::string MessageEditor::message_in(const std::string& edited) const {
  const auto cleaned = [&](const std::string& text) {
    return git::clean_message(text, cleanup_.mode, cleanup_.comment_char);
  };
  std::string message =
      cleaned(cleanup_.mode == git::Cleanup::scissors ? without_rest(edited, cleanup_.comment_char)
                                                      : edited);
  if (is_template_ && !message.empty() && message == cleaned(begun_)) {
    throw Error(ErrorKind::failed, "aborting commit: you did not edit the message");
  }
  return message;
}

std::string MessageEditor::write_in(const fs::path& file) const {
  put_content(file, text());
  edit(file);
  if (const auto edited = read_file(file)) return message_in(*edited);
  throw Error(ErrorKind::failed, "cannot read " + in_quotes(file.native()));
}

}  // namespace wafers
