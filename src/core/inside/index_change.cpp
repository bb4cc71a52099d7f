#include "core/inside/index_change.h"

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "git/diff/diff.h"
#include "git/objects/shared_mode.h"
#include "os/files.h"
#include "os/scratch.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

/// As git update-index --index-info takes it. What goes comes first: a directory may come in a
/// file's place.
std::string index_info(const std::vector<git::TreeChange>& changes) {
  std::string gone;
  std::string present;
  for (const git::TreeChange& change : changes) {
    const bool is_gone = change.new_mode == git::FileMode::absent;
    (is_gone ? gone : present) +=
        git::to_octal(change.new_mode) + " " + change.new_oid.hex() + "\t" + change.path + '\0';
  }
  return gone + present;
}

std::string changed_index(const Wafer& wafer, const git::Repository& repository,
                          const InsideIndex& before, const git::Oid& tree) {
  const Scratch scratch(wafer.directory.parent_path(), kIndexPrefix);
  const fs::path copy = scratch.path() / "index";
  before.copy_to(copy);
  const auto objects = repository.objects(git::Writes::to_memory);
  run_on_index(repository, copy, {"update-index", "-z", "--index-info"}, scratch.path(),
               index_info(git::changed_paths(*objects, before.tree(), tree)));
  return read_file(copy).value_or(std::string());
}

}  // namespace

IndexChange::IndexChange(const Wafer& wafer, const git::Repository& repository,
                         const InsideIndex& before, const git::Oid& tree)
    : before_(before) {
  const std::string content = changed_index(wafer, repository, before, tree);
  const auto shared = git::SharedMode::parse(repository.config("core.sharedRepository"));
  lock_ = std::make_unique<git::LockFile>(before.directory().reach("index"), shared, content);
  if (before.is_current()) return;
  throw Error(ErrorKind::busy,
              "git inside wafer " + in_quotes(wafer.name) + " has changed its index meanwhile",
              "do it again");
}

void IndexChange::commit() {
  // An entry that is as new as its index proves nothing: this one mustn't look newer than the one
  // with which the entries were read.
  lock_->commit_unsynced(before_.written());
}

}  // namespace wafers
