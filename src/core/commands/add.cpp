#include "core/commands/add.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/base/bases.h"
#include "core/base/difference.h"
#include "core/base/moved_content.h"
#include "core/commands/add_names.h"
#include "core/commands/base_check.h"
#include "core/commands/base_owners.h"
#include "core/commands/checkout_changes.h"
#include "core/commands/discard.h"
#include "core/commands/in_place.h"
#include "core/commands/opened_base.h"
#include "core/commands/unused_layers.h"
#include "core/commands/wafer_maker.h"
#include "core/git_commands/wafer_branch.h"
#include "core/git_commands/wafer_git.h"
#include "core/inside/submodules.h"
#include "core/state/backend_traits.h"
#include "core/state/hidden_git.h"
#include "core/state/plan.h"
#include "core/state/taken.h"
#include "core/state/unclean.h"
#include "core/view/backends.h"
#include "core/view/base_mounts.h"
#include "core/view/mountpoint.h"
#include "core/view/passed_trials.h"
#include "core/view/surrounding_wafer.h"
#include "git/clean/clean_check.h"
#include "git/clean/tracked_files.h"
#include "git/index/index_file.h"
#include "git/refs/head.h"
#include "git/repository/repository.h"
#include "git/repository/revision.h"
#include "linux/covered_checkout.h"
#include "os/clock.h"
#include "os/deep_stack.h"
#include "os/files.h"
#include "os/interrupt.h"
#include "os/process.h"
#include "os/remove_tree.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

using Base = OpenedBase;

BaseKind configured_kind(const git::Repository& repository) {
  const std::string name = repository.config("wafers.base").value_or("live");
  for (const BaseKind kind : {BaseKind::live, BaseKind::frozen}) {
    if (name == to_string(kind)) return kind;
  }
  throw Error(ErrorKind::usage, "wafers.base is 'live' or 'frozen', not " + in_quotes(name));
}

void check_base_place(const Base& base, const Store& store) {
  const fs::path worktree = base.repository.worktree();
  if (is_within(store.root().native(), worktree.native())) {
    throw Error(ErrorKind::refused,
                "the state directory " + in_quotes(store.root().native()) +
                    " lies inside the base " + in_quotes(worktree.native()),
                "set WAFERS_STATE_DIR to a directory outside of it");
  }
  if (is_within(worktree.native(), store.root().native())) {
    refuse_nested_base(worktree, "the state directory");
  }
}

/// Backends host and fuse keep hard links; with backend namespace a write parts the names.
void warn_of_hard_links(const git::HardLinks& links, const Notify& notify) {
  if (links.count == 0) return;
  std::string names;
  for (const std::string& path : links.first) {
    names += (names.empty() ? "" : ", ") + in_quotes(path);
  }
  if (links.count > links.first.size()) names += ", ...";
  notify("warning: " + std::to_string(links.count) +
         " files of the base are hard links of each other (" + names +
         "); a write to one shows under the other names too, but is committed under its own alone");
}

/// The git directory is not missed: the view has none.
void warn_of_mounts(const std::vector<BaseMount>& mounts, const Notify& notify) {
  for (const BaseMount& mount : mounts) {
    if (mount.path == ".git" || mount.path.starts_with(".git/")) continue;
    notify("warning: " + describe(mount) + ": the view shows what that covers instead");
  }
}

struct ChosenBackend {
  std::unique_ptr<Backend> backend;
  Trial trial;
};

MountMode mount_mode(const AddRequest& request) {
  return request.durable ? MountMode::durable : MountMode::volatile_;
}

ChosenBackend choose(const AddRequest& request, const fs::path& state_root, Trials trials,
                     const Obstacles& obstacles, const Notify& notify) {
  const auto& wanted = request.backend;
  if (!wanted) {
    BackendChoice choice = choose_backend(state_root, mount_mode(request), trials, obstacles);
    for (const std::string& line : choice.fallbacks) notify(line);
    return {make_backend(choice.kind), std::move(choice.trial)};
  }
  if (const auto found = obstacles.find(*wanted); found != obstacles.end()) {
    throw Error(ErrorKind::unsupported,
                "backend '" + std::string(to_string(*wanted)) +
                    "' can't show this base: " + found->second.message(),
                found->second.hint());
  }
  auto backend = make_backend(*wanted);
  Trial trial = try_backend(*backend, state_root, mount_mode(request), trials);
  if (!trial.works) {
    throw Error(
        ErrorKind::unsupported,
        "backend '" + std::string(to_string(*wanted)) + "' does not work here: " + trial.reason,
        trial.hint);
  }
  return {std::move(backend), std::move(trial)};
}

