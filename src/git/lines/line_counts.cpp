#include "git/lines/line_counts.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/error.h"
#include "git/objects/library.h"
#include "git/repository/config.h"
#include "os/task_pool.h"

namespace wafers::git {
namespace {

constexpr const char* kDoing = "cannot count lines";

/// Larger files are left to libgit2, one at a time, so that memory stays bounded.
constexpr std::size_t kLargest = 8UL * 1024 * 1024;
/// core.bigFileThreshold as it is without configuration: larger files are binary for git.
constexpr std::uint64_t kBigFile = 512UL * 1024 * 1024;
/// Fewer pairs are counted sooner than a thread is started.
constexpr std::size_t kPerWorker = 64;

std::uint32_t algorithm_flag(const Repository& repository) {
  const std::string name = repository.config("diff.algorithm").value_or(std::string());
  if (name == "patience") return GIT_DIFF_PATIENCE;
  return name == "minimal" ? GIT_DIFF_MINIMAL : 0;
}

/// The content of one side of a pair: a blob as libgit2 holds it, a text of our own, or nothing
/// where there is no file.
class Content {
 public:
  Content() = default;
  explicit Content(OdbObjectHandle blob) : blob_(std::move(blob)) {}
  explicit Content(std::string text) : text_(std::move(text)) {}

  std::string_view view() const {
    if (!blob_) return text_;
    return {static_cast<const char*>(git_odb_object_data(blob_.get())),
            git_odb_object_size(blob_.get())};
  }

 private:
  OdbObjectHandle blob_;
  std::string text_;
};

/// For a worker; absent for what is too large.
std::optional<Content> read_small(git_odb* odb, const FilePair::Side& side) {
  if (!side.exists()) return Content();
  const git_oid oid = to_library(side.oid);
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  check(git_odb_read_header(&size, &type, odb, &oid), kDoing);
  if (size > kLargest || type != GIT_OBJECT_BLOB) return std::nullopt;
  OdbObjectHandle blob;
  check(git_odb_read(Out(blob), odb, &oid), kDoing);
  return Content(std::move(blob));
}

/// A submodule's commit is a line of text.
Content read_any(DatabaseStore& store, const FilePair::Side& side) {
  if (!side.exists()) return Content();
  if (side.mode == FileMode::gitlink) return Content("Subproject commit " + side.oid.hex() + "\n");
  return Content(store.read(side.oid, GIT_OBJECT_BLOB));
}

DatabaseStore& as_database_store(ObjectStore& objects) {
  auto* const store = dynamic_cast<DatabaseStore*>(&objects);
  if (store != nullptr) return *store;
  throw Error(ErrorKind::failed, "cannot compare trees of a foreign object store");
}

}  // namespace

LineCounter::LineCounter(const Repository& repository, ObjectStore& objects, const Oid& new_tree,
                         const std::vector<std::string>& paths)
    : repository_(repository),
      store_(as_database_store(objects)),
      attributes_(attributes_in_tree(repository, objects, new_tree, paths)) {
  check(git_diff_options_init(&options_, GIT_DIFF_OPTIONS_VERSION), kDoing);
  options_.flags = GIT_DIFF_FORCE_TEXT | algorithm_flag(repository);
  if (repository.config_bool("diff.indentHeuristic", true)) {
    options_.flags |= GIT_DIFF_INDENT_HEURISTIC;
  }
}

/// Git asks for the attributes of regular files alone (diff.c: diff_filespec_load_driver).
LineCounter::TextRule LineCounter::rule_of(const FilePair::Side& side) {
  if (!is_regular(side.mode)) return TextRule::detect;
  const Attributes attributes = attributes_.of(side.path);
  const auto diff = attributes.find("diff");
  if (diff == attributes.end()) return TextRule::detect;
  if (diff->second.state == AttributeValue::State::set) return TextRule::text;
  if (diff->second.state == AttributeValue::State::unset) return TextRule::binary;
  const auto binary = repository_.config("diff." + diff->second.text + ".binary");
  const auto known = binary ? parse_bool(binary) : std::nullopt;
  if (!known) return TextRule::detect;
  return *known ? TextRule::binary : TextRule::text;
}

bool LineCounter::is_binary(const FilePair::Side& side, std::string_view content) {
  const TextRule rule = rule_of(side);
  return rule == TextRule::detect ? looks_binary(content) : rule == TextRule::binary;
}

std::optional<LineCounts> LineCounter::count_alone(const Task& task) const {
  auto difference = store_.known_difference(task.pair->before.oid, task.pair->after.oid);
  if (!difference) {
    const auto before = read_small(store_.odb(), task.pair->before);
    const auto after = before ? read_small(store_.odb(), task.pair->after) : std::nullopt;
    if (!after) return std::nullopt;
    difference = line_difference(before->view(), after->view());
  }
  const bool binary = (task.before == TextRule::detect && difference->before_looks_binary) ||
                      (task.after == TextRule::detect && difference->after_looks_binary);
  return binary ? LineCounts{} : difference->lines;
}

LineCounts LineCounter::count_all(const std::vector<FilePair>& pairs) {
  std::vector<Task> tasks;
  std::vector<const FilePair*> rest;
  for (const FilePair& pair : pairs) {
    const auto is_file = [](const FilePair::Side& side) {
      return !side.exists() || is_regular(side.mode);
    };
    if (pair.before.oid == pair.after.oid) continue;
    if (!is_file(pair.before) || !is_file(pair.after)) {
      rest.push_back(&pair);
      continue;
    }
    const Task task{&pair, rule_of(pair.before), rule_of(pair.after)};
    if (task.before == TextRule::binary || task.after == TextRule::binary) continue;
    for (const FilePair::Side* side : {&pair.before, &pair.after}) {
      if (side->exists()) store_.make_readable(side->oid);
    }
    tasks.push_back(task);
  }
  std::vector<std::optional<LineCounts>> counts(tasks.size());
  std::atomic<std::size_t> next{0};
  run_workers(thread_count(tasks.size() / kPerWorker + 1), [&](unsigned /*worker*/) {
    for (std::size_t i = next++; i < tasks.size(); i = next++) counts[i] = count_alone(tasks[i]);
  });
  LineCounts sum;
  const auto add = [&](const LineCounts& some) {
    sum.added += some.added;
    sum.removed += some.removed;
  };
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    add(counts[i] ? *counts[i] : count(*tasks[i].pair));
  }
  for (const FilePair* const pair : rest) add(count(*pair));
  return sum;
}

LineCounts LineCounter::count(const FilePair& pair) {
  for (const FilePair::Side* side : {&pair.before, &pair.after}) {
    if (is_blob(side->mode) && store_.object_size(side->oid) > kBigFile) return {};
  }
  const Content before = read_any(store_, pair.before);
  if (pair.before.exists() && is_binary(pair.before, before.view())) return {};
  const Content after = read_any(store_, pair.after);
  if (pair.after.exists() && is_binary(pair.after, after.view())) return {};
  if (const auto counts = count_without_search(before.view(), after.view())) return *counts;
  PatchHandle patch;
  check(git_patch_from_buffers(Out(patch), before.view().data(), before.view().size(), nullptr,
                               after.view().data(), after.view().size(), nullptr, &options_),
        kDoing);
  LineCounts counts;
  check(git_patch_line_stats(nullptr, &counts.added, &counts.removed, patch.get()), kDoing);
  return counts;
}

}  // namespace wafers::git
