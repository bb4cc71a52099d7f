#include "git/clean/file_monitor.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "git/clean/bitmap.h"
#include "git/objects/byte_reader.h"
#include "git/repository/config.h"
#include "git/worktree/filter_process.h"
#include "git/worktree/rule_files.h"

namespace wafers::git {
namespace {

/// Extension FSMN of an index (gitformat-index(5)).
struct Extension {
  std::string token;  ///< when the index was last brought up to date, in the program's own words
  Bitmap dirty;       ///< entries that were not seen to be unchanged
};

/// nullopt where it is malformed.
std::optional<Extension> parse_extension(std::string_view content, std::size_t entries) {
  try {
    ByteReader reader(content);
    const std::uint32_t version = reader.be32();
    ByteReader::require(version == 1 || version == 2);
    Extension extension;
    // Version 1: nanoseconds since 1970.
    extension.token =
        version == 1 ? std::to_string(reader.be64()) : std::string(reader.until('\0'));
    reader.be32();  // size of the bitmap
    extension.dirty = Bitmap::take(reader, entries);
    return extension;
  } catch (const Malformed&) {
    return std::nullopt;
  }
}

/// What the program prints, run with these arguments; nullopt where it fails.
std::optional<std::string> run_program(const Repository& repository, const std::string& command,
                                       const std::string& version, const std::string& token) {
  try {
    FilterProcess process(command + " " + version + " " + wafers::shell_quoted(token),
                          repository.worktree(), {"GIT_OPTIONAL_LOCKS=0"});
    process.close_input();
    // To the end, as git does: it may have left others to print the rest.
    std::string output = process.read_to_end();
    if (process.wait() == 0) return output;
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): then it has said nothing
  }
  return std::nullopt;
}

/// The paths touched since `token`; each ends in a NUL, but for the last one.
std::optional<std::string> touched_since(const Repository& repository, const std::string& command,
                                         const std::string& token) {
  const std::string version = repository.config("core.fsmonitorHookVersion").value_or("");
  if (version != "1") {
    if (const auto answer = run_program(repository, command, "2", token)) {
      // A new token comes first.
      const std::size_t end = answer->find('\0');
      if (end == 0 || end == std::string::npos) return std::nullopt;
      return answer->substr(end + 1);
    }
    if (version == "2") return std::nullopt;
  }
  return run_program(repository, command, "1", token);
}

std::optional<std::string> configured_program(const Repository& repository) {
  const auto value = repository.config("core.fsmonitor");
  if (!value || value->empty() || parse_bool(*value)) return std::nullopt;
  if (letter_case(repository) == LetterCase::ignored) return std::nullopt;
  return repository.config_path("core.fsmonitor");
}

bool is_gitlink(const IndexRecord& record) { return record.mode() == FileMode::gitlink; }

}  // namespace

std::optional<FileMonitor> FileMonitor::ask(const Repository& repository, const IndexView& index) {
  const auto command = configured_program(repository);
  if (!command || index.file_monitor().empty()) return std::nullopt;
  const std::size_t count = index.entries().size();
  const auto extension = parse_extension(index.file_monitor(), count);
  if (!extension) return std::nullopt;
  const auto touched = touched_since(repository, *command, extension->token);
  if (!touched || touched->starts_with('/')) return std::nullopt;
  FileMonitor monitor;
  monitor.unchanged_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    // Nobody watches what is in a submodule.
    monitor.unchanged_[i] = !extension->dirty.test(i) && !is_gitlink(index.entries()[i]);
  }
  for (std::size_t at = 0; at < touched->size();) {
    const std::size_t end = std::min(touched->find('\0', at), touched->size());
    monitor.touch(std::string_view(*touched).substr(at, end - at), index);
    at = end + 1;
  }
  std::ranges::sort(monitor.touched_);
  return monitor;
}

void FileMonitor::touch(std::string_view path, const IndexView& index) {
  while (path.ends_with('/')) path.remove_suffix(1);
  const auto& entries = index.entries();
  const auto forget = [&](const std::string& from, auto belongs) {
    auto at = std::ranges::lower_bound(entries, std::string_view(from), {}, &IndexRecord::path);
    for (; at != entries.end() && belongs(at->path()); ++at) {
      unchanged_[static_cast<std::size_t>(at - entries.begin())] = false;
    }
  };
  const std::string file(path);
  const std::string directory = path.empty() ? file : file + "/";
  forget(file, [&](std::string_view other) { return other == file; });
  forget(directory, [&](std::string_view other) { return other.starts_with(directory); });
  touched_.push_back(file);
}

bool FileMonitor::is_quiet(std::string_view directory) const {
  if (directory.empty()) return touched_.empty();
  const auto has = [&](std::string_view path) {
    return std::ranges::binary_search(touched_, path, std::less<>());
  };
  for (std::size_t end = 0; end != std::string_view::npos;) {
    if (has(directory.substr(0, end))) return false;  // first the worktree itself
    end = directory.find('/', end + 1);
  }
  if (has(directory)) return false;
  const std::string below = std::string(directory) + "/";
  const auto next = std::ranges::lower_bound(touched_, below);
  return next == touched_.end() || !next->starts_with(below);
}

}  // namespace wafers::git
