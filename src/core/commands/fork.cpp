#include "core/commands/fork.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/base/bases.h"
#include "core/base/heal.h"
#include "core/base/live_base.h"
#include "core/base/moved_content.h"
#include "core/commands/add_names.h"
#include "core/commands/discard.h"
#include "core/commands/unused_layers.h"
#include "core/commands/wafer_maker.h"
#include "core/git_commands/wafer_git.h"
#include "core/inside/inside_index.h"
#include "core/inside/own_submodules.h"
#include "core/state/hidden_git.h"
#include "core/state/plan.h"
#include "core/state/unclean.h"
#include "core/view/backends.h"
#include "core/view/base_mounts.h"
#include "git/repository/revision.h"
#include "linux/overlay.h"
#include "os/deep_stack.h"
#include "os/interrupt.h"
#include "os/plain_dir.h"
#include "os/tree_copy.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

LockedWafer lock_source(const Store& store, const std::string& name) {
  LockedWafer source(store, name);
  refuse_unclean(*source);
  return source;
}

std::vector<PlannedWafer> planned_for(const ForkRequest& request, const Store& store) {
  AddRequest names;
  names.names = request.names;
  names.at = request.at;
  names.branch = request.branch;
  return plan_names(names, store.root());
}

/// Everything that the steps of one `fork` share. As long as the source's lock is held its record
/// names the layers, so that nobody takes them away.
class Forking {
 public:
  Forking(const Store& store, const ForkRequest& request, const Notify& notify)
      : store_(store),
        notify_(notify),
        planned_(planned_for(request, store)),
        source_(lock_source(store, request.source)),
        git_(open_wafer_git(*source_)),
        backend_(make_backend(source_->backend)),
        maker_(store, git_.repository, planned_, new_) {}

  AddResult run() {
    maker_.check_names();
    refuse_base_mounts(*source_);
    Plan plan;
    plan.step("sweep", [this] { sweep(store_); });
    plan.step(
        "make the layers", [this] { describe_wafers(); }, [this] { give_back_layers(); });
    maker_.plan_reservations(plan);
    maker_.plan_views(plan);
    run_until_interrupted(plan, notify_);
    const git::Oid base = git::Oid::from_hex(source_->base_commit).value();
    return {starting_point(git_.repository, {base, source_->base_ref}), maker_.take_infos()};
  }

 private:
  void describe_wafers() {
    const Wafer source = healed_source();
    Wafer& wafer = new_.pattern;
    wafer.checkout = source.checkout;
    wafer.main_checkout = source.main_checkout;
    wafer.base_kind = source.base_kind;
    wafer.base_commit = source.base_commit;
    wafer.base_ref = source.base_ref;
    wafer.layers = source.layers;
    wafer.checkout_commit = source.checkout_commit;
    wafer.moves = source.moves;
    if (has_staged(git_) && !git_.inside) wafer.staged_tree = git_.index_tree.hex();
    new_.git_inside = source.has_git_inside();
    wafer.backend = source.backend;
    wafer.place = source.place;
    wafer.dialect = source.dialect;
    wafer.groups = source.groups;
    wafer.durable = source.durable;
    new_.backend = backend_.get();
    new_.tip = git_.tip;
    new_.tip_name = "wafer " + source.name;
    new_.tip_of_existing = [this](const std::string& branch, const git::Oid& at) {
      require_same_tip(branch, at);
      return at;
    };
    new_.fill_upper = [this](const NewWafer& one) { copy_upper(one); };
  }

  /// The source as it would be mounted anew. What it holds of a base that has moved is found by the
  /// age of its files, which copies haven't.
  Wafer healed_source() {
    Wafer source = *source_;
    source.last_commit = git_.tip.hex();
    if (const auto head = moved_head(source)) {
      shared_layers_.emplace(store_);
      show_base_commit(source, *head, git_.repository, *shared_layers_);
    }
    return source;
  }

  void give_back_layers() {
    if (!shared_layers_) return;
    shared_layers_.reset();
    take_away_unused_layers(store_);
  }

  void require_same_tip(const std::string& branch, const git::Oid& at) const {
    if (at == git_.tip) return;
    throw Error(ErrorKind::refused,
                "branch " + in_quotes(branch) + " exists and is not at " +
                    git_.repository.short_id(git_.tip) + ", the tip of wafer " +
                    in_quotes(source_->name),
                "choose another one with --branch");
  }

  /// The first one is copied from the source, the others from that, so that all are the same.
  void copy_upper(const NewWafer& one) {
    const bool is_first = &one == &maker_.wafers().front();
    if (is_first) flush_view(*source_);
    const fs::path from = is_first ? source_->upper() : maker_.wafers().front().wafer.upper();
    const fs::path to = one.wafer.upper();
    on_deep_stack([&] {
      const PlainDir top = PlainDir::open(to, "the new upper");
      const PlainDir original = PlainDir::open(from, "the upper of " + in_quotes(source_->name));
      TreeCopy copy(top);
      copy.count([this] { store_.show_progress("copying files", ++copied_); });
      copy.copy_all(original);
      forget_origin(to);
      copy.finish(original);
    });
    if (git_.inside) {
      hide_repository(one.wafer);
      make_inside_index(one.wafer, git_.repository, git_.inside->directory().reach("index"),
                        git_.index_tree);
      copy_submodules(*source_, one.wafer);
    }
    call_own(one.wafer);
  }

  const Store& store_;
  const Notify& notify_;
  std::vector<PlannedWafer> planned_;
  LockedWafer source_;
  WaferGit git_;
  std::unique_ptr<Backend> backend_;
  std::optional<Bases> shared_layers_;  ///< where some were made
  NewWafers new_;
  WaferMaker maker_;
  std::size_t copied_ = 0;
};

}  // namespace

AddResult fork_wafer(const Store& store, const ForkRequest& request, const Notify& notify) {
  refuse_inside(store);
  return Forking(store, request, notify).run();
}

}  // namespace wafers
