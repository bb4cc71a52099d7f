// Frozen bases: snapshots that the checkout's changes don't reach; and what prune takes away.

#include <array>
#include <thread>

#include "cli/world.h"
#include "support/catch.h"
#include "support/run.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

constexpr const char* kBase =
    "printf '*.o\\nnode_modules/\\n.env\\n' > .gitignore; mkdir -p dir node_modules/p\n"
    "printf '*.crlf text eol=crlf\\n' > .gitattributes; printf 'a\\r\\n' > t.crlf; ln -s f link\n"
    "echo 1 > f; echo 1 > dir/f; echo '#!' > tool; chmod +x tool\n"
    "git add -A; git commit -qm base\n"
    "echo k > node_modules/p/k; ln node_modules/p/k node_modules/p/k2; echo o > dir/x.o\n"
    "echo secret > .env; chmod 600 .env; ln -s p node_modules/link";

constexpr const char* kListing =
    "find . -mindepth 1 -path ./.git -prune -o \\( -type l -printf '%p -> %l\\n' -o -type d "
    "-printf "
    "'%p/\\n' -o -type f -printf '%p %m\\n' -exec sha1sum {} + \\) | sort";

std::size_t snapshots(const World& world) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(world.state() / ".bases")) {
    if (entry.path().filename().native().starts_with("frozen-")) ++count;
  }
  return count;
}

TEST_CASE("a frozen base stays as it was, whatever is done in the checkout") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.in_base(kBase);
  const std::string checkout = world.in_base(kListing);
  world.wafers_ok({"add", "a", "b", "--frozen", "--backend", backend});
  world.inside("b", "echo mine > mine; rm dir/f");
  CHECK(world.listed("a")["base_kind"] == "frozen");
  CHECK(world.listed("a")["base_moved"].is_null());
  for (const char* step :
       {"echo edited > f; rm dir/x.o; echo new > new",
        "git stash -qu; git checkout -q --detach; git commit -q --allow-empty -m moved",
        "git rm -qr dir; git commit -qm gone", "git clean -fdxq",
        "git checkout -q main; echo more > node_modules; git merge -q wafers/b",
        "find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +"}) {
    CAPTURE(step);
    world.in_base(step);
    CHECK(world.inside("a", kListing) == checkout);
    CHECK(world.wafers({"exec", "b", "--", "cat", "mine"}).err.empty());
    CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
    CHECK(world.wafers_ok({"git-status", "b", "--porcelain"}) == " D dir/f\n?? mine\n");
  }
  world.wafers_ok({"umount", "--all"});
  CHECK(world.inside("a", kListing) == checkout);
  world.inside("a",
               "echo 2 > f; echo 2 >> t.crlf; rm node_modules/p/k; mkdir dir2; mv dir/f dir2/f");
  world.wafers_ok({"git-commit", "a", "-m", "work"});
  CHECK(world.base().git({"diff", "--name-status", "--no-renames", "main", "wafers/a"}) ==
        "D\tdir/f\nA\tdir2/f\nM\tf\nM\tt.crlf\n");
  CHECK(world.base().git({"show", "wafers/a:t.crlf"}) == "a\n2\n");
}

TEST_CASE("a linked worktree may go when a base was frozen from it") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  world.in_base(
      "git worktree add -q ../linked; cd ../linked; echo 1 > f; git add f; git commit -qm f");
  world.wafers_ok(
      {"add", "a", "--frozen", "--from", (world / "linked").native(), "--backend", backend});
  world.wafers_ok({"fork", "a", "b"});
  CHECK(world.listed("a")["base_repo"] == (world / "linked").native());
  world.inside("a", "echo 2 > f");
  world.in_base("git worktree remove ../linked");
  for (const char* name : {"a", "b"}) {
    CAPTURE(name);
    CHECK(world.listed(name)["status"] == "mounted");
    CHECK(world.inside(name, "cat f README") == (*name == 'a' ? "2\nbase\n" : "1\nbase\n"));
    world.wafers_ok({"umount", name});
    world.inside(name, "echo 3 > g");
    world.wafers_ok({"git-commit", name, "-m", "work"});
    CHECK(world.base().git({"show", std::string("wafers/") + name + ":g"}) == "3\n");
    CHECK(world.listed(name)["base_repo"] == world.base().path().native());
  }
  world.in_base("git merge -q linked; echo new > new; git add new; git commit -qm new");
  world.wafers_ok({"git-sync", "a", "--onto", "main"});
  CHECK(world.inside("a", "cat f g new") == "2\n3\nnew\n");
  world.wafers_ok({"rm", "a", "b"});
}

