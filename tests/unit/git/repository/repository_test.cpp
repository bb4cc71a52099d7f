#include "git/repository/repository.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::Error;
using wafers::ErrorKind;
using wafers::git::Oid;
using wafers::git::Repository;
using wafers::git::Writes;
using wafers::test::GitRepo;
using wafers::test::TempDir;

namespace {

/// What open() throws for `directory`.
Error failure_of(const fs::path& directory) {
  try {
    (void)Repository::open(directory);
  } catch (const Error& error) {
    return error;
  }
  FAIL("opened " << directory);
  throw;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Reads the tip's tree and one blob of it.
std::string content_at_head(const Repository& repository, const std::string& name) {
  const auto objects = repository.objects(Writes::to_memory);
  const auto entries = objects->read_tree(repository.tree_of(repository.head_commit().value()));
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return entry.name == name; });
  REQUIRE(found != entries.end());
  return objects->read_blob(found->oid);
}

}  // namespace

TEST_CASE("a repository is found from any directory inside its worktree", "[repository]") {
  const TempDir top("odd 'name\\ with,:\n things");
  const GitRepo git = GitRepo::init(top / "base");
  git.write("a/b/file", "x");
  const std::string head = git.commit_all();
  const Repository repository = Repository::open(git / "a/b");
  CHECK(repository.worktree() == git.path());
  CHECK(repository.git_dir() == git / ".git");
  CHECK(repository.common_dir() == git / ".git");
  CHECK(repository.head_commit()->hex() == head);
  CHECK(repository.tree_of(*repository.head_commit()).hex() == git.head_tree());
  CHECK(repository.unsupported().empty());

  fs::create_symlink(git / "a", top / "link");
  CHECK(Repository::open(top / "link/b").worktree() == git.path());
}

TEST_CASE("where there is no worktree, opening says so", "[repository]") {
  const TempDir top;
  wafers::test::use_hermetic_git();
  ::setenv("GIT_CEILING_DIRECTORIES", top.path().c_str(), 1);
  fs::create_directory(top / "plain");
  CHECK(contains(failure_of(top / "plain").message(), "not a git repository"));
  CHECK(failure_of(top / "plain").kind() == ErrorKind::failed);
  CHECK(contains(failure_of(top / "missing").message(), "No such file"));

  const GitRepo git = GitRepo::init(top / "base");
  git.git({"init", "-q", "--bare", top / "bare"});
  CHECK(contains(failure_of(top / "bare").message(), "no worktree"));
  CHECK(contains(failure_of(git / ".git").message(), "no worktree"));
  git.git({"config", "core.bare", "true"});
  CHECK(contains(failure_of(git.path()).message(), "is bare"));

  wafers::test::write_file(top / "broken/.git", "gitdir: /nowhere\n");
  CHECK(contains(failure_of(top / "broken").message(), "/nowhere"));
  wafers::test::write_file(top / "junk/.git", "junk");
  CHECK(contains(failure_of(top / "junk").message(), "gitfile"));
  ::unsetenv("GIT_CEILING_DIRECTORIES");
}

TEST_CASE("an unborn branch has no commit", "[repository]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  CHECK_FALSE(Repository::open(git.path()).head_commit());
}

TEST_CASE("repositories that libgit2 can't serve are refused in one sentence", "[repository]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  SECTION("SHA-256") {
    git.git({"init", "-q", "--object-format=sha256", top / "sha256"});
    const Error error = failure_of(top / "sha256");
    CHECK(error.kind() == ErrorKind::unsupported);
    CHECK(contains(error.message(), "SHA-1 repositories only"));
  }
  SECTION("reftable") {
    git.git({"config", "core.repositoryformatversion", "1"});
    git.git({"config", "extensions.refstorage", "reftable"});
    CHECK(contains(failure_of(git.path()).message(), "'reftable'"));
  }
  SECTION("an extension that nobody knows") {
    git.git({"config", "core.repositoryformatversion", "1"});
    git.git({"config", "extensions.frobnicate", "true"});
    const Error error = failure_of(git.path());
    CHECK(error.kind() == ErrorKind::unsupported);
    CHECK(contains(error.message(), "'frobnicate'"));
  }
  SECTION("a format of the future") {
    git.git({"config", "core.repositoryformatversion", "2"});
    CHECK(contains(failure_of(git.path()).message(), "version 2"));
  }
}

