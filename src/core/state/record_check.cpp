#include "core/state/record_check.h"

#include <algorithm>
#include <climits>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "core/state/backend_traits.h"
#include "core/state/store.h"
#include "git/text/branch_name.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

void require(bool believable, const char* key) {
  if (believable) return;
  throw Error(ErrorKind::failed,
              "key " + in_quotes(key) + " holds what no command of wafers has written there");
}

bool consists_of(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_object_name(std::string_view text) {
  constexpr std::size_t kDigits = 40;
  return text.size() == kDigits && consists_of(text, "0123456789abcdef");
}

bool is_empty_or_object_name(std::string_view text) { return text.empty() || is_object_name(text); }

/// That of a boot, or a time. They are compared and printed, no more.
bool is_plain_word(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  return text.size() <= kLongest &&
         consists_of(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-:.+");
}

/// Absolute, without empty components, "." and "..": what realpath(3) gives.
bool is_plain_path(const fs::path& path) {
  const std::string text = path.native() + "/";
  return text.front() == '/' && text.size() <= PATH_MAX && text.find("//") == std::string::npos &&
         text.find("/./") == std::string::npos && text.find("/../") == std::string::npos;
}

/// The default place, or one that has nothing to do with the state.
bool is_mountpoint(const Wafer& wafer, const fs::path& root) {
  const fs::path& mountpoint = wafer.mountpoint;
  if (!is_plain_path(mountpoint)) return false;
  return mountpoint == default_mountpoint(root / wafer.name) ||
         (!is_within(mountpoint.native(), root.native()) &&
          !is_within(root.native(), mountpoint.native()));
}

/// A frozen base's checkout may be another one by now.
bool is_place(const Wafer& wafer, const fs::path& root) {
  const fs::path& place = wafer.place;
  return traits_of(wafer.backend).has_own_namespaces && is_plain_path(place) &&
         (wafer.base_kind == BaseKind::frozen || place == wafer.checkout) &&
         !is_within(place.native(), root.native()) && !is_within(root.native(), place.native());
}

bool is_parent(const fs::path& parent, const Wafer& wafer) {
  return is_plain_path(parent) && parent != wafer.mountpoint &&
         is_within(wafer.mountpoint.native(), parent.native());
}

/// Those above the lowest are ours, and so is the lowest of a frozen base.
bool layers_fit(const Wafer& wafer, const fs::path& root) {
  constexpr std::size_t kMost = 8;
  if (wafer.layers.empty() || wafer.layers.size() > kMost) return false;
  const bool live = wafer.base_kind == BaseKind::live;
  if (live && (wafer.layers.back() != wafer.checkout || wafer.checkout_commit.empty())) {
    return false;
  }
  const std::string bases = (root / kBasesDirectory).native() + "/";
  return std::all_of(wafer.layers.begin(), wafer.layers.end() - (live ? 1 : 0),
                     [&](const fs::path& layer) {
                       return is_plain_path(layer) && layer.native().starts_with(bases);
                     });
}

/// It is removed with the wafer: only what looks like one of git's, and isn't ours.
bool is_worktree_directory(const fs::path& git_dir, const fs::path& root) {
  return is_plain_path(git_dir) && git_dir.parent_path().filename() == "worktrees" &&
         !is_within(git_dir.native(), root.native());
}

bool dialect_fits(const Wafer& wafer) {
  const auto dialects = traits_of(wafer.backend).dialects;
  return std::ranges::find(dialects, wafer.dialect) != dialects.end();
}

}  // namespace

void require_believable(const Wafer& wafer, const fs::path& root) {
  constexpr std::uint32_t kPermissions = 07777;
  require(wafer.renamed_to.empty() || is_valid_wafer_name(wafer.renamed_to), "renamed_to");
  require(git::is_valid_branch_name(wafer.branch), "branch");
  require(wafer.checkout == "/" || is_plain_path(wafer.checkout), "base_repo");
  require(!is_within(wafer.checkout.native(), root.native()), "base_repo");
  require(wafer.main_checkout.empty() || (is_plain_path(wafer.main_checkout) &&
                                          !is_within(wafer.main_checkout.native(), root.native())),
          "main_checkout");
  require(is_object_name(wafer.base_commit), "base_commit");
  require(layers_fit(wafer, root), "base_layers");
  require(is_empty_or_object_name(wafer.checkout_commit), "checkout_commit");
  require(std::ranges::all_of(wafer.moves,
                              [](const BaseMove& move) { return is_object_name(move.commit); }),
          "base_moves");
  require(is_object_name(wafer.last_commit), "last_commit");
  require(is_empty_or_object_name(wafer.pending_commit), "pending_commit");
  require(is_empty_or_object_name(wafer.branch_was), "branch_was");
  require(is_empty_or_object_name(wafer.staged_tree), "staged_tree");
  require(is_empty_or_object_name(wafer.pending_staged_tree), "pending_staged_tree");
  require(dialect_fits(wafer), "dialect");
  require(wafer.git_dir.empty() || is_worktree_directory(wafer.git_dir, root), "git_dir");
  require(is_mountpoint(wafer, root), "mountpoint");
  require(wafer.place.empty() || is_place(wafer, root), "in_place");
  require(std::ranges::all_of(wafer.mountpoint_parents,
                              [&](const fs::path& parent) { return is_parent(parent, wafer); }),
          "mountpoint_parents");
  require(wafer.mountpoint_mode.value_or(0) <= kPermissions, "mountpoint_mode");
  require(is_plain_word(wafer.volatile_boot), "volatile_boot");
  require(is_plain_word(wafer.created_at), "created_at");
  require(!wafer.mount || is_plain_word(wafer.mount->boot_id), "mount");
}

}  // namespace wafers