TEST_CASE("a snapshot is made once for all wafers of its commit, and a near one is a delta") {
  const World world;
  world.in_base(kBase);
  std::vector<std::thread> threads;
  std::array<int, 4> status{};
  for (std::size_t i = 0; i < status.size(); ++i) {
    threads.emplace_back([&, i] {
      status.at(i) =
          world.wafers({"add", "a" + std::to_string(i), "--frozen", "--backend", any_backend()})
              .status;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(status == std::array<int, 4>{});
  CHECK(snapshots(world) == 1);
  world.in_base("echo 2 > f; git commit -qam two");
  const RunResult near = world.wafers({"add", "near", "--frozen", "--backend", any_backend()});
  CHECK(near.err.empty());
  CHECK(world.listed("near")["base_layers"].size() == 2);
  CHECK(world.inside("near", "cat f node_modules/p/k") == "2\nk\n");
  CHECK(world.inside("a0", "cat f") == "1\n");

  // With ignored files as they are now, for those that come.
  world.in_base("echo now > node_modules/p/k");
  world.wafers_ok({"freeze", "--refresh"});
  world.wafers_ok({"add", "now", "--frozen", "--backend", any_backend()});
  CHECK(world.inside("now", "cat node_modules/p/k") == "now\n");
  CHECK(world.inside("near", "cat node_modules/p/k") == "k\n");
  world.wafers_ok({"rm", "--all", "--force"});
  CHECK(snapshots(world) == 1);  // the newest, for a day
  CHECK_THAT(world.wafers_ok({"prune", "--dry-run"}), Contains("Would remove layer "));
  CHECK(snapshots(world) == 1);
  world.wafers_ok({"prune"});
  CHECK(std::filesystem::is_empty(world.state() / ".bases"));
}

TEST_CASE("on a terminal git shows how far it is, and no hook of the checkout runs") {
  const World world;
  world.base().write(".git/hooks/post-index-change", "#!/bin/sh\ntouch ran\n");
  std::filesystem::permissions(world.base().path() / ".git/hooks/post-index-change",
                               std::filesystem::perms::owner_all);
  const auto freeze = [&](const std::string& command) {
    return world.run_program("/bin/sh", {"-c", command, "sh", WAFERS_PROGRAM},
                             {.cwd = {}, .environment = {"GIT_PROGRESS_DELAY=0"}, .input = {}});
  };
  const RunResult shown = freeze("script -qec \"'$1' freeze\" /dev/null");
  CHECK_THAT(shown.out, Contains("Updating files: 100%"));
  CHECK_THAT(freeze("\"$1\" freeze --refresh").err, !Contains("Updating files"));
  CHECK_FALSE(std::filesystem::exists(world.base().path() / "ran"));
}

/// What git says of `script` where it has checked out HEAD itself, and wafers in the wafer `a`.
void check_status(const World& world, const std::string& script) {
  CAPTURE(script);
  const std::string plain = (world / "plain").native();
  const std::string git =
      world.in_base("git worktree add -q --detach '" + plain + "' HEAD; cd '" + plain + "'\n" +
                    script + "\ngit status --porcelain; git worktree remove --force .");
  world.inside("a", script);
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}) == git);
}

TEST_CASE("what git's index has of the checkout's files doesn't count for a frozen base") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const bool near = GENERATE(false, true);
  CAPTURE(backend, near);
  const World world;
  world.in_base(
      "git config core.autocrlf true; git config core.safecrlf false\n"
      "for f in a b c d e f g h; do printf '1\\n2\\n' > $f; done; git add -A; git commit -qm 1\n"
      "printf '1\\n2\\n3\\n' > b; git commit -qam 2; git update-index --assume-unchanged c");
  if (near) world.wafers_ok({"freeze", "HEAD~1"});
  world.add("a", backend, {"--frozen"});
  CHECK(world.listed("a")["base_layers"].size() == (near ? 2 : 1));
  check_status(world, "touch a b d");
  check_status(world, "printf '1\\n2\\n' > a; printf '1\\n2\\n3\\n' > b");

  const auto hook = world.base() / ".git/hooks/pre-commit";
  write_file(hook, "#!/bin/sh\ngit status --porcelain --untracked-files=no > seen\n");
  std::filesystem::permissions(hook, std::filesystem::perms::owner_all);
  world.inside("a",
               "echo mine > c; touch d; printf '1\\r\\n2\\r\\n' > a; "
               "printf '1\\r\\n2\\r\\n3\\r\\n' > b; echo new > new");
  world.wafers_ok({"git-commit", "a", "--verify", "-m", "new", "--", "new"});
  CHECK(world.inside("a", "cat seen") == " M c\nA  new\n");
}

