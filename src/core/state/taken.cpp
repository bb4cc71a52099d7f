#include "core/state/taken.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "os/directory.h"
#include "os/files.h"
#include "os/replacement.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFormat = "wafers taken 1";
constexpr std::string_view kEnd = "end";
constexpr off_t kLargest = 64 << 20;

/// By what a replaced record is told from the one that was read: a new file has a new change time.
struct Stamp {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t changed = 0;  ///< in nanoseconds, by the clock of the file system

  bool operator==(const Stamp&) const = default;
};

struct Remembered {
  Stamp stamp;
  Taken taken;
};

using Memory = std::vector<Remembered>;  ///< by name

std::int64_t nanoseconds(const timespec& time) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return time.tv_sec * kSecond + time.tv_nsec;
}

Stamp stamp_of(const struct stat& status) {
  return {status.st_ino, static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_ctim)};
}

std::vector<std::string> names_in(const fs::path& root) {
  std::vector<std::string> names;
  const int err = for_each_entry(root, [&](const DirectoryEntry& entry) {
    if (!entry.name.starts_with('.')) names.emplace_back(entry.name);
    return true;
  });
  if (err != 0) {
    throw Error::system(err, "cannot read the state directory " + in_quotes(root.native()));
  }
  std::ranges::sort(names);
  return names;
}

/// Fields that end with a NUL byte, which no path and no name holds.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> next() {
    const std::size_t end = rest_.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view field = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return field;
  }

  template <typename Number>
  std::optional<Number> number() {
    const auto field = next();
    Number number{};
    if (!field) return std::nullopt;
    const char* const end = field->data() + field->size();
    const auto [stop, error] = std::from_chars(field->data(), end, number);
    return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

std::optional<Remembered> read_one(std::string_view name, Fields& fields) {
  const auto inode = fields.number<std::uint64_t>();
  const auto size = fields.number<std::uint64_t>();
  const auto changed = fields.number<std::int64_t>();
  const auto branch = fields.next();
  const auto checkout = fields.next();
  const auto mountpoint = fields.next();
  const auto parents = fields.number<std::size_t>();
  if (!inode || !size || !changed || !branch || !checkout || !mountpoint || !parents) {
    return std::nullopt;
  }
  Remembered one{{*inode, *size, *changed},
                 {std::string(name),
                  std::string(*branch),
                  std::string(*checkout),
                  std::string(*mountpoint),
                  {}}};
  for (std::size_t i = 0; i < *parents; ++i) {
    const auto parent = fields.next();
    if (!parent) return std::nullopt;
    one.taken.parents.emplace_back(*parent);
  }
  return one;
}

/// Empty where that isn't wholly what encoded() makes. A record that changed last when this was
/// written, or later, is left out: it can have been changed once more in the same tick of the
/// clock.
Memory decoded(std::string_view text, std::int64_t written) {
  Memory memory;
  Fields fields(text);
  if (fields.next() != kFormat) return {};
  for (auto name = fields.next(); name != kEnd; name = fields.next()) {
    auto one = name ? read_one(*name, fields) : std::nullopt;
    if (!one) return {};
    if (one->stamp.changed < written) memory.push_back(*std::move(one));
  }
  return memory;
}

void append(std::string& text, std::string_view field) {
  text += field;
  text += '\0';
}

std::string encoded(const std::vector<Remembered>& all) {
  std::string text;
  append(text, kFormat);
  for (const auto& [stamp, taken] : all) {
    append(text, taken.name);
    append(text, std::to_string(stamp.inode));
    append(text, std::to_string(stamp.size));
    append(text, std::to_string(stamp.changed));
    append(text, taken.branch);
    append(text, taken.checkout);
    append(text, taken.mountpoint);
    append(text, std::to_string(taken.parents.size()));
    for (const std::string& parent : taken.parents) append(text, parent);
  }
  append(text, kEnd);
  return text;
}

/// Not what another user wrote, or could write.
Memory recall(const fs::path& file) {
  const UniqueFd fd = open_file(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return {};
  const bool own = S_ISREG(status.st_mode) && status.st_uid == ::geteuid() &&
                   (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  if (!own || status.st_size > kLargest) return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t got = read_full(fd.get(), text.data(), text.size());
  return got == status.st_size ? decoded(text, nanoseconds(status.st_mtim)) : Memory();
}

/// Where it can't be written, all records are read again the next time, that is all.
void remember(const fs::path& file, const std::vector<Remembered>& all) noexcept {
  try {
    Replacement replacement(file);
    replacement.write(encoded(all), Replacement::Sync::no);
    replacement.take_place();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the disk is full
  }
}

}  // namespace

Taken taken_by(const Wafer& wafer) {
  Taken taken{wafer.name, wafer.branch, wafer.checkout, wafer.mountpoint, {}};
  for (const fs::path& parent : wafer.mountpoint_parents) taken.parents.push_back(parent);
  return taken;
}

std::vector<Taken> list_taken(const Store& store) {
  constexpr std::size_t kFew = 32;  // which are read as fast as the memory is written
  const fs::path file = store.root() / kTakenFile;
  Memory memory = recall(file);
  const UniqueFd root = open_anchor(store.root());
  std::vector<Remembered> all;
  std::size_t read = 0;
  auto known = memory.begin();
  for (const std::string& name : names_in(store.root())) {
    // Before the record is read: should it be replaced meanwhile, it is read again the next time.
    struct stat status {};
    const std::string record = name + "/" + kRecordFile;
    const bool there = ::fstatat(root.get(), record.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    while (known != memory.end() && known->taken.name < name) ++known;
    const bool is_known = known != memory.end() && known->taken.name == name;
    if (there && is_known && known->stamp == stamp_of(status)) {
      all.push_back(std::move(*known));
    } else if (const auto wafer = store.lookup(name).wafer) {
      all.push_back({stamp_of(status), taken_by(*wafer)});
      ++read;
    }
  }
  if (read > kFew) remember(file, all);
  std::vector<Taken> taken;
  taken.reserve(all.size());
  for (Remembered& one : all) taken.push_back(std::move(one.taken));
  return taken;
}

}  // namespace wafers