/// Whether git looks at a worktree in a few milliseconds: one of some 700 files at most.
bool has_small_index(const git::Repository& repository) {
  constexpr std::uintmax_t kSmall = 64UL * 1024;
  std::error_code none;
  const std::uintmax_t size = fs::file_size(repository.git_dir() / "index", none);
  return none || size <= kSmall;
}

/// Of lines of `git status --porcelain`, of which there may be more.
std::string left_out_line(const std::vector<std::string>& lines) {
  constexpr std::size_t kNamed = 3;
  constexpr std::size_t kLetters = 3;
  std::string told = "left out, since it is not committed: ";
  for (std::size_t i = 0; i < std::min(lines.size(), kNamed); ++i) {
    told += (i == 0 ? "" : ", ") + printable(lines[i].substr(kLetters));
  }
  if (lines.size() > kNamed) told += " and more";
  return told + "; --with-changes takes it along";
}

/// Of a linked worktree, where that can be told; else empty.
fs::path main_worktree_of(const git::Repository& repository) {
  const fs::path common_dir = repository.common_dir();
  const bool is_linked = common_dir != repository.git_dir();
  const fs::path main = common_dir.parent_path();
  return is_linked && common_dir.filename() == ".git" && main.has_filename() ? main : fs::path();
}

/// Everything that the steps of one `add` share.
class Adding {
 public:
  Adding(const Store& store, const AddRequest& request, Trials trials, const Notify& notify)
      : store_(store),
        request_(request),
        trials_(trials),
        notify_(notify),
        planned_(plan_names(request, store.root())),
        base_(open_base(request.from, request.base)),
        kind_(request.kind.value_or(configured_kind(base_.repository))),
        maker_(store, base_.repository, planned_, new_) {}

  AddResult run() {
    check_before();
    Plan plan;
    plan.step(
        "make the state directory", [this] { made_roots_ = store_.create(); },
        [this] { remove_state_root(); });
    plan.step("sweep", [this] { sweep(store_); });
    plan.step("choose a backend", [this] { choose_backend_for_all(); });
    plan.step(
        "check the base", [this] { check_base(); }, [this] { base_check_.reset(); });
    plan.step(
        "make the layers", [this] { make_layers(); }, [this] { give_back_layers(); });
    plan.step("tell of what is not committed", [this] { tell_of_uncommitted(); });
    plan.step("describe the wafers", [this] { describe_wafers(); });
    maker_.plan_reservations(plan);
    maker_.plan_views(plan);
    plan.step("tell of what was moved", [this] { tell_of_forwarded(); });
    plan.step("remember the trial", [this] { remember_trial(); });
    plan.step("remember what git has seen", [this] {
      if (base_check_) base_check_->remember();
    });
    run_until_interrupted(plan, notify_);
    return {std::move(start_), maker_.take_infos()};
  }

  /// A mount has failed that would have worked by a trial that was made some time ago.
  bool was_misled() const noexcept { return maker_.mount_failed() && chosen_.trial.remembered; }

 private:
  void check_before() {
    maker_.check_names();
    check_base_place(base_, store_);
    if (request_.in_place) require_place(base_.repository, request_);
    if (request_.with_changes) require_head();
    start_ = starting_point(base_.repository, base_.commit);
  }

  void require_head() const {
    if (base_.commit.oid == base_.head) return;
    throw Error(ErrorKind::refused,
                "what is uncommitted in " + in_quotes(base_.repository.worktree().native()) +
                    " is on top of its HEAD " + base_.repository.short_id(base_.head) +
                    ", and not of " + base_name(),
                "leave out --base or --with-changes");
  }

  void tell_of_left_out(const std::vector<std::string>& repositories) const {
    for (const std::string& path : repositories) {
      notify_("left out of the changes: " + in_quotes(path) + " is a repository of its own");
    }
  }

  /// What a frozen base doesn't show. Git's look at many files takes far longer than all else that
  /// an `add` does over a base that is frozen already: then nothing is told.
  void tell_of_uncommitted() {
    const bool may_be_told = !is_live() && !request_.assume_clean && !request_.with_changes;
    if (!may_be_told || base_.commit.oid != base_.head) return;
    if (!shared_layers_->has_made() && !has_small_index(base_.repository)) return;
    BaseCheck check(store_.root());
    check.look(base_.repository, base_.head, BaseCheck::Owners::any, BaseCheck::Changes::shown);
    if (!check.shown().empty()) notify_(left_out_line(check.shown()));
  }

  void check_base() {
    if (request_.assume_clean || (!is_live() && !request_.with_changes)) return;
    const bool foreign = is_live() && traits_of(chosen_.backend->kind()).has_own_namespaces;
    // From here on the undo clears up, which has descriptors for that.
    base_check_.emplace(store_.root());
    base_check_->look(
        base_.repository, base_.head,
        foreign ? BaseCheck::Owners::looked_at : BaseCheck::Owners::any,
        request_.with_changes ? BaseCheck::Changes::listed : BaseCheck::Changes::refused);
    for (const std::string& warning : base_check_->warnings()) notify_("warning: " + warning);
    tell_of_left_out(base_check_->changes().repositories);
    if (!is_live()) return;
    if (foreign) {
      plan_for_foreign_owners(base_check_->of_others());
    } else {
      warn_of_hard_links(git::hard_links(base_check_->index(), base_.repository.worktree()),
                         notify_);
    }
  }