TEST_CASE("there is no delta above a snapshot whose commit is gone") {
  const World world;
  world.in_base(kBase);
  world.in_base("git checkout -q -b gone; git commit -q --allow-empty -m gone");
  world.wafers_ok({"freeze"});
  world.in_base(
      "git checkout -q main; git branch -qD gone; git reflog expire --expire=now --all\n"
      "git prune --expire=now");
  world.add("a", any_backend(), {"--frozen"});
  CHECK(world.listed("a")["base_layers"].size() == 1);
  CHECK(world.inside("a", "cat f") == "1\n");
}

TEST_CASE("which ignored files are copied") {
  const World world;
  world.in_base(kBase);
  const auto frozen = [&](const std::string& size) {
    world.base().git({"config", "wafers.freezeIgnored", size});
    const RunResult result = world.wafers({"freeze", "--refresh", "--json"});
    REQUIRE(result.status == 0);
    const auto layers = nlohmann::json::parse(result.out)["base_layers"];
    const std::string files =
        run_ok({"sh", "-euc",
                "find . ! -type d -path '*/p/*' -o -name '*.o' -o -name .env | LC_ALL=C sort"},
               {.cwd = layers[0].get<std::string>(), .environment = {}, .input = {}});
    return std::pair(files, result.err);
  };
  const std::string all =
      "./.env\n./dir/x.o\n./ignored.o\n./node_modules/p/k\n./node_modules/p/k2\n";
  CHECK(frozen("all").first == all);
  CHECK(frozen("1g").first == all);
  CHECK(frozen("none").first.empty());
  const auto nothing = frozen("1k");
  CHECK(nothing.first.empty());
  CHECK_THAT(nothing.second, Contains("larger than wafers.freezeIgnored: none of them is copied"));
  world.in_base("echo .env > .worktreeinclude");
  const auto named = frozen("1k");
  CHECK(named.first == "./.env\n");
  CHECK_THAT(named.second, Contains("only what .worktreeinclude names is copied"));
  world.base().git({"config", "wafers.freezeIgnored", "much"});
  CHECK(world.wafers({"freeze", "--refresh"}).status == 2);
}

TEST_CASE("ignored files outside of a sparse checkout are copied, too") {
  const World world;
  world.in_base(
      "mkdir -p out/kept in; echo kept/ > out/.gitignore; echo k > out/kept/k; echo f > in/f\n"
      "git add -A; git commit -qm base; git sparse-checkout set --no-cone '/*' '!/out/'");
  CHECK(world.in_base("git status --porcelain --ignored out") == "!! out/kept/\n");
  const std::string marked = world.base().git({"ls-files", "-t", "out"});
  world.add("a", any_backend(), {"--frozen"});
  CHECK(world.inside("a", "cd out; cat .gitignore kept/k") == "kept/\nk\n");
  CHECK(world.base().git({"ls-files", "-t", "out"}) == marked);
}

TEST_CASE("wafers.base says which kind of base is the default") {
  const World world;
  world.base().git({"config", "wafers.base", "frozen"});
  world.add("a", any_backend());
  world.add("b", any_backend(), {"--live"});
  CHECK(world.listed("a")["base_kind"] == "frozen");
  CHECK(world.listed("b")["base_kind"] == "live");
  world.base().git({"config", "wafers.base", "warm"});
  CHECK_THAT(world.wafers({"add", "c"}).err, Contains("wafers.base is 'live' or 'frozen'"));
  check_refused(world, {{"add", "c", "--frozen", "--live"},
                        2,
                        "wafers: add: --frozen and --live exclude each other\n" + see_help("add")});
}

