#pragma once

#include <filesystem>
#include <functional>

namespace wafers::test {

/// While it lives, `hook` runs right before each read(2) from the file that is `path` now, at most
/// `times` times: that is where a file can change under its reader's hands. One at a time. Works in
/// programs that are linked with --wrap=read (see CMakeLists.txt).
class ReadHook {
 public:
  ReadHook(const std::filesystem::path& path, int times, std::function<void()> hook);
  ReadHook(const ReadHook&) = delete;
  ReadHook& operator=(const ReadHook&) = delete;
  ~ReadHook();

  /// How often it ran.
  int calls() const;
};

}  // namespace wafers::test
