#include "git/line_counts.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <utility>

#include "git/library.h"
#include "git/object_store.h"
#include "git/task_pool.h"

namespace wafers::git {
namespace {

/// Larger files are left to libgit2, one at a time, so that memory stays bounded.
constexpr std::size_t kLargest = 8UL * 1024 * 1024;
/// Fewer deltas are counted sooner than a thread is started.
constexpr std::size_t kPerWorker = 64;

/// The next line of `text` with its end: "a" and "a\n" are two lines.
std::string_view first_line(std::string_view text) {
  const std::size_t end = text.find('\n');
  return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

std::size_t lines_in(std::string_view text) {
  const auto ends = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  return ends + (!text.empty() && text.back() != '\n' ? 1 : 0);
}

/// Takes whole lines away from both, first those that are common at the start.
void take_common_lines_away(std::string_view& before, std::string_view& after) {
  const auto shorter = std::min(before.size(), after.size());
  const auto differ = std::mismatch(
      before.begin(), before.begin() + static_cast<std::ptrdiff_t>(shorter), after.begin());
  auto same = static_cast<std::size_t>(differ.first - before.begin());
  if (same < before.size() || same < after.size()) {
    const std::size_t end = before.substr(0, same).rfind('\n');
    same = end == std::string_view::npos ? 0 : end + 1;
  }
  before.remove_prefix(same);
  after.remove_prefix(same);

  const auto last = std::mismatch(before.rbegin(), before.rend(), after.rbegin(), after.rend());
  std::string_view tail =
      before.substr(before.size() - static_cast<std::size_t>(last.first - before.rbegin()));
  // Where the tail begins inside of a line, that line differs.
  const auto begins_line = [&](std::string_view text) {
    return tail.size() == text.size() || text[text.size() - tail.size() - 1] == '\n';
  };
  if (!begins_line(before) || !begins_line(after)) tail.remove_prefix(first_line(tail).size());
  before.remove_suffix(tail.size());
  after.remove_suffix(tail.size());
}

bool have_common_line(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  std::unordered_set<std::string_view> lines;
  for (; !a.empty(); a.remove_prefix(first_line(a).size())) lines.insert(first_line(a));
  for (; !b.empty(); b.remove_prefix(first_line(b).size())) {
    if (lines.contains(first_line(b))) return true;
  }
  return false;
}

/// xdiff-interface.c: buffer_is_binary().
bool is_binary(std::string_view content) {
  constexpr std::size_t kLookedAt = 8000;
  return content.substr(0, kLookedAt).find('\0') != std::string_view::npos;
}

bool is_file(const git_diff_file& file) {
  return file.mode == GIT_FILEMODE_BLOB || file.mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

/// Text, as far as it can be counted here; empty for a file that doesn't exist.
class Blob {
 public:
  /// Absent for what is too large.
  static std::optional<Blob> read(git_odb* odb, const git_diff_file& file) {
    Blob blob;
    if (git_oid_is_zero(&file.id) != 0) return blob;
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    const char* const doing = "cannot count lines";
    check(git_odb_read_header(&size, &type, odb, &file.id), doing);
    if (size > kLargest || type != GIT_OBJECT_BLOB) return std::nullopt;
    check(git_odb_read(Out(blob.object_), odb, &file.id), doing);
    return blob;
  }

  std::string_view content() const {
    if (!object_) return {};
    return {static_cast<const char*>(git_odb_object_data(object_.get())),
            git_odb_object_size(object_.get())};
  }

 private:
  OdbObjectHandle object_;
};

/// What a worker can say of a delta by itself.
std::optional<LineCounts> count_alone(git_odb* odb, const git_diff_delta& delta, TextRule rule) {
  const auto before = Blob::read(odb, delta.old_file);
  const auto after = before ? Blob::read(odb, delta.new_file) : std::nullopt;
  if (!after) return std::nullopt;
  if (rule == TextRule::detect && (is_binary(before->content()) || is_binary(after->content()))) {
    return LineCounts{
        .added = after->content().size(), .removed = before->content().size(), .binary = true};
  }
  return count_without_search(before->content(), after->content());
}

}  // namespace

std::optional<LineCounts> count_without_search(std::string_view before, std::string_view after) {
  take_common_lines_away(before, after);
  if (!before.empty() && !after.empty() && have_common_line(before, after)) return std::nullopt;
  return LineCounts{.added = lines_in(after), .removed = lines_in(before)};
}

std::vector<LineCounts> count_all_lines(DiffSession& session) {
  std::vector<std::pair<std::size_t, TextRule>> tasks;
  for (std::size_t i = 0; i < session.size(); ++i) {
    const git_diff_delta& delta = session.delta(i);
    const bool files = (is_file(delta.old_file) || git_oid_is_zero(&delta.old_file.id) != 0) &&
                       (is_file(delta.new_file) || git_oid_is_zero(&delta.new_file.id) != 0);
    const bool same = git_oid_equal(&delta.old_file.id, &delta.new_file.id) != 0;
    if (!files || same) continue;
    const TextRule rule = session.text_rule(delta);
    if (rule == TextRule::other) continue;
    session.make_readable(delta);
    tasks.emplace_back(i, rule);
  }
  std::vector<std::optional<LineCounts>> counts(session.size());
  std::atomic<std::size_t> next{0};
  run_workers(thread_count(tasks.size() / kPerWorker + 1), [&](unsigned /*worker*/) {
    for (std::size_t i = next++; i < tasks.size(); i = next++) {
      const auto [at, rule] = tasks[i];
      counts[at] = count_alone(session.odb(), session.delta(at), rule);
    }
  });
  std::vector<LineCounts> all;
  all.reserve(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    all.push_back(counts[i] ? *counts[i] : count_lines(session, i));
  }
  return all;
}

}  // namespace wafers::git
