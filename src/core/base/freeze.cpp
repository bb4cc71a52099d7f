#include "core/base/freeze.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/scope_guard.h"
#include "base/text.h"
#include "git/index/index_view.h"
#include "git/program/git_program.h"
#include "os/deep_stack.h"
#include "os/plain_dir.h"
#include "os/spawn.h"
#include "os/tree_copy.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using Paths = std::vector<std::string>;

/// Of git: the seconds after which it shows its progress (git(1) has two of them).
constexpr const char* kProgressDelay = "GIT_PROGRESS_DELAY";
constexpr unsigned kMegabyte = 20;                                      // bits
constexpr std::uint64_t kWorthAWord = std::uint64_t{100} << kMegabyte;  ///< it takes a while
constexpr const char* kIncludeFile = ".worktreeinclude";

/// Git with an index of its own, and its worktree where `worktree` says.
struct GitCall {
  Words arguments;
  Words variables;
};
GitCall git_with(const git::Repository& repository, const fs::path& worktree, const fs::path& index,
                 Words arguments) {
  arguments.insert(arguments.begin(),
                   {"-c", "core.sparseCheckout=false", "-c", "core.bare=false",
                    // They are for the checkout: post-index-change, a daemon.
                    "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"});
  return {std::move(arguments),
          {"GIT_DIR=" + repository.git_dir().native(), "GIT_WORK_TREE=" + worktree.native(),
           "GIT_INDEX_FILE=" + index.native()}};
}

void require(const ProgramResult& result, const std::string& doing) {
  if (result.success()) return;
  throw Error(ErrorKind::failed, doing + ": " + printable(trimmed(result.errors)));
}

/// On a terminal git shows there how far it is, and what is wrong.
void run_with_progress(const fs::path& directory, GitCall call, const std::string& doing) {
  const DeepTreesForPrograms deep;
  if (::isatty(STDERR_FILENO) == 0) {
    return require(git::run_git(directory, std::move(call.arguments), call.variables), doing);
  }
  call.arguments.insert(call.arguments.end() - 1, "-v");
  if (std::getenv(kProgressDelay) == nullptr) {
    call.variables.push_back(std::string(kProgressDelay) + "=1");
  }
  Command command = git::git_command_in(directory, std::move(call.arguments));
  command.environment = with_variables(std::move(command.environment), call.variables);
  if (!run(command).success()) throw Error(ErrorKind::failed, doing);
}

/// wafers.freezeIgnored in bytes; nullopt for all.
std::optional<std::uint64_t> largest_wanted(const git::Repository& repository) {
  constexpr unsigned kPerUnit = 10;  // bits
  const std::string setting = repository.config("wafers.freezeIgnored").value_or("2g");
  if (setting == "all") return std::nullopt;
  if (setting == "none") return 0;
  char* end = nullptr;
  std::uint64_t size = std::strtoull(setting.c_str(), &end, 10);
  const std::string unit = end;
  const std::size_t power = unit.empty() ? 0 : std::string_view("kmgt").find(unit) + 1;
  if (end == setting.c_str() || unit.size() > 1 || power > 4) {
    throw Error(
        ErrorKind::usage,
        "wafers.freezeIgnored is 'all', 'none' or a size such as 500m, not " + in_quotes(setting));
  }
  return size << (kPerUnit * power);
}

/// Files with ignore rules that a sparse checkout leaves out, of those in `index`.
Paths rule_files_left_out(const git::Repository& repository, const fs::path& index) {
  const auto read = [](const fs::path& file) {
    return git::IndexView::open(file, git::IndexChecksum::trusted);
  };
  const auto is_left_out = [](const git::IndexRecord& record) { return record.skip_worktree(); };
  const auto checkout = read(repository.git_dir() / "index");
  if (!checkout || std::ranges::none_of(checkout->entries(), is_left_out)) return {};
  Paths left_out;
  const auto written = read(index);
  if (!written) return {};
  for (const git::IndexRecord& record : written->entries()) {
    const fs::path path = record.path();
    if (path.filename() != ".gitignore") continue;
    if (!fs::exists(fs::symlink_status(repository.worktree() / path))) left_out.push_back(path);
  }
  return left_out;
}

/// What is ignored there, directories with nothing else in them as one: "node_modules/".
Paths ignored_in(const git::Repository& repository, const fs::path& index,
                 const Words& rules = {"--exclude-standard"}) {
  Words words{"ls-files", "-z", "--others", "--ignored", "--directory"};
  words.insert(words.end(), rules.begin(), rules.end());
  const fs::path worktree = repository.worktree();
  const std::string doing = "cannot list what " + in_quotes(worktree.native()) + " ignores";
  const DeepTreesForPrograms deep;
  const auto git = [&](const fs::path& with_index, Words arguments) {
    GitCall call = git_with(repository, worktree, with_index, std::move(arguments));
    ProgramResult result = git::run_git(worktree, std::move(call.arguments), call.variables);
    require(result, doing);
    return std::move(result.output);
  };
  // Of files that are marked like that git takes the rules from the index.
  fs::path marked = index;
  marked += ".marked";
  const ScopeGuard remove_marked([&] { ::unlink(marked.c_str()); });
  const Paths left_out = rule_files_left_out(repository, index);
  if (!left_out.empty()) {
    Words mark{"update-index", "--skip-worktree", "--"};
    mark.insert(mark.end(), left_out.begin(), left_out.end());
    fs::copy_file(index, marked);
    git(marked, std::move(mark));
  }
  Paths paths = split(git(left_out.empty() ? index : marked, std::move(words)), '\0');
  std::erase(paths, "");
  return paths;
}

