// The only user of libmount, in a file of its own: the static holder links without it.
#include "linux/mount_table.h"

#include <libmount/libmount.h>

#include <algorithm>
#include <memory>

namespace wafers {
namespace {

struct TableUnref {
  void operator()(libmnt_table* table) const noexcept { mnt_unref_table(table); }
};
struct IterFree {
  void operator()(libmnt_iter* iter) const noexcept { mnt_free_iter(iter); }
};

std::string text_or_empty(const char* text) { return text != nullptr ? text : ""; }

MountEntry entry_of(libmnt_fs* fs) {
  return {text_or_empty(mnt_fs_get_target(fs)), text_or_empty(mnt_fs_get_fstype(fs)),
          text_or_empty(mnt_fs_get_source(fs)), mnt_fs_get_devno(fs),
          static_cast<std::uint64_t>(mnt_fs_get_id(fs))};
}

std::vector<MountEntry> read_table(const std::string& file) {
  const std::unique_ptr<libmnt_table, TableUnref> table(mnt_new_table_from_file(file.c_str()));
  const std::unique_ptr<libmnt_iter, IterFree> iter(mnt_new_iter(MNT_ITER_FORWARD));
  std::vector<MountEntry> entries;
  libmnt_fs* fs = nullptr;
  while (table && iter && mnt_table_next_fs(table.get(), iter.get(), &fs) == 0) {
    entries.push_back(entry_of(fs));
  }
  return entries;
}

}  // namespace

std::vector<MountEntry> mount_table_of(pid_t pid) {
  return read_table("/proc/" + std::to_string(pid) + "/mountinfo");
}

std::vector<MountEntry> own_mount_table() { return read_table("/proc/self/mountinfo"); }

std::optional<MountEntry> find_mount(const std::vector<MountEntry>& table,
                                     const std::filesystem::path& target) {
  const auto found = std::find_if(table.rbegin(), table.rend(),
                                  [&](const MountEntry& entry) { return entry.target == target; });
  return found != table.rend() ? std::optional(*found) : std::nullopt;
}

}  // namespace wafers
