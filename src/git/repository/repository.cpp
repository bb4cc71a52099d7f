#include "git/repository/repository.h"

#include <git2/sys/repository.h>

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/index/index_view.h"
#include "git/objects/library.h"
#include "git/repository/ident.h"
#include "git/repository/repository_impl.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

RefFiles::Logging logging_of(const Config& config) {
  const std::string value = config.get("core.logAllRefUpdates").value_or("true");
  if (value == "always") return RefFiles::Logging::always;
  return config.get_bool("core.logAllRefUpdates", true) ? RefFiles::Logging::usual
                                                        : RefFiles::Logging::never;
}

/// core.looseCompression, else core.compression, else the fastest, as git's zlib_compression_level.
int compression_level(const Config& config) {
  for (const char* key : {"core.looseCompression", "core.compression"}) {
    const std::optional<std::string> text = config.get(key);
    if (!text) continue;
    int level = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), level);
    if (error != std::errc() || end != text->data() + text->size() || level < -1 || level > 9) {
      throw Error(ErrorKind::failed, "bad zlib compression level " + in_quotes(*text));
    }
    return level;
  }
  return Z_BEST_SPEED;
}

/// Where `extensions.worktreeConfig` is set: this worktree's own file.
fs::path worktree_config_of(const Layout& layout, const Config& repository_config) {
  if (!repository_config.get_bool("extensions.worktreeConfig", false)) return {};
  return layout.git_dir / "config.worktree";
}

/// setup.c: core.bare and core.worktree count for the main worktree only.
void apply_core_settings(Layout& layout, const Config& repository_config) {
  if (layout.linked()) return;
  Config worktree_config;
  const fs::path file = worktree_config_of(layout, repository_config);
  if (!file.empty()) worktree_config = Config::open_file(file);
  const bool bare =
      worktree_config.get_bool("core.bare", repository_config.get_bool("core.bare", false));
  std::optional<std::string> worktree = worktree_config.get("core.worktree");
  if (!worktree) worktree = repository_config.get("core.worktree");
  if (worktree) {
    layout.worktree = fs::canonical(layout.git_dir / *worktree);
  } else if (bare) {
    throw Error(ErrorKind::failed,
                "the repository " + in_quotes(layout.git_dir.native()) + " is bare",
                "wafers needs a checkout: git worktree add makes one");
  }
}

/// What GIT_DIR or GIT_WORK_TREE says, resolved as far as it exists; empty where it isn't set.
fs::path path_in_environment(const char* variable) {
  const char* const value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return {};
  std::error_code error;
  const fs::path real = fs::canonical(value, error);
  return error ? fs::path(value) : real;
}

Error environment_names_another(const fs::path& git_dir, const fs::path& worktree) {
  std::string names;
  if (!git_dir.empty()) names = "GIT_DIR names " + in_quotes(git_dir.native());
  if (!worktree.empty()) {
    names += (names.empty() ? "" : " and ") + std::string("GIT_WORK_TREE names ") +
             in_quotes(worktree.native());
  }
  std::string hint = "unset GIT_DIR GIT_WORK_TREE, or name a checkout with --from";
  if (!git_dir.empty() && !worktree.empty() && !fs::exists(worktree / ".git")) {
    hint += "; to make that one be found: echo " + shell_quoted("gitdir: " + git_dir.native()) +
            " > " + shell_quoted((worktree / ".git").native());
  }
  return Error(ErrorKind::unsupported,
               names + ", and not what is found from here: wafers goes by directories alone", hint);
}

}  // namespace

RepositoryHandle open_handle(const Layout& layout) {
  ensure_library();
  RepositoryHandle handle;
  check(git_repository_open_ext(Out(handle), layout.git_dir.c_str(),
                                GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_NO_DOTGIT,
                                nullptr),
        "cannot open repository " + in_quotes(layout.git_dir.native()));
  return handle;
}

DatabaseStore::Settings store_settings(const Layout& layout, const Config& config) {
  DatabaseStore::Settings settings;
  settings.objects_dir = layout.common_dir / "objects";
  settings.level = compression_level(config);
  settings.shared = SharedMode::parse(config.get("core.sharedRepository"));
  // git's own default would leave loose objects out; here a lost one is an agent's work.
  if (config.get("core.fsync").value_or(std::string()) == "none") {
    settings.durability = Durability::none;
  }
  settings.promisor = Promisor(layout.git_dir, config.settings());
  return settings;
}

