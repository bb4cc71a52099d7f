#include "core/state/wafer.h"

namespace wafers {

std::string_view to_string(BackendKind kind) {
  switch (kind) {
    case BackendKind::namespace_:
      return "namespace";
    case BackendKind::host:
      return "host";
    case BackendKind::fuse:
      return "fuse";
  }
  return "?";
}

std::optional<BackendKind> parse_backend(std::string_view text) {
  for (const auto kind : {BackendKind::namespace_, BackendKind::host, BackendKind::fuse}) {
    if (to_string(kind) == text) return kind;
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
