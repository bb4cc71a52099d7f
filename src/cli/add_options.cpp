#include "cli/add_options.h"

#include "base/text.h"
#include "cli/git_options.h"

namespace wafers::cli {
namespace {

std::optional<BackendKind> backend_named(const Parser& parser, const std::string& name) {
  if (name == "auto") return std::nullopt;
  const auto kind = parse_backend(name);
  if (!kind) {
    throw parser.usage("unknown backend " + in_quotes(name) +
                       ": it is one of auto, namespace, host and fuse");
  }
  return kind;
}

}  // namespace

void AddOptions::declare(Parser& parser) {
  parser.option("--at", request_.at, "mountpoint", "where the view shows; may hold {name}");
  parser.option("--branch", request_.branch, "branch",
                "new or existing; may hold {name} (default: wafers/{name})");
  parser.option("--from", from_, "repo", "the base: any directory of its checkout (default: .)");
  parser.option("--base", request_.base, "rev", "the commit to start from (default: HEAD)");
  parser.flag("--frozen", frozen_, "from a snapshot, which the checkout's changes don't reach");
  parser.flag("--live", live_,
              "from the checkout itself (default: what wafers.base says, or live)");
  parser.flag("--in-place", request_.in_place,
              "with the view at the checkout's own path inside, too (backend namespace)");
  parser.flag("--git", request_.git_inside,
              "git works in the view, as in a linked worktree (default: what wafers.git says)");
  parser.option("--backend", backend_, "auto|namespace|host|fuse",
                "how the view is mounted (default: auto, the first that works)");
  parser.flag("--assume-clean", request_.assume_clean, "do not check that the base is clean");
  parser.flag("--with-changes", request_.with_changes,
              "with what is uncommitted in the checkout, as changes of the wafer");
  parser.flag("--durable", request_.durable,
              "let writing in the view wait for the disk, as the kernel would");
}

AddRequest AddOptions::request(const Parser& parser) const {
  AddRequest request = request_;
  check_exclusive(parser, {{"--frozen", frozen_}, {"--live", live_}});
  check_exclusive(
      parser, {{"--with-changes", request.with_changes}, {"--assume-clean", request.assume_clean}});
  if (frozen_) request.kind = BaseKind::frozen;
  if (live_) request.kind = BaseKind::live;
  if (from_ && from_->empty()) throw parser.usage("--from is empty");
  if (from_) request.from = *from_;
  if (backend_) request.backend = backend_named(parser, *backend_);
  return request;
}

}  // namespace wafers::cli