Repository::Repository(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Repository::Repository(Repository&&) noexcept = default;
Repository& Repository::operator=(Repository&&) noexcept = default;
Repository::~Repository() = default;

Repository Repository::open(const fs::path& inside) {
  auto impl = std::make_unique<Impl>();
  impl->layout = discover(inside);
  check_ownership(impl->layout);
  const Config repository_config = Config::open_file(impl->layout.common_dir / "config");
  const std::vector<std::string> problems = format_problems(impl->layout, repository_config);
  if (!problems.empty()) throw Error(ErrorKind::unsupported, problems.front());
  apply_core_settings(impl->layout, repository_config);
  impl->handle = open_handle(impl->layout);
  impl->config = Config::open(impl->handle.get(), impl->layout.common_dir,
                              worktree_config_of(impl->layout, repository_config));
  check(git_repository_set_config(impl->handle.get(), impl->config.handle()),
        "cannot configure libgit2");
  impl->refs = RefFiles(impl->layout.git_dir, impl->layout.common_dir, logging_of(impl->config),
                        SharedMode::parse(impl->config.get("core.sharedRepository")));
  return Repository(std::move(impl));
}

Repository Repository::open_here(const fs::path& inside) {
  const fs::path git_dir = path_in_environment("GIT_DIR");
  const fs::path worktree = path_in_environment("GIT_WORK_TREE");
  if (git_dir.empty() && worktree.empty()) return open(inside);
  try {
    Repository found = open(inside);
    const Layout& layout = found.impl_->layout;
    const bool same_repository =
        git_dir.empty() || git_dir == layout.git_dir || git_dir == layout.git_file;
    if (same_repository && (worktree.empty() || worktree == layout.worktree)) return found;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::failed) throw;
  }
  throw environment_names_another(git_dir, worktree);
}

const Date& Repository::Impl::start_date() const {
  if (!now) now = current_date();
  return *now;
}

fs::path Repository::worktree() const { return impl_->layout.worktree; }
fs::path Repository::git_dir() const { return impl_->layout.git_dir; }
fs::path Repository::common_dir() const { return impl_->layout.common_dir; }
bool Repository::is_partial_clone() const {
  return !Promisor(impl_->layout.git_dir, impl_->config.settings()).empty();
}

std::optional<std::string> Repository::config(std::string_view key) const {
  return impl_->config.get(key);
}

bool Repository::config_bool(std::string_view key, bool otherwise) const {
  return impl_->config.get_bool(key, otherwise);
}

std::optional<std::string> Repository::config_path(std::string_view key) const {
  const std::optional<std::string> value = impl_->config.get(key);
  if (!value) return std::nullopt;
  return expand_home(*value);
}

const Config& Repository::all_config() const { return impl_->config; }

PathProtection Repository::path_protection() const {
  return {config_bool("core.protectHFS", false), config_bool("core.protectNTFS", true)};
}

std::unique_ptr<ObjectStore> Repository::objects(Writes writes) const {
  return std::make_unique<DatabaseStore>(store_settings(impl_->layout, impl_->config), writes);
}

std::unique_ptr<ObjectStore> Repository::objects_beside(const fs::path& objects_dir) const {
  DatabaseStore::Settings settings;
  settings.objects_dir = objects_dir;
  settings.also_read = impl_->objects_dir();
  settings.durability = Durability::none;
  settings.promisor = Promisor(impl_->layout.git_dir, impl_->config.settings());
  return std::make_unique<DatabaseStore>(std::move(settings), Writes::to_database);
}

namespace {

/// Whether the index may be split or sparse; to be sure takes all of it, which for a large one is
/// more than all the rest of an `add --assume-clean`. The shared part of a split one lies beside
/// it, and git makes no sparse one without patterns.
bool has_unusual_index(const fs::path& git_dir) {
  std::error_code error;
  if (fs::exists(git_dir / "info/sparse-checkout", error)) return true;
  for (fs::directory_iterator it(git_dir, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().native().starts_with("sharedindex.")) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> Repository::unsupported() const {
  std::vector<std::string> problems;
  if (auto problem = missing_way_back(impl_->layout)) problems.push_back(*std::move(problem));
  if (!has_unusual_index(git_dir())) return problems;
  const auto index = IndexView::open(git_dir() / "index", IndexChecksum::trusted);
  if (!index) return problems;
  const std::string where = "the index of " + in_quotes(worktree().native());
  if (index->has_split_index()) {
    problems.push_back(where +
                       " is split, which wafers can't read yet; "
                       "git update-index --no-split-index joins it");
  }
  if (index->has_sparse_dirs()) {
    problems.push_back(where +
                       " is sparse, which wafers can't read yet; "
                       "git sparse-checkout reapply --no-sparse-index makes it full");
  }
  return problems;
}

bool Repository::begins_reflogs() const {
  return logging_of(impl_->config) != RefFiles::Logging::never;
}

}  // namespace wafers::git
