#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/state/store.h"
#include "core/state/wafer.h"
#include "core/view/backend.h"

namespace wafers {

namespace git {
class BaseFilesCache;  // git/refs/head.h
}

/// A wafer and what is known of it right now.
struct WaferInfo {
  Wafer wafer;
  MountState mount;
  /// Whether HEAD of a live base's checkout is no longer the commit that the view was made for;
  /// nullopt where it can't be read, and for a frozen base.
  std::optional<bool> base_moved;
  /// What was done to the branch outside of wafers; empty where nothing was. list_wafers() looks.
  std::string branch_note;
};

/// Looks at one wafer, changes nothing. A wafer whose base is gone, that is unclean, or that is
/// only half made or removed is broken.
WaferInfo inspect(const Wafer& wafer, git::BaseFilesCache& bases);

struct ListResult {
  std::vector<WaferInfo> wafers;  ///< by name
  std::vector<InvalidEntry> invalid_entries;
};

/// All wafers of the state directory, without locks and without libgit2.
ListResult list_wafers(const Store& store);

/// `text` itself if it is UTF-8, else as git quotes it: for documents that can only hold UTF-8.
std::string utf8_text(std::string_view text);

}  // namespace wafers
