#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "git/repository/config.h"
#include "git/text/quote.h"

namespace wafers::git {

/// Who signs, and how: gpg.format, gpg.program, gpg.<format>.program, user.signingKey,
/// gpg.ssh.defaultKeyCommand, as git-config(1) has them. Not by `git commit-tree -S`: before 2.40
/// git keeps to itself what gpg says when it fails. A person wants to read it, and it tells an
/// agent that was lost, which is worth another try, from a key that is missing.
class Signer {
 public:
  /// `key` is what --gpg-sign=<keyid> says; empty for the configured key, or the one that belongs
  /// to `committer`. `worktree` is where programs run. Throws Error(failed) for an unknown format
  /// and where there is no key.
  Signer(const Config& config, std::filesystem::path worktree, std::string key,
         const Identity& committer);

  /// The armoured signature of `content`. Throws Error(failed) with what the program says.
  std::string sign(std::string_view content) const;

 private:
  enum class Format { openpgp, x509, ssh };

  static Format format_of(const Config& config);
  static std::string program_of(const Config& config, Format format);
  std::string ssh_default_key(const Config& config) const;
  std::string sign_by_gpg(std::string_view content) const;
  std::string sign_by_ssh(std::string_view content) const;

  std::filesystem::path worktree_;
  Format format_;
  std::string program_;
  std::string key_;
};

/// A commit object with the header `gpgsig`, at the end of its other headers, where git puts it.
std::string with_signature(std::string_view commit, std::string_view signature);

}  // namespace wafers::git