  void choose_backend_for_all() {
    const fs::path worktree = base_.repository.worktree();
    std::vector<BaseMount> mounts;
    if (is_live()) mounts = find_base_mounts(worktree);
    chosen_ = choose(request_, store_.root(), trials_, obstacles_of(worktree, mounts), notify_);
    if (request_.in_place) require_in_place(chosen_.backend->kind());
    const auto shown = traits_of(chosen_.backend->kind()).base_mounts;
    if (shown == BackendTraits::BaseMounts::left_out) warn_of_mounts(mounts, notify_);
  }

  void plan_for_foreign_owners(const std::vector<git::OwnedFiles>& of_others) {
    if (of_others.empty()) return;
    const bool automatic = !request_.backend;
    owners_ =
        plan_for_owners(base_.repository.worktree(), of_others,
                        owning_caller([&] { return automatic ? other_backend() : std::string(); }));
    std::string told;
    for (const std::string& line : owners_.lines) told += (told.empty() ? "" : "\n") + line;
    if (!told.empty()) notify_(told);
  }

  /// Beside the one with namespaces of its own that `auto` has taken, after those that need
  /// CAP_SYS_ADMIN were found not to work.
  std::string other_backend() const {
    for (const BackendTraits& traits : all_backends()) {
      if (traits.has_own_namespaces || traits.needs_sys_admin) continue;
      const auto backend = make_backend(traits.kind);
      if (backend->trial(store_.root(), mount_mode(request_)).works)
        return std::string(traits.name);
    }
    return {};
  }

  bool is_live() const noexcept { return kind_ == BaseKind::live; }

  /// What the new wafers' views show below their uppers: a snapshot, or the checkout, and where
  /// they are to start from another commit than its HEAD, what makes that of it.
  void make_layers() {
    layers_ = {{base_.repository.worktree()}, chosen_.trial.dialect};
    if (is_live() && base_.commit.oid == base_.head) return;
    shared_layers_.emplace(store_);
    if (is_live()) {
      layers_.layers.insert(
          layers_.layers.begin(),
          shared_layers_->delta(base_.repository, layers_, base_.head, base_.commit.oid));
    } else {
      layers_ = shared_layers_->frozen(base_.repository, base_.commit.oid, layers_.dialect);
    }
  }

  void give_back_layers() {
    if (!shared_layers_) return;
    shared_layers_.reset();
    take_away_unused_layers(store_);
  }

  /// For the branch's reflog.
  std::string start_name() const { return request_.base ? base_.commit.ref : "HEAD"; }

  void remember_trial() {
    if (chosen_.trial.remembered) return;
    if (trials_ == Trials::made_anew) forget_passed(store_.root());
    remember_passed(store_.root(), chosen_.backend->kind(), mount_mode(request_));
  }

  /// What the new wafers are, by what was found out.
  void describe_wafers() {
    new_.backend = chosen_.backend.get();
    new_.git_inside = request_.git_inside || base_.repository.config_bool("wafers.git", false);
    new_.tip = base_.commit.oid;
    new_.tip_name = start_name();
    new_.tip_of_existing = [this](const std::string& branch, const git::Oid& at) {
      return tip_of_existing(branch, at);
    };
    new_.fill_upper = [this](const NewWafer& one) { fill_upper(one); };
    Wafer& wafer = new_.pattern;
    wafer.checkout = base_.repository.worktree();
    wafer.base_commit = base_.commit.oid.hex();
    wafer.base_ref = base_.commit.ref;
    wafer.base_kind = kind_;
    wafer.layers = layers_.layers;
    if (is_live()) wafer.checkout_commit = base_.head.hex();
    if (!is_live()) wafer.main_checkout = main_worktree_of(base_.repository);
    wafer.backend = chosen_.backend->kind();
    wafer.dialect = chosen_.trial.dialect;
    if (request_.in_place) wafer.place = wafer.checkout;
    wafer.groups = owners_.groups;
    wafer.durable = request_.durable;
  }

