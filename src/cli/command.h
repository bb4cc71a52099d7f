#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_info.h"
#include "cli/parser.h"
#include "cli/report.h"
#include "core/state/store.h"
#include "core/view/mount.h"

namespace wafers::cli {

/// All commands, in the order of the help.
std::span<const Command> all_commands();
const Command* find_command(std::string_view name);

int run_command(const Command& command, const Arguments& arguments, Report& report);

/// The store of this run, whose waiting for locks shows on stderr.
Store open_store();

/// What makes the layers of a wafer's base right before its view is mounted. `arguments` must
/// outlive it.
PrepareLayers healing(const Arguments& arguments);

/// Of all wafers of the state, those whose record can't be read last. Throws Error(failed).
std::vector<std::string> all_names(const Store& store);

/// An Error(usage) that says which names there are.
Error name_missing(const Parser& parser);

/// The wafer that a git-* command is for: the one argument, else $WAFERS_NAME. Throws Error(usage).
std::string one_wafer(const Parser& parser, const std::vector<std::string>& positional);

/// Does `action` for one wafer after the other; what fails for one is reported and does not keep
/// the others from it. `--json` prints `document` then, with the first failure in it. Returns the
/// status of that.
int for_each_name(const std::vector<std::string>& names, Report& report,
                  const std::function<void(const std::string&)>& action,
                  const std::function<nlohmann::json()>& document = {});

int run_add(const Command&, const Arguments&, Report&);
int run_fork(const Command&, const Arguments&, Report&);
int run_exec(const Command&, const Arguments&, Report&);
int run_run(const Command&, const Arguments&, Report&);
int run_shell(const Command&, const Arguments&, Report&);
int run_git_status(const Command&, const Arguments&, Report&);
int run_git_diff(const Command&, const Arguments&, Report&);
int run_git_add(const Command&, const Arguments&, Report&);
int run_git_restore(const Command&, const Arguments&, Report&);
int run_git_commit(const Command&, const Arguments&, Report&);
int run_git_log(const Command&, const Arguments&, Report&);
int run_git_show(const Command&, const Arguments&, Report&);
int run_git_push(const Command&, const Arguments&, Report&);
int run_overlap(const Command&, const Arguments&, Report&);
int run_ls(const Command&, const Arguments&, Report&);
int run_ls_with_git(const Command&, const Arguments&, Report&);
int run_path(const Command&, const Arguments&, Report&);
int run_rename(const Command&, const Arguments&, Report&);
int run_mount(const Command&, const Arguments&, Report&);
int run_umount(const Command&, const Arguments&, Report&);
int run_freeze(const Command&, const Arguments&, Report&);
int run_git_sync(const Command&, const Arguments&, Report&);
int run_prune(const Command&, const Arguments&, Report&);
int run_rm(const Command&, const Arguments&, Report&);
int run_doctor(const Command&, const Arguments&, Report&);
int run_completion(const Command&, const Arguments&, Report&);
int run_skill(const Command&, const Arguments&, Report&);
int run_help(const Command&, const Arguments&, Report&);
int run_version(const Command&, const Arguments&, Report&);

}  // namespace wafers::cli
