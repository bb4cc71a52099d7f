#include "git/repository/sign.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/scope_guard.h"
#include "base/text.h"
#include "git/program/git_program.h"
#include "git/text/text_stats.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

std::string non_empty_or(const std::optional<std::string>& value, const char* otherwise) {
  return value && !value->empty() ? *value : otherwise;
}

/// gpg-interface.c: is_literal_ssh_key(): the key itself instead of a file's name.
std::optional<std::string> literal_ssh_key(const std::string& key) {
  constexpr std::string_view kPrefix = "key::";
  if (key.starts_with(kPrefix)) return key.substr(kPrefix.size());
  if (key.starts_with("ssh-")) return key;
  return std::nullopt;
}

Error cannot_sign(const std::string& why, std::string hint = {}) {
  return Error(ErrorKind::failed, "cannot sign the commit: " + why, std::move(hint));
}

/// What a person wants to read of a program's complaints: not gpg's lines for programs.
std::string complaints(const ProgramResult& result) {
  std::string text;
  for (const std::string& line : split(result.errors, '\n')) {
    if (trimmed(line).empty() || line.starts_with("[GNUPG:]")) continue;
    text += (text.empty() ? "" : "; ") + printable(trimmed(line));
  }
  return text.empty() ? "it ended with status " + std::to_string(result.status) : text;
}

/// A file of our own that is gone at the end, and what the program puts beside it too.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) {
    const char* directory = std::getenv("TMPDIR");
    path_ = std::string(directory != nullptr && *directory != '\0' ? directory : "/tmp") +
            "/wafers-signing-XXXXXX";
    const UniqueFd fd(::mkostemp(path_.data(), O_CLOEXEC));
    if (!fd) {
      const int err = errno;
      throw Error::system(err, "cannot make a temporary file " + in_quotes(path_));
    }
    try {
      write_all(fd.get(), content, path_);
    } catch (const Error&) {
      ::unlink(path_.c_str());
      throw;
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    ::unlink(path_.c_str());
    ::unlink(signature().c_str());
  }

  const std::string& path() const noexcept { return path_; }
  /// Where ssh-keygen writes to.
  std::string signature() const { return path_ + ".sig"; }

 private:
  std::string path_;
};

bool has_line_starting_with(std::string_view text, std::string_view start) {
  const std::vector<std::string> lines = split(text, '\n');
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.starts_with(start); });
}

/// Whether the connection between gpg and its agent broke: the agent was ending, as another
/// process's that started it, and the next gpg starts a new one. Told by the code in
/// "[GNUPG:] FAILURE sign <code>", whose values are those of gpg-error.h.
bool lost_its_agent(const ProgramResult& result) {
  constexpr std::string_view kFailure = "[GNUPG:] FAILURE sign ";
  constexpr unsigned long kCodeMask = 0xFFFF;
  constexpr unsigned long kSystemError = 1U << 15U;
  constexpr std::array kBrokenConnection = {
      77UL,                 // GPG_ERR_NO_AGENT
      259UL,                // GPG_ERR_ASS_CONNECT_FAILED
      270UL,                // GPG_ERR_ASS_READ_ERROR
      271UL,                // GPG_ERR_ASS_WRITE_ERROR
      16383UL,              // GPG_ERR_EOF
      kSystemError | 24UL,  // GPG_ERR_ECONNABORTED
      kSystemError | 25UL,  // GPG_ERR_ECONNREFUSED
      kSystemError | 26UL,  // GPG_ERR_ECONNRESET
      kSystemError | 96UL,  // GPG_ERR_ENOTCONN
      kSystemError | 109UL  // GPG_ERR_EPIPE
  };
  const std::size_t at = result.errors.find(kFailure);
  if (result.success() || at == std::string::npos) return false;
  const unsigned long number = std::strtoul(&result.errors[at + kFailure.size()], nullptr, 10);
  return std::ranges::find(kBrokenConnection, number & kCodeMask) != kBrokenConnection.end();
}

}  // namespace

Signer::Signer(const Config& config, fs::path worktree, std::string key, const Identity& committer)
    : worktree_(std::move(worktree)),
      format_(format_of(config)),
      program_(program_of(config, format_)),
      key_(std::move(key)) {
  if (key_.empty()) key_ = config.get("user.signingKey").value_or(std::string());
  if (!key_.empty()) return;
  key_ = format_ == Format::ssh ? ssh_default_key(config)
                                : committer.name + " <" + committer.email + ">";
}

