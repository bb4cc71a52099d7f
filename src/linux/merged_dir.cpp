#include "linux/merged_dir.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "os/files.h"

namespace wafers {

MergedDir::MergedDir(std::optional<UpperDir> upper, std::optional<MergedDir> lower) {
  if (upper) marked_.push_back(*std::move(upper));
  if (lower) add_below(std::move(lower->marked_), std::move(lower->plain_));
}

/// Unless what is there already hides it.
void MergedDir::add_below(std::vector<UpperDir> marked, std::optional<PlainDir> plain) {
  if (!marked_.empty() && marked_.back().opaque()) return;
  for (UpperDir& layer : marked) {
    marked_.push_back(std::move(layer));
    if (marked_.back().opaque()) return;
  }
  plain_ = std::move(plain);
}

MergedDir MergedDir::open_base(const std::vector<std::filesystem::path>& layers,
                               UpperDialect dialect) {
  std::vector<UpperDir> marked;
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
    marked.push_back(UpperDir::open(layers[i], dialect));
  }
  MergedDir base;
  base.add_below(std::move(marked), PlainDir::open(layers.back(), "the base"));
  return base;
}

MergedDir MergedDir::directory(const std::string& name) const {
  MergedDir child;
  for (const UpperDir& layer : marked_) {
    const auto entry = layer.find(name);
    if (!entry) continue;
    if (entry->type != UpperEntryType::directory) return child;
    child.marked_.push_back(layer.open_directory(name));
    if (child.marked_.back().opaque()) return child;
  }
  if (plain_) child.plain_ = plain_->find_directory(name);
  return child;
}

std::optional<MergedDir> MergedDir::find_directory(const std::string& name) const {
  MergedDir child = directory(name);
  return child.exists() ? std::optional(std::move(child)) : std::nullopt;
}

MergedDir MergedDir::descend(std::string_view path) const {
  if (path.size() >= PATH_MAX) return {};
  MergedDir dir = directory(std::string(path.substr(0, path.find('/'))));
  while (dir.exists() && path.find('/') != std::string_view::npos) {
    path.remove_prefix(path.find('/') + 1);
    dir = dir.directory(std::string(path.substr(0, path.find('/'))));
  }
  return dir;
}

std::vector<std::string> MergedDir::names() const {
  std::vector<std::string> names = plain_ ? plain_->names() : std::vector<std::string>();
  if (marked_.empty()) return names;
  std::set<std::string> shown(names.begin(), names.end());
  for (auto layer = marked_.rbegin(); layer != marked_.rend(); ++layer) {
    for (const UpperEntry& entry : layer->list().entries) {
      if (entry.type == UpperEntryType::whiteout) {
        shown.erase(entry.name);
      } else {
        shown.insert(entry.name);
      }
    }
  }
  return {shown.begin(), shown.end()};
}

const PlainDir* MergedDir::holder_of(const std::string& name) const {
  for (const UpperDir& layer : marked_) {
    const auto entry = layer.find(name);
    if (entry) return entry->type == UpperEntryType::whiteout ? nullptr : &layer.plain();
  }
  return plain_ ? &*plain_ : nullptr;
}

std::optional<struct stat> MergedDir::stat(const std::string& name) const {
  const PlainDir* const holder = holder_of(name);
  return holder != nullptr ? holder->stat(name) : std::nullopt;
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
