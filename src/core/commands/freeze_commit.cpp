#include "core/commands/freeze_commit.h"

#include "core/base/bases.h"
#include "core/commands/discard.h"
#include "core/commands/opened_base.h"
#include "core/view/backends.h"
#include "os/interrupt.h"

namespace wafers {
namespace {

/// That of the wafers which are likely to come: only a delta has marks at all.
UpperDialect likely_dialect(const Store& store) {
  const BackendChoice choice =
      choose_backend(store.root(), MountMode::volatile_, Trials::believed, {});
  return choice.trial.dialect;
}

}  // namespace

FrozenCommit freeze_commit(const Store& store, const FreezeRequest& request) {
  const OpenedBase base = open_base(request.from, request.revision);
  const InterruptGuard interrupts;
  store.create();
  sweep(store);
  Bases bases(store);
  FrozenCommit frozen;
  frozen.layers =
      bases.frozen(base.repository, base.commit.oid, likely_dialect(store), request.refresh).layers;
  InterruptGuard::check();
  frozen.base = starting_point(base.repository, base.commit);
  return frozen;
}

}  // namespace wafers
