#include "core/view/passed_trials.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>
#include <exception>
#include <string>
#include <string_view>
#include <tuple>

#include "core/state/backend_traits.h"
#include "os/process.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

// An overlay of this kind needs user attributes in the state directory anyway.
constexpr const char* kVolatile = "user.wafers.passed.volatile";
constexpr const char* kDurable = "user.wafers.passed.durable";

const char* attribute_of(MountMode mode) {
  return mode == MountMode::durable ? kDurable : kVolatile;
}

/// For which kernel and file system it holds; empty where that can't be told.
std::string circumstances(const fs::path& state_root) {
  struct stat root {};
  const std::string boot = boot_id();
  if (boot.empty() || ::stat(state_root.c_str(), &root) != 0) return {};
  return boot + " " + std::to_string(root.st_dev);
}

}  // namespace

bool was_passed(const fs::path& state_root, BackendKind kind, MountMode mode) {
  if (!traits_of(kind).remembers_trial) return false;
  std::array<char, 128> value{};
  const ssize_t size =
      ::getxattr(state_root.c_str(), attribute_of(mode), value.data(), value.size());
  return size > 0 && std::string_view(value.data(), static_cast<std::size_t>(size)) ==
                         circumstances(state_root);
}

void remember_passed(const fs::path& state_root, BackendKind kind, MountMode mode) noexcept {
  if (!traits_of(kind).remembers_trial) return;
  try {
    const std::string now = circumstances(state_root);
    if (now.empty()) return;
    std::ignore = ::setxattr(state_root.c_str(), attribute_of(mode), now.data(), now.size(), 0);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): out of memory
  }
}

void forget_passed(const fs::path& state_root) noexcept {
  for (const char* const attribute : {kVolatile, kDurable}) {
    std::ignore = ::removexattr(state_root.c_str(), attribute);
  }
}

}  // namespace wafers