  /// A descendant of the base commit stays where it is. An ancestor is fast-forwarded to it, where
  /// nobody named the branch.
  git::Oid tip_of_existing(const std::string& branch, const git::Oid& at) const {
    const git::Oid& commit = base_.commit.oid;
    if (request_.new_branch) {
      throw NameTaken(ErrorKind::refused, "branch " + in_quotes(branch) + " exists");
    }
    if (request_.with_changes && at != commit) require_no_branch_ahead(branch, at);
    if (base_.repository.is_descendant_or_same(at, commit)) return at;
    const bool behind = base_.repository.is_descendant_or_same(commit, at);
    if (behind && !request_.branch) return commit;
    throw Error(ErrorKind::refused,
                "branch " + in_quotes(branch) + " exists and does not descend from " + base_name(),
                "say --base " + shell_quoted(branch) + " to start from where it is; " +
                    (behind ? how_to_forward(branch)
                            : how_to_rebase(base_.repository, branch, base_.commit.oid)) +
                    "; or choose another one with --branch");
  }

  void require_no_branch_ahead(const std::string& branch, const git::Oid& at) const {
    if (!base_.repository.is_descendant_or_same(at, base_.commit.oid)) return;
    throw Error(ErrorKind::refused,
                "branch " + in_quotes(branch) + " has commits that " + base_name() +
                    ", on which the changes are, lacks",
                "choose another one with --branch, or leave out --with-changes");
  }

  /// "the base's HEAD 1234567", or "the base commit 1234567".
  std::string base_name() const {
    return (request_.base ? "the base commit " : "the base's HEAD ") +
           base_.repository.short_id(base_.commit.oid);
  }

  /// git refuses what is no fast-forward.
  std::string how_to_forward(const std::string& branch) const {
    return "fast-forward it with: " + git_in(base_.repository) + "fetch . " +
           shell_quoted((request_.base ? base_.commit.oid.hex() : "HEAD") + ":refs/heads/" +
                        branch);
  }

  void tell_of_forwarded() const {
    for (const NewWafer& one : maker_.wafers()) {
      if (!one.forward_from) continue;
      notify_("branch " + in_quotes(one.wafer.branch) + " was fast-forwarded from " +
              base_.repository.short_id(*one.forward_from) + " to " + base_name());
    }
  }

  void fill_upper(const NewWafer& one) {
    const fs::path upper = one.wafer.upper();
    if (request_.with_changes) {
      write_checkout_changes(base_.repository, base_check_->changes().paths, upper,
                             layers_.dialect);
      call_own(one.wafer);
    }
    if (one.tip != base_.commit.oid) {
      const TreePair trees{base_.repository.tree_of(base_.commit.oid),
                           base_.repository.tree_of(one.tip)};
      on_deep_stack([&] {
        write_difference(base_.repository, upper, layers_, trees).write(one.wafer.index());
      });
    }
    // The view has no repository of its own. Removed through the mount it would cost far more.
    hide_repository(one.wafer);
    if (one.wafer.has_git_inside()) {
      make_index_of_base(one.wafer, base_.repository, base_.repository.tree_of(one.tip));
      add_submodules(one.wafer, base_.repository, base_index_of(one.wafer, base_.repository));
    }
    // The merged root shows the upper's owner and mode.
    copy_owner_and_mode(one.wafer.layers.back(), upper);
  }

  void remove_state_root() {
    if (made_roots_.empty()) return;
    // A process that waits for this lock file sees that it is gone and makes a new one.
    maker_.take_lock();
    std::error_code ignored;
    fs::remove(store_.root() / ".lock", ignored);
    fs::remove_all(store_.root() / kCheckedIndexes, ignored);
    fs::remove(store_.root() / kBasesDirectory, ignored);
    fs::remove(store_.root() / kFreezingLock, ignored);
    fs::remove(store_.root() / kTakenFile, ignored);
    fs::remove(store_.root() / kCoveredPlace, ignored);
    for (auto path = made_roots_.rbegin(); path != made_roots_.rend(); ++path) {
      if (!fs::remove(*path, ignored)) return;  // another add is at work in it
    }
  }

  const Store& store_;
  const AddRequest& request_;
  Trials trials_;
  const Notify& notify_;
  std::vector<PlannedWafer> planned_;
  Base base_;
  BaseKind kind_;
  StartingPoint start_;
  std::optional<BaseCheck> base_check_;  ///< none with --assume-clean, or for a frozen base
  OwnerPlan owners_;
  ChosenBackend chosen_;
  LayersBelow layers_;
  std::optional<Bases> shared_layers_;  ///< where some of them are
  std::vector<fs::path> made_roots_;
  NewWafers new_;
  WaferMaker maker_;
};

}  // namespace

AddResult add_wafers(const Store& store, const AddRequest& request, const Notify& notify) {
  refuse_inside(store);
  {
    Adding adding(store, request, Trials::believed, notify);
    try {
      return adding.run();
    } catch (const Interrupted&) {
      throw;
    } catch (const Error&) {
      if (!adding.was_misled()) throw;
    }
  }
  return Adding(store, request, Trials::made_anew, notify).run();
}

}  // namespace wafers
