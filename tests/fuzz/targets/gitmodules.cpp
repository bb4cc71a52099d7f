// `.gitmodules` as the view has it.
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "core/submodule_config.h"
#include "git/repository.h"
#include "git/rule_files.h"
#include "target.h"

namespace {

namespace fs = std::filesystem;
using wafers::SubmoduleIgnore;
using wafers::fuzz::require;
using wafers::git::Repository;

/// A repository without anything in it, and without anybody's configuration.
Repository make_repository() {
  const fs::path top = wafers::fuzz::scratch_directory();
  for (const char* name : {"HOME", "XDG_CONFIG_HOME"}) ::setenv(name, top.c_str(), 1);
  ::setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  for (const char* directory : {"objects", "refs"}) {
    fs::create_directories(top / "repo/.git" / directory);
  }
  wafers::fuzz::write_file(top / "repo/.git/HEAD", "ref: refs/heads/main\n");
  wafers::fuzz::write_file(top / "repo/.git/config", "[core]\n\trepositoryformatversion = 0\n");
  return Repository::open(top / "repo");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Repository repository = make_repository();
  const std::string_view text = wafers::fuzz::as_text(data, size);
  const wafers::SubmoduleConfig config(repository, text);
  require(config.ignore_of("no such path") == SubmoduleIgnore::none, "others have the default");
  return 0;
}
