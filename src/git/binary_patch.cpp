#include "git/binary_patch.h"

#include <git2.h>
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>

#include "base/error.h"
#include "git/library.h"

namespace wafers::git {
namespace {

constexpr const char* kDoing = "cannot make a binary patch";

/// zlib's interface takes pointers to what it doesn't write as non-const ones.
Bytef* bytes_of(std::string_view text) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
}

std::string deflated(std::string_view data, int level) {
  uLongf size = ::compressBound(data.size());
  std::string out(size, '\0');
  if (::compress2(bytes_of(out), &size, bytes_of(data), data.size(), level) != Z_OK) {
    throw Error(ErrorKind::failed, std::string(kDoing) + ": zlib fails");
  }
  out.resize(size);
  return out;
}

std::string inflated(const git_diff_binary_file& file) {
  uLongf size = file.inflatedlen;
  std::string out(size, '\0');
  if (::uncompress(bytes_of(out), &size, bytes_of({file.data, file.datalen}), file.datalen) !=
      Z_OK) {
    throw Error(ErrorKind::failed, std::string(kDoing) + ": zlib fails");
  }
  return out;
}

/// Four bytes as five digits of base85.c.
void append_base85(std::string& out, std::string_view data) {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
  for (std::size_t at = 0; at < data.size(); at += 4) {
    std::uint32_t number = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
      number = number << 8U | (i < data.size() ? static_cast<unsigned char>(data[i]) : 0U);
    }
    std::string digits(5, '0');
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
      *digit = kDigits[number % kDigits.size()];
      number /= static_cast<std::uint32_t>(kDigits.size());
    }
    out += digits;
  }
}

/// Lines of at most 52 bytes, each with a letter that tells how many.
std::string lines_of(std::string_view data) {
  constexpr std::size_t kLine = 52;
  std::string out;
  for (; !data.empty(); data.remove_prefix(std::min(kLine, data.size()))) {
    const std::string_view line = data.substr(0, kLine);
    const auto length = static_cast<char>(line.size());
    out += static_cast<char>(length <= 26 ? 'A' + length - 1 : 'a' + length - 27);
    append_base85(out, line);
    out += '\n';
  }
  return out;
}

/// diff.c: emit_binary_diff_body(): the delta where it is the smaller one. libgit2 makes the same
/// deltas, but packs them otherwise.
std::string one_way(const git_diff_binary_file& found, std::string_view content, int level) {
  const std::string literal = deflated(content, level);
  if (found.type == GIT_DIFF_BINARY_DELTA) {
    const std::string delta = deflated(inflated(found), level);
    if (delta.size() < literal.size()) {
      return "delta " + std::to_string(found.inflatedlen) + "\n" + lines_of(delta) + "\n";
    }
  }
  return "literal " + std::to_string(content.size()) + "\n" + lines_of(literal) + "\n";
}

struct Job {
  std::string_view before, after;
  int level = 0;
  std::string patch;
  std::exception_ptr failure;
};

int on_binary(const git_diff_delta*, const git_diff_binary* binary, void* payload) {
  auto& job = *static_cast<Job*>(payload);
  try {
    job.patch = "GIT binary patch\n" + one_way(binary->new_file, job.after, job.level) +
                one_way(binary->old_file, job.before, job.level);
    return GIT_OK;
  } catch (...) {  // libgit2 is C: rethrown below
    job.failure = std::current_exception();
    return GIT_EUSER;
  }
}

}  // namespace

std::string binary_patch(std::string_view before, std::string_view after, int level) {
  git_diff_options options{};
  check(git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION), kDoing);
  options.flags = GIT_DIFF_FORCE_BINARY | GIT_DIFF_SHOW_BINARY;
  Job job{.before = before, .after = after, .level = level, .patch = {}, .failure = nullptr};
  const int result =
      git_diff_buffers(before.data(), before.size(), nullptr, after.data(), after.size(), nullptr,
                       &options, nullptr, on_binary, nullptr, nullptr, &job);
  if (job.failure) std::rethrow_exception(job.failure);
  check(result, kDoing);
  return job.patch;
}

}  // namespace wafers::git
