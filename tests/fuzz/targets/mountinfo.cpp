// A table of mounts, as the kernel writes it: who mounts chooses the names in it.
#include <algorithm>
#include <charconv>

#include "linux/mount_table.h"
#include "target.h"

namespace {

using wafers::MountEntry;
using wafers::fuzz::require;

/// What seq_escape() makes of a name (fs/proc_namespace.c: mangle).
std::string mangled(std::string_view name) {
  constexpr std::string_view kEscaped = " \t\n\\#";
  std::string out;
  for (const char c : name) {
    if (kEscaped.find(c) == std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
    out += '\\';
    for (const unsigned shift : {6U, 3U, 0U}) out += static_cast<char>('0' + (byte >> shift & 7U));
  }
  return out;
}

/// Up to the first NUL: a name of the kernel's has none.
std::string name_in(std::string_view part) { return std::string(part.substr(0, part.find('\0'))); }

struct Table {
  std::string text;
  std::vector<MountEntry> entries;
};

/// A line of fs/proc_namespace.c: show_mountinfo().
void add_line(Table& table, std::string_view part) {
  constexpr std::size_t kNames = 4;
  std::vector<std::string> names;
  for (std::size_t i = 0; i + 1 < kNames; ++i) {
    const std::size_t end = std::min(part.find('\t'), part.size());
    names.push_back(name_in(part.substr(0, end)));
    part.remove_prefix(std::min(end + 1, part.size()));
  }
  names.push_back(name_in(part));
  MountEntry entry;
  entry.mount_id = 20 + table.entries.size();
  entry.target = "/" + names[0];
  entry.type = names[1].empty() ? "tmpfs" : mangled(names[1]);
  entry.source = names[2];
  table.text += std::to_string(entry.mount_id) + " 1 0:5 / " + mangled(entry.target.native()) +
                " rw,relatime shared:1 - " + entry.type + " " + mangled(entry.source) + " rw," +
                mangled(names[3]) + "\n";
  table.entries.push_back(std::move(entry));
}

Table table_of(std::string_view input) {
  constexpr std::size_t kLines = 4;
  Table table;
  for (const std::string_view part : wafers::fuzz::parts(input, kLines)) add_line(table, part);
  return table;
}

/// By its number each mount is found, and none is taken for another.
void check_search(const Table& table) {
  for (const MountEntry& entry : table.entries) {
    const std::string source = mangled(entry.source);
    for (const std::uint64_t id : {20U, 21U, 22U, 23U, 2U, 24U}) {
      const bool same = entry.mount_id == id;
      const auto* const other =
          id >= 20 && id < 24 ? &table.entries[static_cast<std::size_t>(id) - 20] : nullptr;
      const bool alike = other != nullptr && other->type == entry.type &&
                         (source.empty() || mangled(other->source) == source);
      require(wafers::is_mount_of(table.text, id, entry.type, source) == alike,
              same ? "a mount is found" : "a mount is not taken for another");
    }
  }
}

/// libmount reads the same.
void check_table(const Table& table) {
  const wafers::fuzz::MemoryFile file(table.text);
  const std::vector<MountEntry> read = wafers::mount_table_in(file.path());
  require(read.size() == table.entries.size(), "every mount is there");
  for (std::size_t i = 0; i < read.size(); ++i) {
    require(read[i].mount_id == table.entries[i].mount_id, "it has its number");
    require(read[i].target == table.entries[i].target, "it has its place");
    require(read[i].source == table.entries[i].source, "it has its source");
  }
  for (const MountEntry& entry : table.entries) {
    const auto found = wafers::find_mount(read, entry.target);
    require(found && found->mount_id >= entry.mount_id, "the topmost is found");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = wafers::fuzz::as_text(data, size);
  wafers::is_mount_of(input, 20, "overlay", "wafers:a1");
  wafers::is_mount_of(input, 20, "overlay", "");
  const Table table = table_of(input);
  check_search(table);
  check_table(table);
  return 0;
}
