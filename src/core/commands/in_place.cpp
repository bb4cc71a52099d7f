#include "core/commands/in_place.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "core/state/backend_traits.h"
#include "core/view/base_mounts.h"
#include "git/refs/repository_text.h"
#include "os/files.h"

namespace wafers {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& checkout, const std::string& why,
                         const std::string& hint) {
  throw Error(ErrorKind::refused,
              "no view can be in the place of " + in_quotes(checkout.native()) + ": " + why, hint);
}

bool is_same_directory(const fs::path& one, const fs::path& other) {
  std::error_code error;
  return fs::equivalent(one, other, error) && !error;
}

/// What the caller calls the directory that he named, symlinks and all: a shell says it of the one
/// that it stands in.
fs::path called(const fs::path& from) {
  const char* const pwd = std::getenv("PWD");
  const bool known = pwd != nullptr && *pwd == '/' && is_same_directory(pwd, ".");
  const fs::path here = known ? fs::path(pwd) : fs::current_path();
  fs::path name = (here / from).lexically_normal();
  return name.has_filename() ? name : name.parent_path();
}

void refuse_symlink(const fs::path& checkout, const AddRequest& request) {
  const fs::path name = called(request.from);
  if (is_within(name.native(), checkout.native())) return;
  refuse(checkout, in_quotes(name.native()) + " leads there by a symlink",
         "name it by its own path: --from " + shell_quoted(checkout.native()));
}

void refuse_home(const fs::path& checkout) {
  const char* const home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return;
  const fs::path place = fs::weakly_canonical(home);
  if (!is_within(place.native(), checkout.native())) return;
  refuse(checkout,
         std::string("it ") + (place == checkout ? "is" : "holds") + " your home directory",
         "leave out --in-place");
}

void refuse_mounts(const fs::path& checkout) {
  const auto mounts = find_base_mounts(checkout);
  if (mounts.empty()) return;
  refuse(checkout, describe(mounts.front()),
         "unmount it (umount " + shell_quoted((checkout / mounts.front().path).native()) +
             "), or leave out --in-place");
}

/// What a `.git` file says by a relative path would lead elsewhere where the checkout is reached.
void refuse_relative_git_file(const fs::path& checkout) {
  struct stat status {};
  const fs::path dot_git = checkout / ".git";
  if (::lstat(dot_git.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  const std::string content = read_file(dot_git).value_or(std::string());
  const auto target = git::git_file_target(content);
  if (target && target->starts_with('/')) return;
  refuse(checkout, "its .git file names the repository by a relative path",
         "leave out --in-place, or write the absolute path into " + in_quotes(dot_git.native()));
}

void refuse_repository_elsewhere_in(const fs::path& checkout, const git::Repository& repository) {
  for (const fs::path& directory : {repository.git_dir(), repository.common_dir()}) {
    const bool is_covered = is_within(directory.native(), checkout.native());
    if (!is_covered || is_within(directory.native(), (checkout / ".git").native())) continue;
    refuse(checkout, "its repository " + in_quotes(directory.native()) + " lies in it",
           "leave out --in-place, or move the repository to '.git' or out of the checkout");
  }
}

}  // namespace

void require_in_place(BackendKind backend) {
  if (traits_of(backend).has_own_namespaces) return;
  throw Error(ErrorKind::unsupported,
              "--in-place needs the backend 'namespace', and not '" +
                  std::string(to_string(backend)) +
                  "': elsewhere the view would cover the checkout for everybody",
              "--backend namespace, or leave out --in-place");
}

void require_place(const git::Repository& repository, const AddRequest& request) {
  if (request.backend) require_in_place(*request.backend);
  const fs::path checkout = repository.worktree();
  refuse_home(checkout);
  refuse_symlink(checkout, request);
  refuse_mounts(checkout);
  refuse_relative_git_file(checkout);
  refuse_repository_elsewhere_in(checkout, repository);
}

}  // namespace wafers
