#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "git/index/index_file.h"
#include "git/index/index_format.h"
#include "git/objects/big_endian.h"
#include "git/objects/sha1.h"
#include "os/replacement.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

void append_be16(std::string& out, std::uint32_t value) {
  char bytes[2];
  store_be16(bytes, static_cast<std::uint16_t>(value));
  out.append(bytes, sizeof bytes);
}

void append_be32(std::string& out, std::uint32_t value) {
  char bytes[4];
  store_be32(bytes, value);
  out.append(bytes, sizeof bytes);
}

/// sparse-index.c: a directory's entry always has this flag.
bool skips_worktree(const IndexEntry& entry) {
  return entry.skip_worktree || entry.mode == FileMode::tree;
}

bool is_extended(const IndexEntry& entry) { return skips_worktree(entry) || entry.intent_to_add; }

void append_entry(std::string& out, const IndexEntry& entry) {
  const std::size_t start = out.size();
  const IndexStat& stat = entry.stat;
  for (const std::uint32_t field :
       {stat.ctime_seconds, stat.ctime_nanoseconds, stat.mtime_seconds, stat.mtime_nanoseconds,
        stat.dev, stat.ino, static_cast<std::uint32_t>(entry.mode), stat.uid, stat.gid,
        stat.size}) {
    append_be32(out, field);
  }
  out.append(entry.oid.bytes.begin(), entry.oid.bytes.end());
  std::uint32_t flags = static_cast<std::uint32_t>(entry.stage) << kIndexStageShift;
  flags |= static_cast<std::uint32_t>(std::min<std::size_t>(entry.path.size(), kIndexNameMask));
  if (entry.assume_valid) flags |= kIndexAssumeValid;
  if (is_extended(entry)) flags |= kIndexExtended;
  append_be16(out, flags);
  if (is_extended(entry)) {
    append_be16(out, (skips_worktree(entry) ? kIndexSkipWorktree : 0U) |
                         (entry.intent_to_add ? kIndexIntentToAdd : 0U));
  }
  out += entry.path;
  out.append(8 - (out.size() - start) % 8, '\0');
}

/// Extension TREE with nothing but the root: "" NUL, entries, no subtrees, LF, object name.
void append_cached_tree(std::string& out, const Oid& tree, std::size_t entries) {
  std::string record(1, '\0');
  record += std::to_string(entries) + " 0\n";
  record.append(tree.bytes.begin(), tree.bytes.end());
  out += "TREE";
  append_be32(out, static_cast<std::uint32_t>(record.size()));
  out += record;
}

std::string serialised(const IndexFile& index) {
  std::vector<const IndexEntry*> order;
  order.reserve(index.entries.size());
  for (const IndexEntry& entry : index.entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const IndexEntry* a, const IndexEntry* b) {
    const int names = a->path.compare(b->path);
    return names != 0 ? names < 0 : a->stage < b->stage;
  });
  const auto any = [&](auto test) {
    return std::any_of(index.entries.begin(), index.entries.end(), test);
  };
  std::string out(kIndexSignature);
  append_be32(out, any(is_extended) ? 3 : 2);
  append_be32(out, static_cast<std::uint32_t>(order.size()));
  for (const IndexEntry* entry : order) append_entry(out, *entry);
  if (index.cached_tree) append_cached_tree(out, *index.cached_tree, order.size());
  if (any([](const IndexEntry& entry) { return entry.mode == FileMode::tree; })) {
    out += "sdir";
    append_be32(out, 0);
  }
  Sha1 hash;
  hash.update(out);
  const Oid checksum = hash.finish();
  out.append(checksum.bytes.begin(), checksum.bytes.end());
  return out;
}

}  // namespace

void IndexFile::write(const fs::path& path) const {
  Replacement replacement(path, ".XXXXXX");
  replacement.write(serialised(*this), Replacement::Sync::no);
  replacement.take_place();
}

}  // namespace wafers::git
