#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string_view>

namespace wafers {

/// A file's new content, under another name until it takes the old one's place by rename(2): so the
/// file holds one or the other, whenever this process dies. What hasn't taken its place goes with
/// the Replacement; what a killed process left goes with the next one of that name.
class Replacement {
 public:
  /// `suffix` makes the other name. Ends it in "XXXXXX", no other process has that name
  /// (mkstemp(3)), and `mode` is 0600.
  explicit Replacement(std::filesystem::path path, std::string_view suffix = ".new",
                       mode_t mode = 0600);
  Replacement(Replacement&& other) noexcept;
  Replacement& operator=(Replacement&&) = delete;
  ~Replacement();

  /// Where the content is until take_place().
  const std::filesystem::path& temporary() const noexcept { return temporary_; }

  enum class Sync { no, yes };
  /// Sync::yes: waits until the content is on the disk. Throws Error(failed).
  void write(std::string_view content, Sync sync);

  /// Throws Error(failed).
  void take_place();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;  ///< empty: there is none any more
  mode_t mode_;
};

}  // namespace wafers