TEST_CASE("extensions that change nothing for us are fine", "[repository]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("f", "1");
  const std::string head = git.commit_all();
  git.git({"config", "core.repositoryformatversion", "1"});
  // Some of them are younger than the git that runs this test.
  wafers::test::write_file(git / ".git/config",
                           wafers::test::read_file(git / ".git/config") +
                               "[extensions]\n\tnoop = true\n\tpreciousObjects = true\n"
                               "\tworktreeConfig = true\n\trelativeWorktrees = true\n"
                               "\trefStorage = files\n\tobjectFormat = sha1\n");
  CHECK(Repository::open(git.path()).head_commit()->hex() == head);
}

TEST_CASE("all kinds of repositories that git has can be read", "[repository]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("file", "one");
  git.commit_all("one");
  git.write("file", "two");
  const std::string head = git.commit_all("two");
  git.git({"config", "uploadpack.allowFilter", "true"});
  const std::string url = "file://" + git.path().string();

  SECTION("shallow clone") {
    git.git({"clone", "-q", "--depth=1", url, top / "shallow"});
    const Repository repository = Repository::open(top / "shallow");
    CHECK(content_at_head(repository, "file") == "two");
    const Oid tip = repository.head_commit().value();
    CHECK(repository.is_descendant_or_same(tip, tip));
    CHECK_FALSE(repository.is_descendant_or_same(tip, Oid::from_hex(git.head_tree()).value()));
  }
  SECTION("partial clone") {
    git.git({"clone", "-q", "--filter=blob:none", "--no-checkout", url, top / "partial"});
    const Repository repository = Repository::open(top / "partial");
    const auto objects = repository.objects(Writes::to_memory);
    const auto entries = objects->read_tree(repository.tree_of(*repository.head_commit()));
    REQUIRE(entries.size() == 1);
    std::filesystem::rename(top / "base", top / "gone");
    try {
      (void)objects->read_blob(entries[0].oid);
      FAIL("read a blob that is not there");
    } catch (const Error& error) {
      CHECK(contains(error.message(), entries[0].oid.hex()));
      CHECK(contains(error.hint(), "make sure that 'origin' can be reached"));
    }
    std::filesystem::rename(top / "gone", top / "base");
    CHECK(repository.objects(Writes::to_memory)->read_blob(entries[0].oid) == "two");
  }
  SECTION("partial clone whose remote has what is missing") {
    git.git({"clone", "-q", "--filter=blob:none", "--no-checkout", url, top / "partial"});
    const Repository repository = Repository::open(top / "partial");
    const auto objects = repository.objects(Writes::to_memory);
    const auto entries = objects->read_tree(repository.tree_of(*repository.head_commit()));
    REQUIRE(entries.size() == 1);
    CHECK(objects->read_blob(entries[0].oid) == "two");
  }
  SECTION("alternates") {
    git.git({"clone", "-q", "--shared", git.path(), top / "shared"});
    CHECK(content_at_head(Repository::open(top / "shared"), "file") == "two");
  }
  SECTION("packed refs and objects") {
    git.git({"gc", "-q"});
    REQUIRE_FALSE(fs::exists(git / ".git/refs/heads/main"));
    CHECK(content_at_head(Repository::open(git.path()), "file") == "two");
  }
  SECTION("linked worktree") {
    git.git({"worktree", "add", "-q", "-b", "side", top / "linked", "HEAD^"});
    const Repository repository = Repository::open(top / "linked");
    CHECK(repository.worktree() == top / "linked");
    CHECK(repository.git_dir() == git / ".git/worktrees/linked");
    CHECK(repository.common_dir() == git / ".git");
    CHECK(content_at_head(repository, "file") == "one");
    CHECK(repository.is_descendant_or_same(Oid::from_hex(head).value(),
                                           repository.head_commit().value()));
    CHECK_FALSE(repository.is_descendant_or_same(repository.head_commit().value(),
                                                 Oid::from_hex(head).value()));
  }
  SECTION("sparse checkout with worktree configuration") {
    git.git({"sparse-checkout", "set", "some/dir"});
    REQUIRE(git.git_line({"config", "extensions.worktreeConfig"}) == "true");
    const Repository repository = Repository::open(git.path());
    CHECK(repository.config_bool("core.sparseCheckout", false));
    CHECK(repository.unsupported().empty());
  }
  SECTION("submodule") {
    GitRepo::init(top / "super");
    const GitRepo super(top / "super");
    super.git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "sub"});
    const Repository repository = Repository::open(super / "sub");
    CHECK(repository.worktree() == super / "sub");
    CHECK(repository.git_dir() == super / ".git/modules/sub");
    CHECK(repository.head_commit()->hex() == head);
  }
}

