#include "core/git_commands/git_in_view.h"

#include <sys/stat.h>

#include <exception>

#include "base/error.h"
#include "base/text.h"
#include "core/inside/inside_index.h"
#include "core/view/backends.h"
#include "core/view/mountpoint.h"
#include "git/program/git_program.h"
#include "os/child.h"
#include "os/files.h"
#include "os/interrupt.h"
#include "os/remove_tree.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// A Git directory is what has HEAD and knows where the rest is (gitrepository-layout(5)). This one
/// is in no list of worktrees.
void make_git_dir(const fs::path& directory, const Wafer& wafer, const git::Repository& repository,
                  const git::IndexFile& index) {
  remove_tree(directory);  // left by a killed commit
  if (::mkdir(directory.c_str(), 0700) != 0) {
    throw_errno("cannot make directory", directory.native());
  }
  put_content(directory / "HEAD", "ref: refs/heads/" + wafer.branch + "\n");
  // For git inside, which doesn't look for refs where GIT_COMMON_DIR says.
  put_content(directory / "commondir",
              wafer.reached_inside(repository.common_dir()).native() + "\n");
  const fs::path worktree_config = repository.git_dir() / "config.worktree";
  if (fs::exists(worktree_config)) fs::copy_file(worktree_config, directory / "config.worktree");
  index.write(directory / "index");
}

}  // namespace

GitInView::GitInView(const Wafer& wafer, const git::Repository& repository,
                     const git::IndexFile& index)
    : wafer_(wafer), repository_(repository), directory_(wafer.directory / "commit.git") {
  make_git_dir(directory_, wafer, repository, index);
}

GitInView::~GitInView() {
  try {
    remove_tree(directory_);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the next one tries again
  }
}

std::vector<std::string> GitInView::environment(Editor editor) const {
  std::vector<std::string> variables{
      "GIT_DIR=" + directory_.native(),       "GIT_WORK_TREE=" + wafer_.root().native(),
      "GIT_INDEX_FILE=" + index().native(),   "GIT_PREFIX=",
      "WAFERS_NAME=" + wafer_.name,           "WAFERS_BRANCH=" + wafer_.branch,
      "WAFERS_ROOT=" + wafer_.root().native()};
  if (editor == Editor::none) variables.emplace_back("GIT_EDITOR=:");
  return with_variables(git::environment_without_repository(), variables);
}

git::Oid GitInView::tree() const { return tree_of_index(repository_, index(), directory_); }

int GitInView::run(const Command& command) const {
  const InterruptGuard guard;
  Pipe pipe = make_pipe();
  const auto failure = run_in_child([&] {
    const auto view = make_backend(wafer_.backend)->find(wafer_);
    if (!view) throw not_mounted(wafer_);
    view->enter();
    const int code = wafers::run(command).shell_code();
    write_all(pipe.writer.get(), std::to_string(code));
  });
  InterruptGuard::check();
  if (failure) throw failure->error();
  pipe.writer.reset();
  return std::stoi(read_to_end(pipe.reader.get()));
}

}  // namespace wafers