TEST_CASE("a frozen base needs no clean checkout, and a failed one leaves nothing") {
  const World world;
  world.in_base("echo edited >> README; echo new > new");
  const std::string before = world.base().git({"status", "--porcelain"});
  const auto add = [&](const char* name, const Words& more) {
    Words words{"add", name, "--backend", any_backend(), "--frozen"};
    words.insert(words.end(), more.begin(), more.end());
    return world.wafers(words).err;
  };
  CHECK_THAT(add("a", {}), Contains("wafers: left out, since it is not committed: README, new; "
                                    "--with-changes takes it along\n"));
  CHECK(world.wafers_ok({"git-status", "a", "--porcelain"}).empty());
  CHECK(world.base().git({"status", "--porcelain"}) == before);
  world.in_base("git add new; touch 2 3");
  CHECK(add("b", {}) ==
        "wafers: left out, since it is not committed: README, new, 2 and more; "
        "--with-changes takes it along\n");
  CHECK(add("c", {"--assume-clean"}).empty());
  CHECK(add("d", {"--with-changes"}).empty());
  world.in_base("git rm -q --cached new; rm new 2 3");
  world.wafers_ok({"rm", "--force", "--no-salvage", "--all"});
  world.wafers_ok({"prune"});
  world.base().git({"config", "filter.broken.smudge", "false"});
  world.base().git({"config", "filter.broken.required", "true"});
  world.in_base("git checkout -q .; echo 'README filter=broken' > .git/info/attributes");
  CHECK(world.wafers({"add", "b", "--frozen", "--backend", any_backend()}).status == 1);
  CHECK(world.json({"ls"})["wafers"].empty());
  CHECK(std::filesystem::is_empty(world.state() / ".bases"));
}

TEST_CASE("prune takes away what has expired, and no wafer that could be mounted") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo work > work");
  world.wafers_ok({"rm", "--force", "a"});
  const std::string refs = world.base().git({"for-each-ref", "refs/wafers"});
  REQUIRE(!refs.empty());
  world.add("kept", any_backend());
  world.wafers_ok({"umount", "kept"});
  CHECK(world.wafers_ok({"prune"}).empty());
  CHECK(world.base().git({"for-each-ref", "refs/wafers"}) == refs);
  world.base().git({"config", "wafers.salvageExpire", "now"});
  const auto planned = world.json({"prune", "--dry-run"});
  CHECK(planned["salvaged"].size() == 1);
  CHECK(planned["wafers"].empty());
  CHECK(world.base().git({"for-each-ref", "refs/wafers"}) == refs);
  CHECK_THAT(world.wafers_ok({"prune"}), Contains("Removed expired work refs/wafers/removed/a/"));
  CHECK(world.base().git({"for-each-ref", "refs/wafers"}).empty());
  CHECK(world.inside("kept", "cat README") == world.base().git({"show", "HEAD:README"}));
}

TEST_CASE("prune goes on while what rm took away is still being removed") {
  const World world;
  world.in_base("for i in $(seq 3000); do echo $i > f$i; done; git add -A; git commit -qm many");
  world.add("a", any_backend(), {"--base", "HEAD~1"});
  world.wafers_ok({"freeze"});
  world.wafers_ok({"rm", "a"});
  CHECK(world.json({"prune"})["layers"].size() == 1);
  CHECK(std::filesystem::is_empty(world.state() / ".bases"));
}

TEST_CASE("prune keeps repositories apart, also those whose work was kept under one name") {
  const World world;
  const GitRepo other = GitRepo::init(world / "other");
  other.write("README", "other\n");
  other.commit_all();
  world.add("here", any_backend());
  world.wafers_ok({"add", "there", "--from", other.path().native(), "--backend", any_backend()});
  const std::string expired = "refs/wafers/removed/a/20200101T000000Z";
  world.base().git({"update-ref", expired, "HEAD"});
  other.git({"update-ref", expired, "HEAD"});
  CHECK(world.json({"prune", "--dry-run"})["salvaged"] == Words{expired, expired});
  CHECK(world.json({"prune"})["salvaged"] == Words{expired, expired});
  CHECK(world.base().git({"for-each-ref", "refs/wafers"}).empty());
  CHECK(other.git({"for-each-ref", "refs/wafers"}).empty());
}

}  // namespace
}  // namespace wafers::test
