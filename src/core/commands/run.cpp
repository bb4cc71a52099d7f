#include "core/commands/run.h"

#include "base/error.h"
#include "base/text.h"
#include "core/commands/add.h"
#include "core/commands/remove.h"
#include "core/git_commands/prepare.h"
#include "git/repository/repository.h"
#include "os/supervise.h"

namespace wafers {
namespace {

/// "run-1", or the next one of which neither a wafer nor a branch is there.
std::string free_name(const Store& store, const AddRequest& request) {
  const auto repository = git::Repository::open_here(request.from);
  for (unsigned n = 1;; ++n) {
    std::string name = "run-" + std::to_string(n);
    const Lookup found = store.lookup(name);
    if (!found.wafer && !found.invalid && !repository.branch_tip("wafers/" + name)) return name;
  }
}

/// The command's words, as a subject line.
std::string subject_of(const std::vector<std::string>& command) {
  constexpr std::size_t kLongest = 60;
  return "Run " + shortened(printable(joined(command, " ")), kLongest);
}

class Running {
 public:
  Running(const Store& store, const RunRequest& request, const Notify& notify)
      : store_(store), request_(request), notify_(notify) {}

  RunResult run(const std::function<int(const std::string& name)>& enter) {
    add();
    result_.status = supervise([&] { return enter(result_.name); });
    result_.kept = true;
    try {
      finish();
    } catch (const Error& error) {
      result_.why_kept = error.message();
    }
    return std::move(result_);
  }

 private:
  void add() {
    AddRequest wanted = request_.wafer;
    const bool is_named = !wanted.names.empty();
    if (!is_named) wanted.names = {free_name(store_, wanted)};
    wanted.new_branch = !is_named && !wanted.branch;
    while (true) {
      try {
        return add_as(wanted);
      } catch (const NameTaken&) {
        if (is_named) throw;
        wanted.names = {free_name(store_, wanted)};  // another one has come first
      }
    }
  }

  void add_as(const AddRequest& wanted) {
    const std::string branch = plan_names(wanted, store_.root()).front().branch;
    made_branch_ = !git::Repository::open(wanted.from).branch_tip(branch);
    const Wafer wafer = add_wafers(store_, wanted, notify_).wafers.front().wafer;
    result_.name = wafer.name;
    result_.branch = wafer.branch;
    start_ = wafer.last_commit;
  }

  void finish() {
    const bool succeeded = result_.status.success();
    const bool wanted = request_.commit == RunRequest::Commit::always ||
                        (request_.commit == RunRequest::Commit::on_success && succeeded);
    if (wanted) commit();
    if (request_.keep) return;
    if (!succeeded) {
      result_.why_kept = "the command failed";
      return;
    }
    remove();
    result_.kept = false;
  }

  void commit() {
    if (git_status(store_, result_.name).status.entries.empty()) return;
    CommitRequest request;
    request.messages = {request_.message.value_or(subject_of(request_.command))};
    result_.commit = git_commit(store_, result_.name, request);
    for (const std::string& warning : result_.commit->warnings) notify_("warning: " + warning);
  }

  void remove() {
    const bool is_empty =
        !result_.commit && made_branch_ && store_.load(result_.name).last_commit == start_;
    try {
      remove_with({.delete_branch = is_empty});
    } catch (const Error& error) {
      // git deletes no branch whose commit its HEAD doesn't have: one that began elsewhere stays.
      if (!is_empty || error.kind() != ErrorKind::refused) throw;
      remove_with({});
    }
  }

  void remove_with(const RemoveOptions& options) {
    Remover(store_, {result_.name}, options, notify_).remove(result_.name);
  }

  const Store& store_;
  const RunRequest& request_;
  const Notify& notify_;
  RunResult result_;
  std::string start_;  ///< the branch's commit when the wafer was made
  bool made_branch_ = false;
};

}  // namespace

RunResult run_in_wafer(const Store& store, const RunRequest& request,
                       const std::function<int(const std::string& name)>& enter,
                       const Notify& notify) {
  return Running(store, request, notify).run(enter);
}

}  // namespace wafers
