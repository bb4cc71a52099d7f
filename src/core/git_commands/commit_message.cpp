#include "core/git_commands/commit_message.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "git/program/git_program.h"
#include "git/repository/author_search.h"
#include "git/repository/ident.h"
#include "git/text/encoding.h"
#include "os/files.h"

namespace wafers {
namespace {

std::string read_message_file(const std::filesystem::path& file) {
  if (file == "-") return read_all(STDIN_FILENO, "standard input");
  const UniqueFd fd = open_file(file, O_RDONLY);
  if (!fd) throw_errno("cannot read", file.native());
  return read_all(fd.get(), file.native());
}

/// builtin/commit.c: opt_parse_m(): each -m is a paragraph that ends its last line.
std::string joined_paragraphs(const std::vector<std::string>& paragraphs) {
  std::string text;
  for (const std::string& paragraph : paragraphs) {
    if (!text.empty()) text += '\n';
    text += paragraph;
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
  }
  return text;
}

git::Cleanup cleanup_mode(const git::Repository& repository) {
  const std::string mode = repository.config("commit.cleanup").value_or("default");
  if (mode == "verbatim") return git::Cleanup::verbatim;
  if (mode == "strip") return git::Cleanup::strip;
  if (mode == "scissors") return git::Cleanup::scissors;
  if (mode == "default" || mode == "whitespace") return git::Cleanup::whitespace;
  throw Error(ErrorKind::failed, "commit.cleanup has the invalid value " + in_quotes(mode));
}

char comment_char(const git::Repository& repository, const std::string& message) {
  const std::string setting = repository.config("core.commentChar").value_or("#");
  if (setting.size() == 1) return setting.front();
  if (setting != "auto") {
    throw Error(ErrorKind::failed,
                "core.commentChar should only be one character, not " + in_quotes(setting));
  }
  if (const auto unused = git::unused_comment_char(message)) return *unused;
  throw Error(ErrorKind::failed,
              "cannot select a comment character that is not used in the commit message",
              "set core.commentChar to a character");
}

/// Git takes a message that has nothing but a sign-off for an empty one (builtin/commit.c:
/// rest_is_empty()).
bool has_only_sign_offs(const std::string& message) {
  for (const std::string& line : split(message, '\n')) {
    if (!trimmed(line).empty() && !line.starts_with("Signed-off-by: ")) return false;
  }
  return true;
}

/// builtin/commit.c: determine_author_info(): what has no '>' is a pattern.
git::Identity named_author(const std::string& text, const git::Repository& repository) {
  if (text.find('>') == std::string::npos) {
    if (auto found = git::find_author(repository, text)) return *std::move(found);
    throw Error(ErrorKind::usage, "--author " + in_quotes(text) +
                                      " is not 'Name <email>' and matches no existing author");
  }
  if (auto author = git::parse_author(text)) return *std::move(author);
  throw Error(ErrorKind::usage, "--author " + in_quotes(text) + " is not 'Name <email>'");
}

}  // namespace

std::string message_of(const CommitRequest& request, const git::Repository& repository) {
  if (request.messages.empty() == !request.message_file) {
    throw Error(ErrorKind::usage, "give the message either by -m or by -F");
  }
  const std::string text = request.message_file ? read_message_file(*request.message_file)
                                                : joined_paragraphs(request.messages);
  if (text.find('\0') != std::string::npos) {
    throw Error(ErrorKind::failed, "a NUL byte in the commit message is not allowed");
  }
  return cleaned_message(text, repository);
}

std::string cleaned_message(const std::string& message, const git::Repository& repository) {
  const git::Cleanup mode = cleanup_mode(repository);
  return git::clean_message(message, mode, comment_char(repository, message));
}

EditedCleanup edited_cleanup(const git::Repository& repository, const std::string& message) {
  const std::string setting = repository.config("commit.cleanup").value_or("default");
  EditedCleanup cleanup;
  cleanup.comment_char = comment_char(repository, message);
  if (setting != "default") cleanup.mode = cleanup_mode(repository);
  cleanup.takes_comments =
      cleanup.mode == git::Cleanup::strip || cleanup.mode == git::Cleanup::scissors;
  return cleanup;
}

void require_message(const std::string& message, const git::Repository& repository) {
  const bool verbatim = cleanup_mode(repository) == git::Cleanup::verbatim;
  if (verbatim ? !message.empty() : !has_only_sign_offs(message)) return;
  throw Error(ErrorKind::failed, "aborting commit due to empty commit message");
}

std::string commit_encoding(const git::Repository& repository) {
  std::string encoding = repository.config("i18n.commitEncoding").value_or(std::string());
  return git::is_same_encoding(encoding, "UTF-8") ? std::string() : encoding;
}

std::string shown_subject(const std::string& message, const git::Repository& repository) {
  std::string subject = git::subject_of(message);
  const std::string written = repository.config("i18n.commitEncoding").value_or("UTF-8");
  const std::string shown = repository.config("i18n.logOutputEncoding").value_or(written);
  if (git::is_same_encoding(written, shown)) return subject;
  return git::reencode(subject, shown, written).value_or(subject);
}

std::string with_sign_off(const std::string& message, const git::Identity& who,
                          const git::Repository& repository) {
  const ProgramResult result =
      git::run_program({"git", "interpret-trailers", "--no-divider", "--where", "end",
                        "--if-exists", "addIfDifferentNeighbor", "--if-missing", "add", "--trailer",
                        "Signed-off-by: " + who.name + " <" + who.email + ">"},
                       repository.worktree(), message);
  if (result.success()) return result.output;
  throw Error(ErrorKind::failed,
              "git interpret-trailers failed: " + printable(trimmed(result.errors)));
}

git::Identity author_of(const CommitRequest& request, const git::Repository& repository) {
  if (!request.author) return repository.identity(git::Repository::Role::author);
  git::Identity author = named_author(*request.author, repository);
  const git::Date date = git::author_date(repository);
  author.seconds = date.seconds;
  author.offset_minutes = date.offset_minutes;
  return author;
}

}  // namespace wafers
