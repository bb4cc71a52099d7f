#include "core/commit.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/wafer_git.h"
#include "git/diff.h"
#include "git/format.h"

namespace wafers {
namespace {

std::string read_message_file(const std::filesystem::path& file) {
  if (file == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream.is_open() || stream.bad()) {
    throw Error(ErrorKind::failed,
                "cannot read commit message file " + wafers::quoted(file.native()));
  }
  return text;
}

git::Cleanup cleanup_mode(const git::Repository& repository) {
  const std::string mode = repository.config("commit.cleanup").value_or("default");
  if (mode == "verbatim") return git::Cleanup::verbatim;
  if (mode == "strip") return git::Cleanup::strip;
  if (mode == "scissors") return git::Cleanup::scissors;
  if (mode == "default" || mode == "whitespace") return git::Cleanup::whitespace;
  throw Error(ErrorKind::failed, "commit.cleanup has the invalid value " + wafers::quoted(mode));
}

/// Git takes a message that has nothing but a sign-off for an empty one (sequencer.c:
/// message_is_empty).
bool is_empty_message(const std::string& message) {
  for (const std::string& line : split(message, '\n')) {
    if (!trimmed(line).empty() && !line.starts_with("Signed-off-by: ")) return false;
  }
  return true;
}

std::string message_of(const CommitRequest& request, const git::Repository& repository) {
  if (request.messages.empty() == !request.message_file) {
    throw Error(ErrorKind::usage, "give the message either by -m or by -F");
  }
  std::string text;
  if (request.message_file) text = read_message_file(*request.message_file);
  for (const std::string& paragraph : request.messages) {
    text += (text.empty() ? "" : "\n") + paragraph + "\n";
  }
  if (text.find('\0') != std::string::npos) {
    throw Error(ErrorKind::failed, "a NUL byte in the commit message is not allowed");
  }
  const std::string comment = repository.config("core.commentChar").value_or("#");
  const char comment_char = comment.size() == 1 ? comment.front() : '#';
  std::string message = git::clean_message(text, cleanup_mode(repository), comment_char);
  if (is_empty_message(message)) {
    throw Error(ErrorKind::failed, "aborting commit due to empty commit message");
  }
  return message;
}

/// The author's date, as git has it apart from who it is: GIT_AUTHOR_DATE, else now.
git::Date author_date() {
  if (const char* text = std::getenv("GIT_AUTHOR_DATE"); text != nullptr && *text != '\0') {
    if (const auto date = git::parse_date(text)) return *date;
    throw Error(ErrorKind::failed, "invalid date format: " + wafers::quoted(text));
  }
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return {.seconds = now, .offset_minutes = static_cast<int>(local.tm_gmtoff / 60)};
}

git::Identity author_of(const CommitRequest& request, const git::Repository& repository) {
  if (!request.author) return repository.identity(git::Repository::Role::author);
  auto author = git::parse_author(*request.author);
  if (!author) {
    throw Error(ErrorKind::usage,
                "--author " + wafers::quoted(*request.author) + " is not 'Name <email>'");
  }
  const git::Date date = author_date();
  author->seconds = date.seconds;
  author->offset_minutes = date.offset_minutes;
  return *std::move(author);
}

void require_unmoved_branch(const Wafer& wafer, const WaferGit& git) {
  const std::string moved = describe_moved_branch(wafer, git);
  if (moved.empty()) return;
  throw Error(
      ErrorKind::refused, moved + ": nothing was committed",
      "put it back with: git branch -f " + shell_quoted(wafer.branch) + " " + git.tip.hex());
}

/// A path that is ignored and a path that doesn't exist are both the caller's mistake.
void require_known_paths(const Snapshot& snapshot) {
  require_matched(snapshot.unmatched_paths);
  if (snapshot.ignored_paths.empty()) return;
  throw Error(ErrorKind::usage,
              "path " + wafers::quoted(snapshot.ignored_paths.front()) + " is ignored",
              "an ignored file is committed once the ignore rule is gone");
}

[[noreturn]] void nothing_to_commit(bool partial) {
  throw Error(ErrorKind::failed, partial ? "nothing to commit in the given paths"
                                         : "nothing to commit, working tree clean");
}

std::vector<std::string> warnings_about(const git::Repository& repository,
                                        const std::string& message, const std::string& encoding) {
  std::vector<std::string> warnings;
  if (encoding.empty() && !is_utf8(message)) {
    warnings.emplace_back("commit message did not conform to UTF-8");
  }
  if (repository.config_bool("commit.gpgSign", false)) {
    warnings.emplace_back("commit.gpgSign is set, but wafers does not sign commits");
  }
  return warnings;
}

/// The commit is made already: a cache that can't be written only costs time later.
void write_stat_cache(const Wafer& wafer, const git::IndexFile& index,
                      std::vector<std::string>& warnings) {
  try {
    index.write(wafer.index());
  } catch (const Error& error) {
    warnings.push_back(error.message());
  }
}

std::string commit_encoding(const git::Repository& repository) {
  std::string encoding = repository.config("i18n.commitEncoding").value_or("");
  for (const char* utf8 : {"UTF-8", "utf-8", "utf8", "UTF8"}) {
    if (encoding == utf8) encoding.clear();
  }
  return encoding;
}

}  // namespace

CommitResult commit_view(const Wafer& wafer, const CommitRequest& request,
                         const std::function<void(const std::string& commit)>& about_to_move) {
  const std::vector<std::string> paths = clean_paths(request.paths);
  WaferGit git = open_wafer_git(wafer);
  require_unmoved_branch(wafer, git);
  git::Repository::CommitRequest commit;
  commit.message = message_of(request, git.repository);
  commit.encoding = commit_encoding(git.repository);
  commit.author = author_of(request, git.repository);
  commit.committer = git.repository.identity(git::Repository::Role::committer);

  const auto objects = git.repository.objects(git::Writes::to_database);
  SnapshotInput input = snapshot_input(wafer, git, *objects, SnapshotPurpose::commit);
  input.paths = paths;
  Snapshot snapshot = take_snapshot(input);
  require_known_paths(snapshot);
  require_committable(snapshot);
  if (snapshot.tree == git.tip_tree && !request.allow_empty) nothing_to_commit(!paths.empty());
  objects->flush();

  commit.tree = snapshot.tree;
  commit.parents = {git.tip};
  const git::Oid oid = git.repository.write_commit(commit);
  CommitResult result;
  result.subject = git::subject_of(commit.message);
  about_to_move(oid.hex());
  git.repository.move_branch(wafer.branch, git.tip, oid, commit.committer,
                             "commit: " + result.subject);

  result.commit = oid.hex();
  result.tree = snapshot.tree.hex();
  result.parent = git.tip.hex();
  result.branch = wafer.branch;
  result.warnings = std::move(snapshot.warnings);
  for (std::string& warning : warnings_about(git.repository, commit.message, commit.encoding)) {
    result.warnings.push_back(std::move(warning));
  }
  write_stat_cache(wafer, snapshot.index, result.warnings);
  result.short_id = git.repository.short_id(oid);
  const git::DiffCounts counts =
      git::count_diff(git.repository, *objects, git.tip_tree, snapshot.tree);
  result.files_changed = counts.files;
  result.summary = counts.summary();
  return result;
}

}  // namespace wafers
