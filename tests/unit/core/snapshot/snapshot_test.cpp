#include "core/snapshot/snapshot.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "git/worktree/worktree_stat.h"
#include "hand_made_view.h"
#include "linux/writers.h"
#include "support/catch.h"
#include "support/next_tick.h"
#include "support/read_hook.h"
#include "support/run.h"
#include "support/small_stack.h"

namespace fs = std::filesystem;
using wafers::Snapshot;
using wafers::SnapshotInput;
using wafers::SnapshotPurpose;
using wafers::git::IndexEntry;
using wafers::git::IndexFile;
using wafers::git::Oid;
using wafers::test::HandMadeView;
using wafers::test::ReadHook;
using wafers::test::write_file;

namespace {

const char* const kFiles = "mkdir d; echo a > a; echo b > b; echo c > d/c";

bool contains(const std::vector<std::string>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

/// What the snapshot's tree has at `path`; the tree was made in memory, so its entries are asked.
const IndexEntry* entry_of(const Snapshot& snapshot, const std::string& path) {
  return snapshot.index.find(path);
}

Oid blob_of(const HandMadeView& view, const std::string& content) {
  const auto out = view.copy().git({"hash-object", "--stdin"}, {.input = content});
  return *Oid::from_hex(out.substr(0, 2 * Oid::kSize));
}

IndexEntry cached_entry(const HandMadeView& view, const std::string& path, const Oid& oid) {
  struct stat st {};
  REQUIRE(::lstat((view.upper() / path).c_str(), &st) == 0);
  IndexEntry entry;
  entry.path = path;
  entry.mode = wafers::git::FileMode::regular;
  entry.oid = oid;
  entry.stat = wafers::git::index_stat_of(st);
  return entry;
}

/// A cache written at `seconds` of the epoch that says of `path`, by its present stat data, that it
/// holds the blob `oid`: whether that is believed shows in the snapshot.
IndexFile cache_of(const HandMadeView& view, const std::string& path, const Oid& oid,
                   std::int64_t seconds) {
  IndexFile cache;
  cache.entries = {cached_entry(view, path, oid)};
  cache.mtime_seconds = seconds;
  return cache;
}

void set_mtime(const fs::path& path, std::int64_t seconds) {
  const struct timespec times[2] = {{.tv_sec = seconds, .tv_nsec = 0},
                                    {.tv_sec = seconds, .tv_nsec = 0}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), static_cast<const struct timespec*>(times),
                      AT_SYMLINK_NOFOLLOW) == 0);
}

std::int64_t mtime_of(const fs::path& path) {
  struct stat st {};
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st.st_mtim.tv_sec;
}

Snapshot with_cache(const HandMadeView& view, const IndexFile& cache) {
  return view.snapshot(SnapshotPurpose::commit,
                       [&](SnapshotInput& input) { input.cache = &cache; });
}

}  // namespace