/// Blocks that files take, those with several names counted for each; stops beyond `enough`.
std::uint64_t size_of(const fs::path& top, const Paths& paths, std::uint64_t enough) {
  constexpr std::uint64_t kBlock = 512;
  std::uint64_t size = 0;
  const auto add = [&](const fs::path& path) {
    struct stat st {};
    if (::lstat(path.c_str(), &st) == 0) size += static_cast<std::uint64_t>(st.st_blocks) * kBlock;
  };
  for (const std::string& path : paths) {
    add(top / path);
    std::error_code error;
    if (!path.ends_with('/')) continue;
    for (fs::recursive_directory_iterator
             it(top / path, fs::directory_options::skip_permission_denied, error),
         last;
         !error && it != last && size <= enough; it.increment(error)) {
      add(it->path());
    }
    if (size > enough) break;
  }
  return size;
}

/// What can't be copied is told of, once.
void copy(const fs::path& from, const Paths& paths, const fs::path& to,
          const std::function<void(std::string_view)>& tell) {
  bool told = false;
  const auto tell_once = [&](const Error& error) {
    if (!std::exchange(told, true)) {
      tell("warning: not all ignored files could be copied: " + error.message());
    }
  };
  try {
    on_deep_stack([&] {
      const PlainDir checkout = PlainDir::open(from, "the checkout");
      const PlainDir snapshot = PlainDir::open(to, "the snapshot");
      TreeCopy copies(snapshot);
      copies.leave_out(tell_once);
      for (const std::string_view path : paths) {
        copies.copy_path(checkout, path.substr(0, path.find_last_not_of('/') + 1));
      }
      copies.finish(checkout);
    });
  } catch (const Error& error) {
    if (error.errnum() != ENOSPC && error.errnum() != EDQUOT) throw;
    throw Error(error.kind(), "cannot copy ignored files: " + error.message(),
                "make room, or set wafers.freezeIgnored to none");
  }
}

}  // namespace

void write_tracked_files(const git::Repository& repository, const git::Oid& commit,
                         const fs::path& tree, const fs::path& index) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  run_with_progress(tree,
                    git_with(repository, tree, index,
                             {"-c", "checkout.workers=" + std::to_string(cores), "read-tree", "-m",
                              "-u", commit.hex()}),
                    "cannot write the files of " + commit.hex().substr(0, 12));
}

void mark_files_as_seen(const git::Repository& repository, const fs::path& tree,
                        const fs::path& index) {
  const auto read = git::IndexView::open(index, git::IndexChecksum::trusted);
  if (!read) return;
  std::string paths;
  for (const git::IndexRecord& entry : read->entries()) {
    paths += entry.path();
    paths += '\0';
  }
  // Git marks files for a watcher alone: for this one, that tells of no change since now, and takes
  // the question for a comment. While it marks them it forgets which trees the entries are.
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string watcher =
      "printf '" + std::to_string(std::chrono::nanoseconds(now).count()) + "\\0' #";
  const auto git = [&](const Words& command, std::string_view input) {
    Words arguments{"-c", "core.fsmonitor=" + watcher, "-c", "core.untrackedCache=false"};
    arguments.insert(arguments.end(), command.begin(), command.end());
    GitCall call = git_with(repository, tree, index, std::move(arguments));
    call.arguments.insert(call.arguments.begin(), "git");
    git::run_program(call.arguments, tree, input, call.variables);
  };
  git({"update-index", "--fsmonitor", "--fsmonitor-valid", "-z", "--stdin"}, paths);
  git({"write-tree"}, "");
}

void copy_ignored_files(const git::Repository& repository, const fs::path& tree,
                        const fs::path& index, const std::function<void(std::string_view)>& tell) {
  const fs::path worktree = repository.worktree();
  const auto limit = largest_wanted(repository);
  if (limit == 0) return;
  Paths paths = ignored_in(repository, index);
  const std::uint64_t size = limit ? size_of(worktree, paths, *limit) : 0;
  if (size > kWorthAWord && size <= *limit && ::isatty(STDERR_FILENO) == 1) {
    tell("copying " + std::to_string(size >> kMegabyte) + " MB of ignored files");
  }
  if (limit && size > *limit) {
    paths.clear();
    if (fs::exists(worktree / kIncludeFile)) {
      paths =
          ignored_in(repository, index, {"--exclude-from=" + (worktree / kIncludeFile).native()});
    }
    tell("the ignored files of " + in_quotes(worktree.native()) +
         " are larger than wafers.freezeIgnored: " +
         (paths.empty() ? "none of them is copied" : "only what .worktreeinclude names is copied"));
  }
  copy(worktree, paths, tree, tell);
}

}  // namespace wafers
