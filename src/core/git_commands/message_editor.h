#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/git_commands/commit_message.h"
#include "git/objects/object.h"
#include "git/repository/repository.h"

namespace wafers {

/// A commit message that the user writes in an editor.
class MessageEditor {
 public:
  /// `message` is what it begins with, that of an amended commit for instance; where it is empty,
  /// what commit.template names; with a Signed-off-by trailer, unless that is null. `changes` are
  /// what is to be committed, told in comments. The repository is borrowed. Throws Error(failed)
  /// for a template that can't be read.
  MessageEditor(const git::Repository& repository, std::string branch, std::string message,
                const git::Identity* signed_off_by, std::vector<git::TreeChange> changes);

  /// What the editor gets to see.
  std::string text() const;

  /// Opens the editor that git would open (git-var(1): GIT_EDITOR) on our terminal. Throws
  /// Error(failed) where there is none, or it fails.
  void edit(const std::filesystem::path& file) const;

  /// The message in an edited text, without comments. Throws Error(failed) where nothing but the
  /// template is there: git makes no commit of that.
  std::string message_in(const std::string& edited) const;

  /// All of it, in `file`, which stays, as git's COMMIT_EDITMSG does.
  std::string write_in(const std::filesystem::path& file) const;

 private:
  const git::Repository& repository_;
  std::string branch_;
  bool is_template_;
  std::string begun_;
  EditedCleanup cleanup_;
  std::vector<git::TreeChange> changes_;
};

}  // namespace wafers