TEST_CASE("a file whose stat data the cache knows is not read", "[snapshot]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  set_mtime(view.upper() / "a", 1'000'000'000);
  const Oid recorded = blob_of(view, "b\n");  // not what is in there: reading would tell
  const IndexFile cache = cache_of(view, "a", recorded, 2'000'000'000);
  CHECK(entry_of(with_cache(view, cache), "a")->oid == recorded);
}

TEST_CASE("a cached name counts only with its object", "[snapshot]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  view.write("new", "new\n");
  const Oid gone = blob_of(view, "in no repository\n");
  for (const auto& [path, content] : {std::pair("a", "changed\n"), std::pair("new", "new\n")}) {
    INFO(path);
    set_mtime(view.upper() / path, 1'000'000'000);
    const IndexFile cache = cache_of(view, path, gone, 2'000'000'000);
    CHECK(entry_of(with_cache(view, cache), path)->oid == blob_of(view, content));
    for (const SnapshotPurpose purpose : {SnapshotPurpose::status, SnapshotPurpose::diff}) {
      const Snapshot snapshot =
          view.snapshot(purpose, [&](SnapshotInput& input) { input.cache = &cache; });
      for (const auto& change : snapshot.changes) CHECK(change.change.new_oid != gone);
    }
  }
}

TEST_CASE("a file not older than the cache is read, whatever the cache says", "[snapshot]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  const Oid recorded = blob_of(view, "b\n");
  const Oid real = blob_of(view, "changed\n");
  const std::int64_t mtime = mtime_of(view.upper() / "a");

  struct stat st {};
  REQUIRE(::lstat((view.upper() / "a").c_str(), &st) == 0);
  IndexFile same_tick = cache_of(view, "a", recorded, mtime);
  same_tick.mtime_nanoseconds = st.st_mtim.tv_nsec;
  CHECK(entry_of(with_cache(view, same_tick), "a")->oid == real);
  CHECK(entry_of(with_cache(view, cache_of(view, "a", recorded, mtime - 1)), "a")->oid == real);

  same_tick.mtime_nanoseconds += 1;  // a nanosecond later the entry is proof
  CHECK(entry_of(with_cache(view, same_tick), "a")->oid == recorded);
}

TEST_CASE("any difference in stat data makes a file be read", "[snapshot]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  const Oid recorded = blob_of(view, "b\n");
  const Oid real = blob_of(view, "changed\n");
  using Field = std::uint32_t wafers::git::IndexStat::*;
  for (const Field field :
       {&wafers::git::IndexStat::size, &wafers::git::IndexStat::mtime_seconds,
        &wafers::git::IndexStat::mtime_nanoseconds, &wafers::git::IndexStat::ctime_seconds,
        &wafers::git::IndexStat::ctime_nanoseconds, &wafers::git::IndexStat::ino,
        &wafers::git::IndexStat::uid, &wafers::git::IndexStat::gid}) {
    IndexFile cache = cache_of(view, "a", recorded, 4'000'000'000);
    cache.entries.front().stat.*field += 1;
    CHECK(entry_of(with_cache(view, cache), "a")->oid == real);
  }
}

TEST_CASE("a cached symlink doesn't speak for a file", "[snapshot]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  IndexFile cache = cache_of(view, "a", blob_of(view, "b\n"), 4'000'000'000);
  cache.entries.front().mode = wafers::git::FileMode::symlink;
  CHECK(entry_of(with_cache(view, cache), "a")->oid == blob_of(view, "changed\n"));
}

TEST_CASE("stat data within the clock's resolution prove nothing and aren't kept", "[snapshot]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  set_mtime(view.upper() / "a", 4'000'000'000);  // the future is like the present tick
  CHECK(entry_of(view.snapshot(), "a")->stat == wafers::git::IndexStat{.size = 8});
}

TEST_CASE("stat data of another path's commit stay only where they are proof", "[snapshot]") {
  HandMadeView view(kFiles);
  view.write("a", "a\n");
  view.write("b", "changed\n");
  const std::int64_t mtime = mtime_of(view.upper() / "a");
  const auto only_b = [&](const IndexFile& cache) {
    const Snapshot snapshot = view.snapshot(SnapshotPurpose::commit, [&](SnapshotInput& input) {
      input.cache = &cache;
      input.paths = {"b"};
    });
    return entry_of(snapshot, "a")->stat;
  };
  const Oid as_in_tip = blob_of(view, "a\n");
  CHECK(only_b(cache_of(view, "a", as_in_tip, mtime + 1)).mtime_seconds == mtime);
  // The file may have been changed after the cache was written, in the same tick: the cache to be
  // written now would be younger and so hide that.
  CHECK(only_b(cache_of(view, "a", as_in_tip, mtime)) == wafers::git::IndexStat{.size = 2});
}

TEST_CASE("a change of the same size right after a commit is seen", "[snapshot]") {
  HandMadeView view(kFiles);
  for (int round = 0; round < 20; ++round) {
    view.write("a", std::to_string(round % 10) + "\n");
    view.commit();
    // Most rounds are within one tick of the file system's clock.
    view.write("a", std::to_string((round + 1) % 10) + "\n");
    CHECK(view.status() == " M a\n");
  }
}

TEST_CASE("a changed file is read once, whatever looks at it", "[snapshot][seen]") {
  HandMadeView view(kFiles);
  view.write("a", "changed\n");
  wafers::test::wait_for_next_tick();
  {
    const ReadHook reads(view.upper() / "a", 100, [] {});
    SECTION("a status") { CHECK(view.status() == " M a\n"); }
    SECTION("a diff") {
      wafers::DiffRequest request;
      request.range = wafers::DiffRange::tip_to_view;
      CHECK(contains({view.diff(request)}, "+changed"));
    }
    CHECK(reads.calls() > 0);
  }
  {
    const ReadHook reads(view.upper() / "a", 100, [] {});
    CHECK(view.status() == " M a\n");
    CHECK(wafers::uncommitted_work(view.wafer(), 10).lines.size() == 1);
    // But for a file system on which stat data tell nothing of a store into a mapping.
    CHECK((reads.calls() == 0) == !wafers::hides_stores(view.upper()));
  }
  // What was seen is not stored: a commit reads it.
  view.commit();
  CHECK(view.git_show("wafers/test:a") == "changed\n");
  view.write("a", "CHANGED\n");
  CHECK(view.status() == " M a\n");
}

TEST_CASE("a status reads no large file whose size tells that it changed", "[snapshot]") {
  constexpr std::size_t kSize = 100'000;
  constexpr std::size_t kHuge = 2'000'000;
  HandMadeView view(
      "head -c 100000 /dev/zero > a; cp a text; head -c 2000000 /dev/zero > huge;"
      "printf 'text text\\nhuge text\\n' > .gitattributes");
  for (const auto& [path, size, reads_it] :
       {std::tuple("a", kSize + 1, false), std::tuple("a", kSize, true),
        std::tuple("text", kSize + 1, true), std::tuple("huge", kHuge + 1, false),
        std::tuple("huge", kHuge, true)}) {
    INFO(path << ' ' << size);
    view.write(path, std::string(size, 'x'));
    const ReadHook reads(view.upper() / path, 1000, [] {});
    CHECK(contains({view.status()}, std::string(" M ") + path + "\n"));
    CHECK_FALSE(wafers::uncommitted_work(view.wafer(), 10).lines.empty());
    CHECK((reads.calls() > 0) == reads_it);
  }
  CHECK(view.status() == view.git_status());
  CHECK(view.snapshot().tree.hex() == view.git_commit());
}

TEST_CASE("of many changed files a status reads only those whose size doesn't tell", "[snapshot]") {
  HandMadeView view("for i in $(seq 100 250); do echo $i > f$i; done");
  for (int i = 100; i < 250; ++i) view.write("f" + std::to_string(i), "longer\n");
  const auto reads_last = [&](const std::string& content) {
    view.write("f250", content);
    const ReadHook reads(view.upper() / "f250", 100, [] {});
    CHECK(view.status() == view.git_status());
    return reads.calls() > 0;
  };
  CHECK_FALSE(reads_last("longer\n"));
  CHECK(reads_last("251\n"));
  CHECK(reads_last("250\n"));
  // A size of zero in an index of git's is none (its racy-git.txt).
  const fs::path index = view.base() / ".git/index";
  IndexFile smudged = IndexFile::read(index).value();
  for (auto& entry : smudged.entries) entry.stat.size = 0;
  smudged.write(index);
  CHECK(reads_last("250\n"));
  CHECK(view.snapshot().tree.hex() == view.git_commit());
}

TEST_CASE("of a marked file's local version a status takes no size for the commit's",
          "[snapshot]") {
  HandMadeView view("for i in $(seq 100 250); do echo $i > f$i; done");
  view.base().git({"update-index", "--assume-unchanged", "f250"});
  view.base().write("f250", "my own\n");
  for (int i = 100; i < 250; ++i) view.write("f" + std::to_string(i), "longer\n");
  view.write("f250", "my own\n");
  view.commit();
  for (int i = 100; i < 250; ++i) view.write("f" + std::to_string(i), "longer still\n");
  CHECK_FALSE(contains({view.status()}, "f250"));
  view.write("f250", "mine\n");
  CHECK(contains({view.status()}, " M f250\n"));
  view.write("f250", "250\n");
  CHECK_FALSE(contains({view.status()}, "f250"));
}

TEST_CASE("an unchanged file that was seen is not read by a commit", "[snapshot][seen]") {
  HandMadeView view(kFiles);
  view.write("a", "a\n");
  wafers::test::wait_for_next_tick();
  CHECK(view.status().empty());
  view.write("b", "changed\n");
  const ReadHook reads(view.upper() / "a", 100, [] {});
  view.commit();
  CHECK(reads.calls() == 0);
}

TEST_CASE("what was seen before attributes came is seen anew", "[snapshot][seen]") {
  HandMadeView view(kFiles);
  view.write("a", "x\r\n");
  wafers::test::wait_for_next_tick();
  view.status();
  view.write(".gitattributes", "* text\n");
  CHECK(view.status() == view.git_status());
  CHECK(view.commit().tree == view.git_commit());
}

TEST_CASE("the base is walked only where ignore rules may let go of something", "[snapshot]") {
  const std::string rules = "/d/.gitignore\n";
  HandMadeView view("mkdir d; echo c > d/c; echo x > d/.gitignore; printf '" + rules +
                    "' > .gitignore");
  const auto looked_into = [&](const std::string& now) {
    view.write(".gitignore", now);
    const ReadHook reads(view.base() / "d/.gitignore", 100, [] {});
    CHECK(view.status() == view.git_status());
    return reads.calls() > 0;
  };
  CHECK_FALSE(looked_into(rules + "*.log\n"));
  CHECK_FALSE(looked_into("# more\n*.log\n" + rules));
  CHECK(looked_into(rules + "!c\n"));
  CHECK(looked_into("*.log\n"));
}

TEST_CASE("a file that changes while it is read is read again", "[snapshot]") {
  HandMadeView view(kFiles);
  // The first is of the same size, so that only its times tell.
  for (const char* later : {"other\n", "longer than it was\n", "s\n", ""}) {
    for (const auto purpose : {SnapshotPurpose::commit, SnapshotPurpose::diff}) {
      view.write("a", "first\n");
      const ReadHook hook(view.upper() / "a", 1, [&] { write_file(view.upper() / "a", later); });
      const Snapshot snapshot = view.snapshot(purpose);
      INFO(later);
      CHECK(hook.calls() == 1);
      CHECK(snapshot.errors.empty());
      CHECK(snapshot.tree == view.snapshot(purpose).tree);
    }
    CHECK(entry_of(view.snapshot(), "a")->oid == blob_of(view, later));
  }
}

TEST_CASE("a file that is deleted while it is read", "[snapshot]") {
  HandMadeView view(kFiles);
  view.write("n", "new\n");
  const ReadHook hook(view.upper() / "n", 1, [&] { view.remove("n"); });
  const Snapshot snapshot = view.snapshot();
  CHECK(hook.calls() == 1);
  CHECK(snapshot.errors.empty());
  CHECK(view.snapshot().changes.empty());
}

TEST_CASE("a file that keeps changing is refused", "[snapshot]") {
  HandMadeView view(kFiles);
  view.write("a", "0\n");
  std::size_t count = 0;
  const ReadHook hook(view.upper() / "a", INT_MAX,
                      [&] { write_file(view.upper() / "a", std::string(++count, 'x')); });
  const Snapshot snapshot = view.snapshot();
  CHECK(contains(snapshot.errors, "'a' keeps changing while it is read"));
  CHECK(hook.calls() > 1);
  CHECK(snapshot.tree.hex() == view.base().head_tree());
}

namespace {

/// A clean filter of the file "a" runs `script` in the upper: it comes after the directory was
/// listed, and before the names behind "a" are looked at.
Snapshot snapshot_while(HandMadeView& view, const std::string& script) {
  view.configure("filter.hook.clean",
                 "cd '" + view.upper().native() + "' && { " + script + "; } && cat");
  view.write(".gitattributes", "a filter=hook\n");
  view.write("a", "changed\n");
  return view.snapshot();
}

}  // namespace

TEST_CASE("names that become something else between listing and reading", "[snapshot]") {
  HandMadeView view(kFiles);
  view.write("b", "changed\n");
  view.write("d/c", "changed\n");
  view.write("n", "new\n");

  SECTION("a file is replaced by another") {
    const Snapshot snapshot = snapshot_while(view, "rm b; echo later > b");
    CHECK(entry_of(snapshot, "b")->oid == blob_of(view, "later\n"));
    CHECK(snapshot.errors.empty());
  }
  SECTION("a file is replaced by a fifo, which is not waited for") {
    const Snapshot snapshot = snapshot_while(view, "rm b; mkfifo b");
    CHECK(contains(snapshot.errors, "'b': can only add regular files, symbolic links"));
  }
  SECTION("a new file is replaced by a fifo") {
    const Snapshot snapshot = snapshot_while(view, "rm n; mkfifo n");
    CHECK(snapshot.errors.empty());
    CHECK(entry_of(snapshot, "n") == nullptr);
  }
  SECTION("a file is replaced by a symlink, which is not followed") {
    const Snapshot snapshot = snapshot_while(view, "rm b; ln -s /etc/passwd b");
    CHECK(entry_of(snapshot, "b")->oid == blob_of(view, "/etc/passwd"));
    CHECK(entry_of(snapshot, "b")->mode == wafers::git::FileMode::symlink);
  }
  SECTION("a file is replaced by a directory") {
    const Snapshot snapshot = snapshot_while(view, "rm b; mkdir b; echo x > b/x");
    CHECK(entry_of(snapshot, "b/x")->oid == blob_of(view, "x\n"));
    CHECK(entry_of(snapshot, "b") == nullptr);
  }
  SECTION("a copied-up file vanishes: the base's shows again") {
    const Snapshot snapshot = snapshot_while(view, "rm b");
    CHECK(entry_of(snapshot, "b")->oid == blob_of(view, "b\n"));
  }
  SECTION("a new file vanishes") {
    const Snapshot snapshot = snapshot_while(view, "rm n");
    CHECK(entry_of(snapshot, "n") == nullptr);
    CHECK(snapshot.errors.empty());
  }
  SECTION("a directory is replaced by a symlink, which is not followed") {
    const Snapshot snapshot = snapshot_while(view, "rm -r d; ln -s /etc d");
    CHECK(entry_of(snapshot, "d")->mode == wafers::git::FileMode::symlink);
    CHECK(entry_of(snapshot, "d/c") == nullptr);
  }
  SECTION("a directory is replaced by a file") {
    const Snapshot snapshot = snapshot_while(view, "rm -r d; echo x > d");
    CHECK(entry_of(snapshot, "d")->oid == blob_of(view, "x\n"));
  }
  SECTION("a directory vanishes: the base's shows again") {
    const Snapshot snapshot = snapshot_while(view, "rm -r d");
    CHECK(entry_of(snapshot, "d/c")->oid == blob_of(view, "c\n"));
    CHECK(snapshot.errors.empty());
  }
}

TEST_CASE("what can't be read is an error and shows as changed", "[snapshot]") {
  if (::geteuid() == 0) return;  // root reads everything
  HandMadeView view(kFiles);
  SECTION("a tracked file") {
    view.run_in_copy("echo changed > a; chmod 0 a", {});
    view.write("b", "changed\n");
    write_file(view.upper() / "a", "changed\n");
    fs::permissions(view.upper() / "a", fs::perms::none);
    CHECK(view.status() == view.git_status());
    CHECK_FALSE(view.copy().try_git({"add", "-A"}).ok());
    const Snapshot snapshot = view.snapshot();
    CHECK(contains(snapshot.errors, "'a' in the upper: Permission denied"));
    CHECK_THROWS_AS(view.commit(), wafers::Error);
  }
  SECTION("an untracked file") {
    view.run_in_copy("echo n > n; chmod 0 n", {});
    write_file(view.upper() / "n", "n\n");
    fs::permissions(view.upper() / "n", fs::perms::none);
    CHECK(view.status() == view.git_status());
    CHECK_FALSE(view.copy().try_git({"add", "-A"}).ok());
    CHECK_THROWS_AS(view.commit(), wafers::Error);
    CHECK(wafers::uncommitted_work(view.wafer(), 10).lines == std::vector<std::string>{"?? n"});
  }
  SECTION("a directory, of which git only warns") {
    view.write("d/n", "n\n");
    fs::permissions(view.upper() / "d", fs::perms::none);
    CHECK(view.snapshot().errors.empty());
    CHECK(contains(view.snapshot().unreadable, "could not open directory 'd/'"));
    CHECK(contains(view.snapshot().unreadable, "Permission denied"));
    CHECK_FALSE(wafers::uncommitted_work(view.wafer(), 10).lines.empty());
    CHECK_THROWS_AS(view.commit(), wafers::Error);
    fs::permissions(view.upper() / "d", fs::perms::owner_all);
  }
}

void raise_limit(__rlimit_resource resource, rlim_t wanted) {
  rlimit limit{};
  REQUIRE(::getrlimit(resource, &limit) == 0);
  limit.rlim_cur = std::min(limit.rlim_max, wanted);
  REQUIRE(::setrlimit(resource, &limit) == 0);
}

/// Git opens a directory for each level, and has no more descriptors than this process.
void let_git_go_deep() {
  raise_limit(RLIMIT_NOFILE, RLIM_INFINITY);
#ifdef __SANITIZE_ADDRESS__  // which makes each frame several times as large
  raise_limit(RLIMIT_STACK, 64UL * 1024 * 1024);
#endif
}

TEST_CASE("paths longer than the kernel's limit are left alone, as git leaves them", "[snapshot]") {
  let_git_go_deep();
  HandMadeView view(kFiles);
  constexpr int kLevels = 5000;
  for (const fs::path& top : {view.upper(), view.copy().path()}) {
    wafers::UniqueFd here(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int level = 0; level < kLevels; ++level) {
      if (level % 1000 == 0) {
        const wafers::UniqueFd file(
            ::openat(here.get(), "f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        REQUIRE(file);
      }
      REQUIRE(::mkdirat(here.get(), "n", 0755) == 0);
      here = wafers::UniqueFd(::openat(here.get(), "n", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      REQUIRE(here);
    }
  }
  const Snapshot snapshot = view.snapshot();
  CHECK(contains(snapshot.warnings, "could not open directory"));
  CHECK(snapshot.tree.hex() == view.git_commit());
  CHECK(entry_of(snapshot, "f") != nullptr);
}

TEST_CASE("a deep tree of the base is walked without a deep stack", "[snapshot]") {
  let_git_go_deep();
  // 1500 levels: well below PATH_MAX, and git itself can check it out.
  HandMadeView view("d=$(printf 'n/%.0s' $(seq 1500)); mkdir -p $d; echo 1 > ${d}f");
  std::string deep;
  for (int level = 0; level < 1500; ++level) deep += "n/";
  view.write(deep + "g", "2\n");
  wafers::git::Oid tree;
  wafers::test::on_small_stack([&] { tree = view.snapshot().tree; });
  CHECK(tree.hex() == view.git_commit());
}

TEST_CASE("odd names are told as git tells them", "[snapshot]") {
  HandMadeView view("echo 1 > 'a b'; echo 2 > \"$(printf 'new\\nline')\"");
  view.write("a b", "changed\n");
  view.write("new\nline", "changed\n");
  view.write("latin\344", "1\n");
  view.write("\"quoted\"", "2\n");
  view.write(std::string(255, 'x'), "3\n");
  view.write("\001\177", "4\n");
  view.make_symlink("link\t", "to\nwhere");
  CHECK(view.status() == view.git_status());
  CHECK(view.snapshot().tree.hex() == view.git_commit());
}

TEST_CASE("names that differ in letter case are different, whatever core.ignoreCase says",
          "[snapshot]") {
  // On a file system that tells them apart git would take the new file for the old one, and delete
  // it: git-config(1) allows the setting only where the file system has it so.
  HandMadeView view(kFiles);
  view.configure("core.ignoreCase", "true");
  view.remove("a");
  view.write("A", "a\n");
  view.write("D/c", "not the same directory\n");
  CHECK(view.status() == " D a\n?? A\n?? D/\n");
  const auto commit = view.commit();
  CHECK(view.base().git({"ls-tree", "-r", "--name-only", commit.tree}) == "A\nD/c\nb\nd/c\n");
}

TEST_CASE("removed, replaced and opaque directories", "[snapshot]") {
  HandMadeView view("mkdir -p d/e f; echo 1 > d/1; echo 2 > d/e/2; echo 3 > f/3; echo 4 > g");
  SECTION("removed") { view.remove("d"); }
  SECTION("removed in part") { view.remove("d/e"); }
  SECTION("a directory for a file") {
    view.remove("g");
    view.write("g/h", "new\n");
  }
  SECTION("a file for a directory") {
    view.remove("d");
    view.write("d", "new\n");
  }
  SECTION("a symlink for a directory") {
    fs::remove_all(view.copy() / "d");
    view.make_symlink("d", "f");
  }
  SECTION("an empty directory") { view.make_directory("empty/deep"); }
  SECTION("executable") { view.make_executable("g"); }
  CHECK(view.status() == view.git_status());
  CHECK(view.snapshot().tree.hex() == view.git_commit());
}
