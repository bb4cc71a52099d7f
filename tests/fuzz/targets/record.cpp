// A wafer's record: whoever works in the wafer can write it.
#include "core/state/record.h"

#include <climits>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "cli/json.h"
#include "core/state/record_check.h"
#include "core/state/store.h"
#include "target.h"

namespace {

using wafers::Error;
using wafers::Wafer;
using wafers::fuzz::require;

const std::filesystem::path kRoot = "/home/u/.local/state/wafers";

std::optional<Wafer> decoded(std::string_view document) {
  try {
    return wafers::decode_metadata(document);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_believed(const Wafer& wafer) {
  try {
    // As the store does (core/state/store.cpp: lookup).
    if (!wafers::is_valid_wafer_name(wafer.name)) return false;
    wafers::require_believable(wafer, kRoot);
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool is_plain(const std::filesystem::path& path) {
  return path.is_absolute() && path.lexically_normal() == path && path.native().size() < PATH_MAX &&
         (path.has_filename() || path == "/");
}

bool is_name_of_object(const std::string& text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// What the commands rely on, once the record is believed.
void check_fields(const Wafer& wafer) {
  require(is_name_of_object(wafer.base_commit), "base_commit is an object");
  require(is_name_of_object(wafer.last_commit), "last_commit is an object");
  for (const std::string* optional :
       {&wafer.pending_commit, &wafer.staged_tree, &wafer.pending_staged_tree}) {
    require(optional->empty() || is_name_of_object(*optional), "an object or nothing");
  }
  require(is_plain(wafer.checkout), "base_repo is a plain path");
  require(is_plain(wafer.mountpoint) && wafer.mountpoint != "/", "mountpoint is a plain path");
  const std::string top = kRoot.native() + "/";
  require(
      !wafer.mountpoint.native().starts_with(top) || wafer.mountpoint == kRoot / wafer.name / "mnt",
      "mountpoint is in no other wafer's state");
  for (const auto& parent : wafer.mountpoint_parents) {
    require(is_plain(parent), "a parent is a plain path");
    require(wafer.mountpoint.native().starts_with(parent.native() + "/"), "a parent is above");
  }
  require(wafer.mountpoint_mode.value_or(0) <= 07777, "a mode is a mode");
  require(!wafer.branch.empty() && wafer.branch.front() != '-', "branch is no option");
  require(wafer.branch.find("..") == std::string::npos, "branch leads nowhere");
  if (wafer.mount && wafer.mount->process) require(wafer.mount->process->pid > 0, "pid is one");
}

/// Prints as `ls --json` does.
void print(const Wafer& wafer) {
  wafers::WaferInfo info;
  info.wafer = wafer;
  wafers::printable_json(wafers::cli::to_json({info}).dump());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view document = wafers::fuzz::as_text(data, size);
  const auto wafer = decoded(document);
  if (!wafer) return 0;
  const std::string written = wafers::encode_metadata(*wafer);
  const auto again = decoded(written);
  require(again.has_value(), "what is written can be read");
  require(wafers::encode_metadata(*again) == written, "what is written is read as it was");
  auto known = *wafer;
  known.unknown_keys.clear();
  const auto kept = decoded(wafers::encode_metadata(known));
  require(kept && wafers::encode_metadata(*kept) == wafers::encode_metadata(known),
          "what is kept changes nothing");
  require(is_believed(*again) == is_believed(*wafer), "what was believed still is");
  if (!is_believed(*wafer)) return 0;
  check_fields(*wafer);
  print(*wafer);
  return 0;
}
