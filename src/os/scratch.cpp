#include "os/scratch.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/scope_guard.h"
#include "base/text.h"
#include "os/claim.h"
#include "os/remove_tree.h"

namespace wafers {

Scratch::Scratch(const std::filesystem::path& directory, std::string_view prefix) {
  while (!claim_) {  // one that a sweep has found before it was claimed is left to that sweep
    std::string name = directory / (std::string(prefix) + "XXXXXX");
    if (::mkdtemp(name.data()) == nullptr) {
      throw_errno("cannot make a directory in", directory.native());
    }
    path_ = name;
    ScopeGuard remove_it([&]() noexcept { ::rmdir(name.c_str()); });
    claim_ = claim_directory(path_);
    remove_it.dismiss();
  }
}

Scratch::~Scratch() {
  try {
    remove_tree(path_);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): what was done in it is what counts
  }
}

}  // namespace wafers