TEST_CASE("split and sparse indexes are named", "[repository]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("a/x", "1");
  git.write("b/x", "1");
  git.commit_all();
  SECTION("split") {
    git.git({"update-index", "--split-index"});
    const auto problems = Repository::open(git.path()).unsupported();
    REQUIRE(problems.size() == 1);
    CHECK(contains(problems[0], "is split"));
    git.git({"update-index", "--no-split-index"});
  }
  SECTION("sparse") {
    git.git({"sparse-checkout", "set", "--cone", "--sparse-index", "a"});
    const auto problems = Repository::open(git.path()).unsupported();
    REQUIRE(problems.size() == 1);
    CHECK(contains(problems[0], "is sparse"));
    git.git({"sparse-checkout", "reapply", "--no-sparse-index"});
  }
  CHECK(Repository::open(git.path()).unsupported().empty());
}

TEST_CASE("another user's repository is refused as git does", "[repository]") {
  if (::geteuid() != 0) return;  // only root can give files away
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.write("f", "1");
  git.commit_all();
  const std::string changed = GENERATE(as<std::string>(), "", ".git");
  REQUIRE(::lchown((git / changed).c_str(), 12345, 12345) == 0);
  REQUIRE_FALSE(git.try_git({"status"}).ok());
  const Error error = failure_of(git.path());
  CHECK(error.kind() == ErrorKind::refused);
  CHECK(contains(error.message(), "dubious ownership"));
  CHECK(error.hint() == "git config --global --add safe.directory " + git.path().string());

  const fs::path config = wafers::test::hermetic_home() / ".gitconfig";
  const auto with = [&](const std::string& lines) {
    wafers::test::write_file(config, "[safe]\n" + lines);
    const bool allowed = git.try_git({"status"}).ok();
    bool opened = true;
    try {
      (void)Repository::open(git.path());
    } catch (const Error&) {
      opened = false;
    }
    CHECK(opened == allowed);
    return opened;
  };
  CHECK(with("directory = " + git.path().string() + "\n"));
  CHECK(with("directory = *\n"));
  CHECK_FALSE(with("directory = *\ndirectory =\n"));
  CHECK_FALSE(with("directory = /elsewhere\n"));
  fs::remove(config);
  // A repository can't declare itself safe.
  wafers::test::write_file(git / ".git/config", wafers::test::read_file(git / ".git/config") +
                                                    "[safe]\n\tdirectory = *\n");
  CHECK(failure_of(git.path()).kind() == ErrorKind::refused);
}

TEST_CASE("short ids are as long as git makes them", "[repository]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  // Enough objects that some of their names begin alike.
  std::string script;
  for (int i = 0; i < 3000; ++i) {
    const std::string data = "blob " + std::to_string(i);
    script += "blob\ndata " + std::to_string(data.size()) + "\n" + data + "\n";
  }
  wafers::test::RunOptions options;
  options.input = script + "done\n";
  git.git({"fast-import", "--quiet", "--done"}, options);
  git.write("f", "1");
  git.commit_all();
  const std::string setting = GENERATE(as<std::string>(), "auto", "4", "12", "no", "40");
  git.git({"config", "core.abbrev", setting});
  const Repository repository = Repository::open(git.path());
  const std::string list =
      git.git({"cat-file", "--batch-check=%(objectname)", "--batch-all-objects"});
  int checked = 0;
  for (std::size_t at = 0; at < list.size() && checked < 40; at += 41 * 75, ++checked) {
    const std::string hex = list.substr(at, 40);
    CHECK(repository.short_id(Oid::from_hex(hex).value()) ==
          git.git_line({"rev-parse", "--short", hex}));
  }
  CHECK(checked == 40);
}
