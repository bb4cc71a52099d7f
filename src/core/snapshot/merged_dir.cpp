#include "core/snapshot/merged_dir.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers {

MergedDir::MergedDir(std::optional<UpperDir> upper, std::optional<PlainDir> lower)
    : upper_(std::move(upper)), lower_(std::move(lower)) {
  if (upper_ && lower_ && upper_->opaque()) lower_.reset();
}

MergedDir MergedDir::directory(const std::string& name) const {
  const auto entry = upper_ ? upper_->find(name) : std::nullopt;
  if (entry && entry->type != UpperEntryType::directory) return {std::nullopt, std::nullopt};
  return {entry ? std::optional(upper_->open_directory(name)) : std::nullopt,
          lower_ ? lower_->find_directory(name) : std::nullopt};
}

MergedDir MergedDir::descend(std::string_view path) const {
  if (path.size() >= PATH_MAX) return {std::nullopt, std::nullopt};
  MergedDir dir = directory(std::string(path.substr(0, path.find('/'))));
  while (dir.exists() && path.find('/') != std::string_view::npos) {
    path.remove_prefix(path.find('/') + 1);
    dir = dir.directory(std::string(path.substr(0, path.find('/'))));
  }
  return dir;
}

/// The layer whose entry of that name the view shows; null where the view shows none.
const PlainDir* MergedDir::holder_of(const std::string& name) const {
  const auto entry = upper_ ? upper_->find(name) : std::nullopt;
  if (!entry) return lower_ ? &*lower_ : nullptr;
  return entry->type == UpperEntryType::whiteout ? nullptr : &upper_->plain();
}

bool MergedDir::has(const std::string& name) const {
  const PlainDir* const holder = holder_of(name);
  return holder != nullptr && holder->stat(name);
}

std::optional<std::string> MergedDir::file(const std::string& name, std::size_t largest,
                                           struct stat* stat_out) const {
  try {
    const PlainDir* holder = holder_of(name);
    return holder != nullptr ? read_small_file(*holder, name, largest, stat_out) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<std::string> MergedDir::link(const std::string& name) const {
  try {
    const PlainDir* holder = holder_of(name);
    return holder != nullptr ? std::optional(holder->read_link(name)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool MergedDir::touched(const std::string& name) const {
  return upper_ && (upper_->find(name) || upper_->opaque());
}

std::optional<std::string> read_small_file(const PlainDir& dir, const std::string& name,
                                           std::size_t largest, struct stat* stat_out) {
  struct stat st {};
  const auto fd = dir.find_file(name, &st);
  if (!fd) return std::nullopt;
  if (stat_out != nullptr) *stat_out = st;
  if (static_cast<std::uint64_t>(st.st_size) > largest) return std::nullopt;
  std::string content(static_cast<std::size_t>(st.st_size), '\0');
  const ssize_t got = read_full(fd->get(), content.data(), content.size());
  if (got < 0) {
    const int err = errno;
    throw Error::system(err, "cannot read " + in_quotes(dir.path_of(name)));
  }
  if (got < st.st_size) return std::nullopt;
  return content;
}

}  // namespace wafers
