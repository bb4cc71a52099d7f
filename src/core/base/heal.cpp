#include "core/base/heal.h"

#include <exception>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/base/bases.h"
#include "core/base/live_base.h"
#include "core/base/moved_content.h"
#include "core/view/mount.h"
#include "git/repository/repository.h"

namespace wafers {
namespace {

git::Oid commit_of(const std::string& hex) {
  if (const auto oid = git::Oid::from_hex(hex)) return *oid;
  throw Error(ErrorKind::failed, in_quotes(hex) + " is no commit");
}

}  // namespace

void show_base_commit(Wafer& wafer, const std::string& head, const git::Repository& repository,
                      Bases& bases) {
  LayersBelow layers{{wafer.checkout}, wafer.dialect};
  if (head != wafer.base_commit) {
    layers.layers.insert(layers.layers.begin(), bases.delta(repository, layers, commit_of(head),
                                                            commit_of(wafer.base_commit)));
  }
  remember_taken(wafer, repository,
                 {repository.tree_of(commit_of(wafer.base_commit)),
                  repository.tree_of(commit_of(wafer.last_commit))});
  wafer.layers = std::move(layers.layers);
  wafer.checkout_commit = head;
}

void heal(LockedWafer& locked) {
  const auto head = moved_head(*locked);
  if (!head) return;
  Wafer& wafer = *locked;
  const git::Repository repository = git::Repository::open(wafer.checkout);
  Bases bases(locked.store());
  const std::string from = repository.short_id(commit_of(wafer.checkout_commit));
  show_base_commit(wafer, *head, repository, bases);
  locked.save();
  locked.store().tell("the base of " + in_quotes(wafer.name) + " has moved from " + from + " to " +
                      repository.short_id(commit_of(*head)) + ": its view shows " +
                      repository.short_id(commit_of(wafer.base_commit)) + " as before");
}

void mount_again(LockedWafer& wafer) noexcept {
  try {
    mount_and_record(wafer, heal);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the next command mounts it
  }
}

}  // namespace wafers
