#include "core/state/wafer.h"

#include "base/text.h"
#include "core/state/backend_traits.h"
#include "linux/covered_checkout.h"

namespace wafers {

std::filesystem::path Wafer::reached_inside(const std::filesystem::path& path) const {
  return place.empty() ? path : covered_checkout(place, directory.parent_path()).inside(path);
}

std::filesystem::path Wafer::called_outside(const std::filesystem::path& path) const {
  const std::filesystem::path root = directory.parent_path();
  if (!is_within(path.native(), covered_checkout({}, root).reached.native())) return path;
  const auto covered = find_covered_checkout(root);
  return covered ? covered->outside(path) : path;
}

std::string_view to_string(BackendKind kind) { return traits_of(kind).name; }

std::string_view to_string(BaseKind kind) { return kind == BaseKind::live ? "live" : "frozen"; }

std::optional<BackendKind> parse_backend(std::string_view text) {
  for (const BackendTraits& backend : all_backends()) {
    if (backend.name == text) return backend.kind;
  }
  return std::nullopt;
}

std::string_view to_string(WaferStage stage) {
  switch (stage) {
    case WaferStage::adding:
      return "adding";
    case WaferStage::ready:
      return "ready";
    case WaferStage::removing:
      return "removing";
  }
  return "?";
}

std::string_view to_string(WaferStatus status) {
  switch (status) {
    case WaferStatus::mounted:
      return "mounted";
    case WaferStatus::unmounted:
      return "unmounted";
    case WaferStatus::broken:
      return "broken";
  }
  return "?";
}

}  // namespace wafers