Signer::Format Signer::format_of(const Config& config) {
  const std::string name = config.get("gpg.format").value_or("openpgp");
  if (name == "openpgp") return Format::openpgp;
  if (name == "x509") return Format::x509;
  if (name == "ssh") return Format::ssh;
  throw cannot_sign("invalid value for 'gpg.format': " + in_quotes(name));
}

std::string Signer::program_of(const Config& config, Format format) {
  switch (format) {
    case Format::openpgp: {
      // Two names of one setting: the later one counts.
      std::optional<std::string> program;
      for (const Setting& setting : config.settings()) {
        if (setting.key == "gpg.program" || setting.key == "gpg.openpgp.program") {
          program = setting.value;
        }
      }
      return non_empty_or(program, "gpg");
    }
    case Format::x509:
      return non_empty_or(config.get("gpg.x509.program"), "gpgsm");
    case Format::ssh:
      break;
  }
  return non_empty_or(config.get("gpg.ssh.program"), "ssh-keygen");
}

/// gpg-interface.c: get_default_ssh_signing_key(): the first line that the command prints.
std::string Signer::ssh_default_key(const Config& config) const {
  const std::string command = config.get("gpg.ssh.defaultKeyCommand").value_or(std::string());
  const std::string hint = "git config --global user.signingKey ~/.ssh/id_ed25519.pub";
  if (command.empty()) {
    throw cannot_sign("either user.signingKey or gpg.ssh.defaultKeyCommand needs to be configured",
                      hint);
  }
  const ProgramResult result = run_program(split_command_line(command), worktree_, {});
  if (!result.success()) {
    throw cannot_sign("gpg.ssh.defaultKeyCommand failed: " + complaints(result), hint);
  }
  std::string key = split(result.output, '\n').front();
  if (!literal_ssh_key(key)) {
    throw cannot_sign("gpg.ssh.defaultKeyCommand succeeded but returned no keys", hint);
  }
  return key;
}

std::string Signer::sign(std::string_view content) const {
  std::string signature = format_ == Format::ssh ? sign_by_ssh(content) : sign_by_gpg(content);
  return without_carriage_returns(std::move(signature));  // gpg-interface.c: remove_cr_after()
}

std::string Signer::sign_by_gpg(std::string_view content) const {
  constexpr int kTries = 10;
  ProgramResult result;
  for (int i = 0; i < kTries && (i == 0 || lost_its_agent(result)); ++i) {
    result = run_program({program_, "--status-fd=2", "-bsau", key_}, worktree_, content);
  }
  // Only this line proves it (gpg-interface.c: sign_buffer_gpg).
  if (!result.success() || !has_line_starting_with(result.errors, "[GNUPG:] SIG_CREATED ")) {
    throw cannot_sign("gpg failed: " + complaints(result),
                      "is there a secret key for " + printable(key_) + "? " +
                          "git config user.signingKey names another one");
  }
  return std::move(result.output);
}

std::string Signer::sign_by_ssh(std::string_view content) const {
  std::optional<TemporaryFile> key_file;
  std::string key = expand_home(key_);
  if (const auto literal = literal_ssh_key(key_)) {
    key_file.emplace(*literal);
    key = key_file->path();
  }
  const TemporaryFile buffer(content);
  const ProgramResult result =
      run_program({program_, "-Y", "sign", "-n", "git", "-f", key, buffer.path()}, worktree_, {});
  if (!result.success()) throw cannot_sign(complaints(result));
  const auto signature = read_file(buffer.signature());
  if (!signature) throw cannot_sign(in_quotes(program_) + " wrote no signature");
  return *signature;
}

std::string with_signature(std::string_view commit, std::string_view signature) {
  const std::size_t body = std::min(commit.find("\n\n"), commit.size() - 1) + 1;
  std::string out(commit.substr(0, body));
  std::string_view label = "gpgsig";
  while (!signature.empty()) {
    const std::size_t length = std::min(signature.find('\n'), signature.size() - 1) + 1;
    out += std::string(label) + " " + std::string(signature.substr(0, length));
    signature.remove_prefix(length);
    label = {};
  }
  return out += commit.substr(body);
}

}  // namespace wafers::git
