#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace wafers::fuzz {

/// Ends the process, after `what` on stderr, where a property of a parser doesn't hold.
void require(bool holds, const char* what);

/// Exactly `count` parts of an input, which an ASCII record separator (0x1E) divides: the last one
/// is all that is left, and those that the input doesn't have are empty.
std::vector<std::string_view> parts(std::string_view input, std::size_t count);

/// `content` as a file without a name, for a parser that takes a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content);
  std::string path() const;
  int fd() const noexcept { return fd_.get(); }

 private:
  UniqueFd fd_;
};

/// A directory of this process below $TMPDIR, made at the first call and removed at exit().
const std::filesystem::path& scratch_directory();

/// Makes the file hold `content`.
void write_file(const std::filesystem::path& file, std::string_view content);

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace wafers::fuzz

/// What libFuzzer calls, and the replay under another name (tests/fuzz/targets/CMakeLists.txt).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
