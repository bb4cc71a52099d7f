#pragma once

#include <string>

#include "core/git_commands/types.h"
#include "git/repository/repository.h"
#include "git/text/quote.h"

namespace wafers {

/// The message that the request gives, cleaned up as git does without an editor. Throws
/// Error(usage) where neither or both of -m and -F are given, Error(failed) for a file that can't
/// be read and for settings that git refuses.
std::string message_of(const CommitRequest& request, const git::Repository& repository);

/// Cleans a message up once more, after a hook has edited it.
std::string cleaned_message(const std::string& message, const git::Repository& repository);

/// How git cleans up what an editor has left.
struct EditedCleanup {
  git::Cleanup mode = git::Cleanup::strip;
  char comment_char = '#';
  bool takes_comments = true;  ///< they would stay otherwise
};
EditedCleanup edited_cleanup(const git::Repository& repository, const std::string& message);

/// Throws Error(failed) for a message that git takes for an empty one.
void require_message(const std::string& message, const git::Repository& repository);

/// i18n.commitEncoding, which goes into the commit's header; empty for UTF-8. Git takes the message
/// as it is and converts nothing.
std::string commit_encoding(const git::Repository& repository);

/// The subject for people: in the encoding of i18n.logOutputEncoding, as far as it can be had.
std::string shown_subject(const std::string& message, const git::Repository& repository);

/// `message` with a Signed-off-by trailer of `who`, by git, unless that is its last already. Throws
/// Error(failed).
std::string with_sign_off(const std::string& message, const git::Identity& who,
                          const git::Repository& repository);

/// Whom the commit's author line names: --author, else the configured one. Throws Error(usage)
/// where --author neither is "Name <email>" nor matches an author in history.
git::Identity author_of(const CommitRequest& request, const git::Repository& repository);

}  // namespace wafers
