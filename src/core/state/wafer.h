#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wafers {

enum class UpperDialect : int;  // linux/upper.h

enum class BackendKind { namespace_, host, fuse };

std::string_view to_string(BackendKind kind);
std::optional<BackendKind> parse_backend(std::string_view text);

/// A process that wafers started, told apart from a later one with the same pid by its start time
/// (/proc/<pid>/stat field 22, in clock ticks since boot) and the boot it ran in.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;

  bool operator==(const ProcessId&) const = default;
};

/// What a backend must remember of a mount to find it again. Backend-specific parts are absent
/// where they mean nothing.
struct MountRecord {
  std::string boot_id;                   ///< /proc/sys/kernel/random/boot_id when it was mounted
  std::optional<ProcessId> process;      ///< the holder, or the fuse-overlayfs server
  std::optional<std::uint64_t> user_ns;  ///< inode of the user namespace
  std::optional<std::uint64_t> mnt_ns;   ///< inode of the mount namespace
  std::optional<std::uint64_t> device;   ///< st_dev of the mounted view
};

/// How far a wafer's making or removal has come. Only one that is ready may be mounted, entered or
/// committed from: in the other stages its upper can be half of what it should be.
enum class WaferStage {
  adding,  ///< `add` did not come to its end: no work is in it
  ready,
  removing,  ///< `rm` decided to remove it and did not come to its end
};
std::string_view to_string(WaferStage stage);

/// What the lowest layer of a wafer's base is.
enum class BaseKind {
  live,    ///< the checkout itself
  frozen,  ///< a snapshot in the state directory
};
std::string_view to_string(BaseKind kind);

/// A move of the HEAD of a live base's checkout.
struct BaseMove {
  std::string commit;  ///< where it went
  /// Files of the upper that held content of that commit when the view was mounted anew; empty for
  /// very many.
  std::vector<std::string> paths;

  bool operator==(const BaseMove&) const = default;
};

/// A wafer's metadata, as stored. Paths are absolute. Oids are hexadecimal so that what needs no
/// Git need not know of it.
struct Wafer {
  std::string name;
  /// Written before the directory gets this name, cleared after: under that name the wafer is meant
  /// already. Empty otherwise.
  std::string renamed_to;
  WaferStage stage = WaferStage::ready;
  std::string branch;
  /// Worktree that the wafer was made from. This, main_checkout and layers are as this process
  /// reaches them; the record has what they are called outside (called_outside()).
  std::filesystem::path checkout;
  /// Of a frozen base that was made from a linked worktree: the repository's main one, which takes
  /// the place of a checkout that is gone when the record is read. Empty otherwise.
  std::filesystem::path main_checkout;
  BaseKind base_kind = BaseKind::live;
  std::string base_commit;  ///< what the layers show: what the upper's changes are changes of
  std::string base_ref;     ///< what it was called when the wafer was made, for people
  /// The lowerdirs, topmost first: delta layers above the lowest, which is the checkout of a live
  /// base. What the view shows below the upper, what the snapshot compares with and what people are
  /// told of the base is read from here and nowhere else.
  std::vector<std::filesystem::path> layers;
  /// A live base: HEAD of the checkout with which the layers show base_commit.
  std::string checkout_commit;
  /// Where that HEAD went while the view was mounted over it, the oldest first, as far as something
  /// was taken from there (core/base/moved_content.h).
  std::vector<BaseMove> moves;
  std::string last_commit;  ///< the tip that wafers last saw
  /// Written before the branch is moved to this commit, cleared after: if we die in between, a tip
  /// at this commit is our own doing and not a move from outside. Empty otherwise.
  std::string pending_commit;
  /// Written with a last_commit to which the branch is then moved, cleared after: where the branch
  /// was, all zero where there was none. If we die in between, the next command moves it. Empty
  /// otherwise.
  std::string branch_was;
  /// Tree of what `git-add` has staged, where that isn't the tip's: what git would have in its
  /// index. Empty otherwise.
  std::string staged_tree;
  std::string pending_staged_tree;  ///< what staged_tree is once pending_commit is the tip
  BackendKind backend = BackendKind::namespace_;
  UpperDialect dialect{};  ///< kernel_user unless said otherwise
  /// With git inside: the administrative directory of the linked worktree that the view is, in the
  /// repository (gitrepository-layout(5): worktrees/<id>). Empty otherwise.
  std::filesystem::path git_dir;
  std::filesystem::path mountpoint;
  bool mountpoint_made = false;  ///< by us: rm removes it
  /// Directories above the mountpoint that `add` made, outermost first: rm removes them if empty.
  std::vector<std::filesystem::path> mountpoint_parents;
  /// Mode of a mountpoint that was there before: rm gives it back.
  std::optional<std::uint32_t> mountpoint_mode;
  /// Of a wafer that was added in place: the path of its checkout, which the view covers inside
  /// (linux/covered_checkout.h). Empty otherwise.
  std::filesystem::path place;
  /// Groups of the caller that a namespace of it has beside the primary one, where newgidmap still
  /// maps them: those of files in the base.
  std::vector<std::uint32_t> groups;
  bool durable = false;  ///< never mounted volatile: `add --durable`
  /// Id of the boot in which the view was mounted volatile: from before that mount until all that
  /// was written in it is known to be on the disk. Empty otherwise.
  std::string volatile_boot;
  std::string created_at;            ///< RFC 3339, UTC
  std::optional<MountRecord> mount;  ///< of the latest mount, until it is unmounted by us
  /// What a newer wafers has written beside all that, as a JSON object: it is written again as it
  /// was read. Empty where there is nothing.
  std::string unknown_keys;

  bool has_git_inside() const { return !git_dir.empty(); }

  std::filesystem::path directory;  ///< of its state; not stored
  /// Where people and agents are to work inside: at the mountpoint, or where the checkout is.
  const std::filesystem::path& root() const { return place.empty() ? mountpoint : place; }
  /// By what name that is reached inside which is called `path` here.
  std::filesystem::path reached_inside(const std::filesystem::path& path) const;
  /// What `path` is called outside: a part of the base, where a view around this process covers it.
  std::filesystem::path called_outside(const std::filesystem::path& path) const;
  std::filesystem::path upper() const { return directory / "upper"; }
  std::filesystem::path work() const { return directory / "work"; }
  // Stat caches in the format of Git's index, which may be absent.
  std::filesystem::path index() const { return directory / "index"; }  ///< of the latest commit
  std::filesystem::path seen() const { return directory / "seen"; }    ///< of the latest status
};

/// Where a wafer is mounted unless it was made with `--at`: in the directory of its state.
inline std::filesystem::path default_mountpoint(const std::filesystem::path& directory) {
  return directory / "mnt";
}

/// Of the state directory: holds the frozen bases and delta layers, which wafers share.
inline constexpr const char* kBasesDirectory = ".bases";

/// Git's index of the files in the snapshot that is the lowest layer of a frozen base.
inline std::filesystem::path index_of_snapshot(const std::filesystem::path& layer) {
  return layer.parent_path() / "index";
}

enum class WaferStatus { mounted, unmounted, broken };
std::string_view to_string(WaferStatus status);

}  // namespace wafers
