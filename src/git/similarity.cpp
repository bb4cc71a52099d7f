#include "git/similarity.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

namespace wafers::git {
namespace {

/// A file as a bag of its lines (or runs of 64 bytes): hash of each, and how many bytes it has in
/// all, by hash.
struct Signature {
  struct Run {
    std::uint32_t hash = 0;
    std::size_t bytes = 0;
  };
  std::vector<Run> runs;
  std::size_t size = 0;
};

/// Sorts the runs and adds up those with one hash.
void combine(std::vector<Signature::Run>& runs) {
  std::sort(runs.begin(), runs.end(),
            [](const Signature::Run& a, const Signature::Run& b) { return a.hash < b.hash; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (kept > 0 && runs[kept - 1].hash == runs[i].hash) {
      runs[kept - 1].bytes += runs[i].bytes;
    } else {
      runs[kept++] = runs[i];
    }
  }
  runs.resize(kept);
}

bool is_binary(std::string_view content) {
  constexpr std::size_t kLookedAt = 8000;
  return content.substr(0, kLookedAt).find('\0') != std::string_view::npos;
}

/// diffcore-delta.c: hash_chars(). In text the CR of a CR LF doesn't count.
std::unique_ptr<Signature> make_signature(std::string_view content) {
  constexpr std::uint32_t kHashBase = 107927;
  constexpr std::size_t kLongestRun = 64;
  auto signature = std::make_unique<Signature>();
  signature->size = content.size();
  const bool text = !is_binary(content);
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::size_t length = 0;
  const auto end_run = [&] {
    signature->runs.push_back({(first + second * 0x61) % kHashBase, length});
    first = second = 0;
    length = 0;
  };
  for (std::size_t i = 0; i < content.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(content[i]);
    if (text && byte == '\r' && i + 1 < content.size() && content[i + 1] == '\n') continue;
    const std::uint32_t before = first;
    first = (first << 7U) ^ (second >> 25U);
    second = (second << 7U) ^ (before >> 25U);
    first += byte;
    if (++length == kLongestRun || byte == '\n') end_run();
  }
  // What comes behind the last run is not looked at: so git has it up to 2.43.
  combine(signature->runs);
  return signature;
}

// No exception may leave these: libgit2 is C.

int sign_buffer(void** out, const git_diff_file* /*file*/, const char* data, std::size_t size,
                void* /*payload*/) {
  try {
    *out = make_signature({data, size}).release();
    return GIT_OK;
  } catch (const std::bad_alloc&) {
    return GIT_ERROR;
  }
}

/// Only files of a worktree are given by name; trees have none.
int sign_file(void** /*out*/, const git_diff_file* /*file*/, const char* /*path*/,
              void* /*payload*/) {
  return GIT_EBUFS;
}

void free_signature(void* signature, void* /*payload*/) {
  delete static_cast<Signature*>(signature);
}

/// diffcore-rename.c: estimate_similarity().
int compare(int* score, void* source, void* target, void* /*payload*/) {
  const auto& from = *static_cast<const Signature*>(source);
  const auto& to = *static_cast<const Signature*>(target);
  std::size_t copied = 0;
  auto at = to.runs.begin();
  for (const Signature::Run& run : from.runs) {
    while (at != to.runs.end() && at->hash < run.hash) ++at;
    if (at != to.runs.end() && at->hash == run.hash) copied += std::min(run.bytes, at->bytes);
  }
  const std::size_t longest = std::max(from.size, to.size);
  *score = longest == 0 || to.size == 0 ? 0 : static_cast<int>(copied * 100 / longest);
  return GIT_OK;
}

}  // namespace

git_diff_similarity_metric similarity_metric() {
  git_diff_similarity_metric metric{};
  metric.file_signature = sign_file;
  metric.buffer_signature = sign_buffer;
  metric.free_signature = free_signature;
  metric.similarity = compare;
  return metric;
}

}  // namespace wafers::git
