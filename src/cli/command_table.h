#pragma once

#include <array>

#include "cli/command.h"

namespace wafers::cli {

enum class Program { wafers, wafers_git };

/// All commands, in the order of the help: a new one is entered here. What needs Git has its runner
/// in wafers-git alone, so that `wafers` links nothing of it.
template <Program kProgram>
constexpr auto command_table() {
  constexpr bool kGit = kProgram == Program::wafers_git;
  return std::array{
      Command{"add",
              "<name>... [--at <mountpoint>] [--branch <branch>] [--from <repo>] "
              "[--base <rev>] [--frozen | --live] [--with-changes] [--git] [--in-place] "
              "[--backend auto|namespace|host|fuse] [--assume-clean] [--durable] "
              "[--print-path | --json]",
              "Make a writable view of a Git checkout, on a branch of its own",
              kGit ? run_add : nullptr},
      Command{"fork", "<name> <new-name>... [--at <mountpoint>] [--branch <new-branch>] [--json]",
              "Make wafers with all that one holds, committed or not", kGit ? run_fork : nullptr},
      Command{"exec", "<name> [--cwd <dir>] [--env K=V]... -- <command> [args...]",
              "Run a command inside a wafer", run_exec},
      Command{"run",
              "[<name>] [options of add] [-m <message>] [--commit success|always|never] "
              "[--keep] [--json] -- <command> [args...]",
              "Run a command in a wafer of its own, and commit what it leaves",
              kGit ? run_run : nullptr},
      Command{"shell", "<name>", "Run an interactive shell inside a wafer", run_shell},
      Command{"git-status", "[<name>] [-s | --porcelain | -z] [--color auto|always|never] [--json]",
              "Show what differs between a wafer's branch and its view",
              kGit ? run_git_status : nullptr},
      Command{"git-diff",
              "[<name>] [--uncommitted | --staged | --all] "
              "[--stat | --numstat | --name-only | --name-status] "
              "[-U<n>] [-w] [--color auto|always|never] [-- <paths>...]",
              "Show a wafer's changes: committed, uncommitted, or both",
              kGit ? run_git_diff : nullptr},
      Command{"git-add", "[<name>] [-f | -p] [--accept-moved] [--json] -- <paths>...",
              "Stage some of a wafer's files for the next commit", kGit ? run_git_add : nullptr},
      Command{"git-restore", "[<name>] [--staged] -- <paths>...",
              "Take edits back: to what is staged, or to the last commit",
              kGit ? run_git_restore : nullptr},
      Command{"git-commit",
              "[<name>] [-m <message>... | -F <file>] [-a] [--amend] [--no-edit] [-s] "
              "[--author <author>] [--date <date>] [--allow-empty] "
              "[-S[<keyid>] | --no-gpg-sign] "
              "[--verify | --no-verify] [--accept-moved] [--json] "
              "[-- <paths>...]",
              "Commit what is staged, some files, or the whole view",
              kGit ? run_git_commit : nullptr},
      Command{"git-log", "[<name>] [git's own options] [-- <paths>...]",
              "Show the history of a wafer's branch, by git itself", kGit ? run_git_log : nullptr},
      Command{"git-show", "[<name>] [git's own options] [-- <paths>...]",
              "Show the last commit of a wafer's branch, by git itself",
              kGit ? run_git_show : nullptr},
      Command{"git-push", "[<name>] [<remote>] [-f | --force-with-lease] [-n]",
              "Push a wafer's branch to a remote, by git itself", kGit ? run_git_push : nullptr},
      Command{"git-sync", "<name>... [--onto <rev>] [--json]",
              "Bring wafers with their work onto what is new in the checkout",
              kGit ? run_git_sync : nullptr},
      Command{"overlap", "[<name>...] [--json]",
              "List the paths that two or more wafers have changed", kGit ? run_overlap : nullptr},
      Command{"ls", "[--all] [-l | -q] [--json]", "List wafers, and what is in them",
              kGit ? run_ls_with_git : run_ls},
      Command{"path", "[<name>]", "Print where a wafer's view is mounted", run_path},
      Command{"rename", "<name> <new-name>", "Give a wafer another name; its branch keeps its own",
              run_rename},
      Command{"mount", "(<name>... | --all) [--accept-unclean]", "Mount the views of wafers",
              run_mount},
      Command{"umount", "(<name>... | --all)",
              "Unmount the views of wafers; nothing in them is lost", run_umount},
      Command{"freeze", "[<rev>] [--from <repo>] [--refresh] [--json]",
              "Make the snapshot that 'add --frozen' starts from", kGit ? run_freeze : nullptr},
      Command{"rm", "(<name>... | --all) [-f] [--no-salvage] [--kill] [--delete-branch] [--json]",
              "Remove wafers; their branches stay", kGit ? run_rm : nullptr},
      Command{"prune", "[--dry-run] [--json]", "Take away what no wafer needs any more",
              kGit ? run_prune : nullptr},
      Command{"doctor", "[--json]", "Check what this host can do, and say what to change",
              kGit ? run_doctor : nullptr},
      Command{"completion", "bash|zsh|fish", "Print a script that completes words in a shell",
              kGit ? run_completion : nullptr},
      Command{"skill", "", "Print how a coding agent works in a wafer", run_skill},
      Command{"help", "[<command>]", "Tell about a command, or list them all", run_help},
      Command{"version", "", "Print the version", run_version},
  };
}

}  // namespace wafers::cli
