#include "core/commands/checkout_changes.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "git/objects/object_store.h"
#include "git/objects/tree_path.h"
#include "os/deep_stack.h"
#include "os/plain_dir.h"
#include "os/tree_copy.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// The first component of a path, and what follows it.
struct Step {
  explicit Step(std::string_view path)
      : name(path.substr(0, path.find('/'))),
        rest(name.size() < path.size() ? path.substr(name.size() + 1) : std::string_view()) {}

  std::string name;
  std::string_view rest;
};

class ChangesWriter {
 public:
  ChangesWriter(const git::Repository& repository, const fs::path& upper, UpperDialect dialect)
      : objects_(repository.objects(git::Writes::to_memory)),
        head_tree_(repository.tree_of(repository.head_commit().value())),
        worktree_(PlainDir::open(repository.worktree(), "the checkout")),
        upper_(PlainDir::open(upper, "the upper")),
        copy_(upper_),
        dialect_(dialect) {}

  void write(const std::vector<std::string>& paths) {
    std::vector<std::string_view> absent;
    for (const std::string& path : paths) {
      require_showable(path, dialect_);
      if (!place(worktree_, upper_, path)) absent.push_back(path);
    }
    for (const std::string_view path : absent) hide(worktree_, upper_, path);
    close_new_directories(worktree_, upper_);
    copy_.finish(worktree_);
  }

 private:
  /// Puts what the worktree has at `path` there. False where it has nothing.
  bool place(const PlainDir& from, const PlainDir& to, std::string_view path) {
    const Step step(path);
    const auto directory = from.find_directory(step.name);
    // In the place of a file, it has what is in it at paths of their own.
    if (step.rest.empty() && !directory) return copy_.copy(from, step.name, to).has_value();
    if (!directory) return false;
    const PlainDir made = make_directory(to, step.name);
    return step.rest.empty() || place(*directory, made, step.rest);
  }

  /// Hides what HEAD has at `path` from a base that has it, or will.
  void hide(const PlainDir& from, const PlainDir& to, std::string_view path) {
    const Step step(path);
    if (!step.rest.empty()) {
      if (const auto directory = from.find_directory(step.name)) {
        return hide(*directory, make_directory(to, step.name), step.rest);
      }
    }
    // What is there does it; and with an earlier path of a directory, all of that was hidden.
    if (to.stat(step.name)) return;
    make_whiteout(to.fd(), step.name, dialect_);
  }

  /// The kernel shows nothing of a directory whose other half is removed from the base.
  void close_new_directories(const PlainDir& from, const PlainDir& to) {
    for (const std::string& name : to.names()) {
      const auto source = from.find_directory(name);
      const auto made = source ? to.find_directory(name) : std::nullopt;
      if (!made) continue;
      if (!is_committed(made->path()) && holds_all(*made, *source)) {
        make_opaque(made->fd(), dialect_);
      } else {
        close_new_directories(*source, *made);
      }
    }
  }

  bool is_committed(const std::string& directory) const {
    const auto entry = git::entry_at(*objects_, head_tree_, directory);
    return entry && entry->mode == git::FileMode::tree;
  }

  static bool holds_all(const PlainDir& to, const PlainDir& from) {
    return std::ranges::all_of(from.names(), [&](const std::string& name) {
      if (!to.stat(name)) return false;
      const auto source = from.find_directory(name);
      const auto made = source ? to.find_directory(name) : std::nullopt;
      return !made || holds_all(*made, *source);
    });
  }

  static PlainDir make_directory(const PlainDir& in, const std::string& name) {
    const int err = ::mkdirat(in.fd(), name.c_str(), S_IRWXU) == 0 ? 0 : errno;
    if (err != 0 && err != EEXIST) {
      throw Error::system(err, "cannot make directory " + in_quotes(in.path_of(name)));
    }
    return in.open_directory(name);
  }

  std::unique_ptr<git::ObjectStore> objects_;
  git::Oid head_tree_;
  PlainDir worktree_;
  PlainDir upper_;
  TreeCopy copy_;
  UpperDialect dialect_;
};

}  // namespace

void write_checkout_changes(const git::Repository& repository,
                            const std::vector<std::string>& paths, const fs::path& upper,
                            UpperDialect dialect) {
  on_deep_stack([&] { ChangesWriter(repository, upper, dialect).write(paths); });
}

}  // namespace wafers
