// A repository inside the view, all of which the agent has written: HEAD, packed-refs, a ref,
// commondir, the file `.git`, and the index.
#include "core/snapshot/nested_repo.h"

#include <array>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "git/refs/ref_files.h"
#include "linux/merged_dir.h"
#include "linux/upper.h"
#include "os/plain_dir.h"
#include "target.h"

namespace {

namespace fs = std::filesystem;
using wafers::MergedDir;
using wafers::NestedRepoFinder;
using wafers::fuzz::require;
using wafers::git::Oid;

/// `plain` is a repository with a directory `.git`, `linked` one with a file of that name.
class View {
 public:
  View() {
    for (const char* directory : {"upper", "plain/.git/refs/heads", "plain/.git/info",
                                  "plain/.git/objects", "linked", "git-dir"}) {
      fs::create_directories(top_ / directory);
    }
    wafers::fuzz::write_file(top_ / "plain/.git/info/exclude", "*.o\n");
  }

  void fill(const std::vector<std::string_view>& parts) {
    constexpr std::array kFiles{"plain/.git/HEAD",
                                "plain/.git/packed-refs",
                                "plain/.git/refs/heads/main",
                                "git-dir/commondir",
                                "linked/.git",
                                "plain/.git/index"};
    for (std::size_t i = 0; i < kFiles.size(); ++i) {
      const fs::path file = top_ / kFiles.at(i);
      if (contents_.at(i) == parts[i]) continue;
      contents_.at(i) = parts[i];
      if (parts[i].empty()) {
        fs::remove(file);
      } else {
        wafers::fuzz::write_file(file, parts[i]);
      }
    }
    wafers::fuzz::write_file(top_ / "git-dir/HEAD", parts[0]);
  }

  std::optional<NestedRepoFinder::Repo> find(const std::string& name) const {
    const NestedRepoFinder finder(places());
    (void)finder.contents(root().directory(name), name);
    return finder.find(root().directory(name), name);
  }

  /// HEAD, read as that of a base. Throws Error where that is malformed.
  std::optional<Oid> head_of_base() const {
    const fs::path git_dir = top_ / "plain/.git";
    return wafers::git::RefFiles(git_dir, git_dir, {}, {}).resolve("HEAD");
  }

 private:
  NestedRepoFinder::Places places() const {
    return {.upper = top_ / "upper",
            .dialect = wafers::UpperDialect::kernel_user,
            .layers = {top_},
            .worktree = top_,
            .git_dir = top_ / "no-base",
            .mountpoint = top_ / "no-view"};
  }
  MergedDir root() const {
    return {wafers::UpperDir::open(top_ / "upper", wafers::UpperDialect::kernel_user),
            wafers::MergedDir(wafers::PlainDir::open(top_, "the base"))};
  }

  fs::path top_ = wafers::fuzz::scratch_directory();
  std::array<std::string, 6> contents_;
};

/// A commit that is found is the one that a base with the same files has.
void check_head(const View& view, const Oid& head) {
  try {
    require(view.head_of_base() == head, "a nested repository is read as a base is");
  } catch (const wafers::Error&) {  // of that nothing can be told
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static View view;
  const auto parts = wafers::fuzz::parts(wafers::fuzz::as_text(data, size), 6);
  view.fill(parts);
  const auto plain = view.find("plain");
  const bool ends = parts[1].empty() || parts[1].ends_with('\n');  // git refuses what doesn't
  if (plain && plain->head && ends) check_head(view, *plain->head);
  view.find("linked");
  return 0;
}
