#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "git/text/attributes.h"
#include "git/text/text_stats.h"
#include "git/worktree/convert_config.h"

namespace wafers::git {

class DriverPool;  // git/worktree/convert_driver.h
class Repository;  // git/repository/repository.h

// By our own, to git and back: libgit2 knows neither long-running filters (filter.<name>.process,
// as git-lfs uses them) nor working-tree-encoding.

/// Where a conversion runs and what it may ask.
struct ConvertContext {
  std::string path;       ///< from the root, for messages and `%f` of external drivers
  std::string directory;  ///< where external drivers run: a directory of this process's view
  std::vector<std::string> environment;  ///< "K=V" added for external drivers, such as GIT_DIR
  /// Of the blob that the index (the tip) has for the path, for git's rule that `auto` leaves a
  /// file alone whose recorded version has CR LF (convert.c: has_crlf_in_index). Called only if
  /// needed.
  std::function<std::optional<TextStats>()> recorded;
  std::vector<std::string>* warnings =
      nullptr;  ///< lines as git would print them, without "warning: "
  /// Keeps `filter.<driver>.process` programs running from one file to the next. Without a pool
  /// each file starts its own.
  DriverPool* drivers = nullptr;
  /// Whether an object is to be made of the result, as in `git add`. Else, as in `git status`,
  /// wrong encodings give a warning and the content as it is, and core.safecrlf is not looked at.
  bool writes = true;

  void warn(std::string line) const {
    if (warnings != nullptr) warnings->push_back(std::move(line));
  }
};

/// For ConvertContext::environment, of drivers that run in `directory`: the repository by GIT_DIR,
/// since a view hides `.git`. Its index is the base's: git programs among them must not refresh it.
/// PWD spares them the path that getcwd(2) would give for another mount namespace's directory.
std::vector<std::string> filter_environment(const Repository& repository,
                                            const std::string& directory);

/// What is to be done with one file's content between worktree and repository.
class Conversion {
 public:
  /// The rule that git would apply to a regular file with these attributes (convert.c:
  /// convert_attrs). Symlinks are never converted: don't ask. Throws Error(failed) for a
  /// `working-tree-encoding` without value, as git fails.
  static Conversion choose(const Attributes& attributes, const ConvertConfig& config);

  /// Nothing to do in either direction: the caller may stream the file.
  bool is_identity() const noexcept;
  /// Whether worktree and repository have other text than each other: a driver or an encoding is at
  /// work, not line ends or `ident` alone.
  bool rewrites_text() const noexcept;

  /// Worktree content to repository content: external clean driver, working-tree-encoding, line
  /// ends, `ident`, in git's order. Throws Error(failed) where git would fail (required driver,
  /// encoding, core.safecrlf=true).
  std::string to_git(std::string content, const ConvertContext& context) const;

  /// Repository content to worktree content: the other way round. `blob_hex` fills `$Id$`.
  std::string to_worktree(std::string content, const std::string& blob_hex,
                          const ConvertContext& context) const;

 private:
  /// What git's CRLF_* come to once configuration and `eol` are taken in.
  enum class Crlf { binary, text_lf, text_crlf, auto_lf, auto_crlf };

  static Crlf choose_crlf(const Attributes& attributes, const ConvertConfig& config);
  bool guesses() const noexcept { return crlf_ == Crlf::auto_lf || crlf_ == Crlf::auto_crlf; }
  bool gives_crlf() const noexcept { return crlf_ == Crlf::text_crlf || crlf_ == Crlf::auto_crlf; }
  std::string decoded(std::string content, const ConvertContext& context) const;
  std::string encoded(std::string content, const ConvertContext& context) const;
  std::string crlf_to_git(std::string content, const ConvertContext& context) const;
  std::string crlf_to_worktree(std::string content) const;

  Crlf crlf_ = Crlf::binary;
  bool ident_ = false;
  std::string encoding_;  ///< empty for UTF-8
  bool check_roundtrip_ = false;
  std::optional<ConvertConfig::Driver> driver_;
  ConvertConfig::SafeCrlf safecrlf_ = ConvertConfig::SafeCrlf::warn;
};

}  // namespace wafers::git
