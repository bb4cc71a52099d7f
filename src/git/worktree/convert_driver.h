#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "git/worktree/convert.h"

namespace wafers::git {

enum class FilterDirection { clean, smudge };

/// What the external driver makes of `content`: `filter.<name>.process` where it is configured,
/// else the clean or smudge command. nullopt where there is no command for this direction or it
/// failed; then `context.warnings` says why, in git's words. `blob_hex` may be empty.
std::optional<std::string> run_driver(const ConvertConfig::Driver& driver,
                                      FilterDirection direction, std::string_view content,
                                      std::string_view blob_hex, const ConvertContext& context);

/// The long-running filter programs of one computation, one for each command (gitprotocol
/// long-running-process; gitattributes(5)). The destructor closes their input and waits for their
/// end. Not for several threads at once.
class DriverPool {
 public:
  DriverPool();
  DriverPool(const DriverPool&) = delete;
  DriverPool& operator=(const DriverPool&) = delete;
  ~DriverPool();

  /// As run_driver(), through the program `command`.
  std::optional<std::string> filter(const std::string& command, FilterDirection direction,
                                    std::string_view content, std::string_view blob_hex,
                                    const ConvertContext& context);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wafers::git
