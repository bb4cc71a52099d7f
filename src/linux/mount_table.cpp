// The only user of libmount, in a file of its own: the static holder links without it.
#include "linux/mount_table.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <libmount/libmount.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/error.h"
#include "base/fd.h"
#include "linux/overlay.h"
#include "os/files.h"

namespace wafers {
namespace {

/// libmount, loaded when the first table is read: to load it and the libraries that it needs would
/// double the time of `wafers exec`, which with the namespace backend needs no table. (With
/// WAFERS_LINK_LIBMOUNT it is linked: a static program can't load it.)
class Libmount {
 public:
  static const Libmount& get() {
    static const Libmount library;
    return library;
  }

 private:
#ifdef WAFERS_LINK_LIBMOUNT
#define WAFERS_LIBMOUNT(function) decltype(::mnt_##function)* const function = ::mnt_##function
#else
  void* const handle_ = ::dlopen("libmount.so.1", RTLD_NOW);

  /// dlerror(3) tells in words alone that this process may open no more files.
  static void refuse_shortage() {
    if (open_file("/", O_PATH)) return;
    const int err = errno;
    throw Error::system(err, "cannot read mount tables");
  }

  template <typename Function>
  Function* symbol(const char* name) const {
    void* const found = handle_ != nullptr ? ::dlsym(handle_, name) : nullptr;
    // dlsym(3): the cast that POSIX asks for.
    if (found != nullptr) return reinterpret_cast<Function*>(found);
    const char* const why = ::dlerror();
    refuse_shortage();
    throw Error(ErrorKind::unsupported,
                "cannot read mount tables: " + std::string(why != nullptr ? why : name),
                "install libmount (package libmount1)");
  }

#define WAFERS_LIBMOUNT(function)                                                  \
  decltype(::mnt_##function)* const function = symbol<decltype(::mnt_##function)>( \
      "mnt"                                                                        \
      "_" #function)
#endif

 public:
  WAFERS_LIBMOUNT(new_table_from_file);
  WAFERS_LIBMOUNT(unref_table);
  WAFERS_LIBMOUNT(new_iter);
  WAFERS_LIBMOUNT(free_iter);
  WAFERS_LIBMOUNT(table_next_fs);
  WAFERS_LIBMOUNT(fs_get_target);
  WAFERS_LIBMOUNT(fs_get_fstype);
  WAFERS_LIBMOUNT(fs_get_source);
  WAFERS_LIBMOUNT(fs_get_devno);
  WAFERS_LIBMOUNT(fs_get_id);
#undef WAFERS_LIBMOUNT
};

struct TableUnref {
  void operator()(libmnt_table* table) const noexcept { Libmount::get().unref_table(table); }
};
struct IterFree {
  void operator()(libmnt_iter* iter) const noexcept { Libmount::get().free_iter(iter); }
};

std::string text_or_empty(const char* text) { return text != nullptr ? text : ""; }

MountEntry entry_of(libmnt_fs* fs) {
  const Libmount& mnt = Libmount::get();
  return {text_or_empty(mnt.fs_get_target(fs)), text_or_empty(mnt.fs_get_fstype(fs)),
          text_or_empty(mnt.fs_get_source(fs)), mnt.fs_get_devno(fs),
          static_cast<std::uint64_t>(mnt.fs_get_id(fs))};
}

std::string prefix_below(const std::filesystem::path& directory) {
  return directory.native() + (directory == "/" ? "" : "/");
}

}  // namespace

std::vector<MountEntry> mount_table_in(const std::string& file) {
  const Libmount& mnt = Libmount::get();
  const std::unique_ptr<libmnt_table, TableUnref> table(mnt.new_table_from_file(file.c_str()));
  const std::unique_ptr<libmnt_iter, IterFree> iter(mnt.new_iter(MNT_ITER_FORWARD));
  std::vector<MountEntry> entries;
  libmnt_fs* fs = nullptr;
  while (table && iter && mnt.table_next_fs(table.get(), iter.get(), &fs) == 0) {
    entries.push_back(entry_of(fs));
  }
  return entries;
}

std::vector<MountEntry> mount_table_of(pid_t pid) {
  return mount_table_in("/proc/" + std::to_string(pid) + "/mountinfo");
}

std::vector<MountEntry> own_mount_table() { return mount_table_in("/proc/self/mountinfo"); }

bool may_name_in_own_mount_table(std::initializer_list<std::string_view> texts) {
  const auto table = read_small_file("/proc/self/mountinfo");
  return !table || std::ranges::any_of(texts, [&](std::string_view text) {
    // What the kernel writes as an octal escape (proc_pid_mountinfo(5)) isn't found as it is.
    return text.find_first_of(" \t\n\\#") != std::string_view::npos ||
           table->find(text) != std::string::npos;
  });
}

bool is_mount_of(std::string_view mountinfo, std::uint64_t mount_id, std::string_view type,
                 std::string_view source) {
  const std::string start = std::to_string(mount_id) + " ";
  while (!mountinfo.starts_with(start)) {
    const std::size_t end = mountinfo.find('\n');
    if (end == std::string_view::npos) return false;
    mountinfo.remove_prefix(end + 1);
  }
  const std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
  // Blanks in paths are written as \040: the first " - " is what ends the optional fields.
  const std::size_t separator = line.find(" - ");
  if (separator == std::string_view::npos) return false;
  const std::string_view rest = line.substr(separator + 3);
  const std::string wanted = std::string(type) + " " + std::string(source);
  return rest.starts_with(source.empty() ? wanted : wanted + " ");
}

std::optional<MountEntry> find_mount(const std::vector<MountEntry>& table,
                                     const std::filesystem::path& target) {
  const auto found = std::find_if(table.rbegin(), table.rend(),
                                  [&](const MountEntry& entry) { return entry.target == target; });
  return found != table.rend() ? std::optional(*found) : std::nullopt;
}

std::vector<MountEntry> mounts_below(const std::vector<MountEntry>& table,
                                     const std::filesystem::path& directory) {
  const std::string prefix = prefix_below(directory);
  std::vector<MountEntry> below;
  for (const MountEntry& entry : table) {
    if (!entry.target.native().starts_with(prefix) || entry.target == directory) continue;
    const auto there = view_identity(entry.target);
    if (there && there->mount_id == entry.mount_id) below.push_back(entry);
  }
  return below;
}

std::vector<MountEntry> own_mounts_below(const std::filesystem::path& directory) {
  if (!may_name_in_own_mount_table({prefix_below(directory)})) return {};
  return mounts_below(own_mount_table(), directory);
}

}  // namespace wafers
