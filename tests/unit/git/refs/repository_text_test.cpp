#include "git/refs/repository_text.h"

#include <map>
#include <string>

#include "git/refs/head.h"
#include "git/refs/ref_files.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace wafers::git {
namespace {

using test::GitRepo;
using test::TempDir;

const std::string kName = "0123456789abcdef0123456789abcdef01234567";

TEST_CASE("a ref is symbolic, an object name, or malformed") {
  CHECK(parse_ref("ref: refs/heads/a\n")->target == "refs/heads/a");
  CHECK(parse_ref("ref:refs/heads/a")->target == "refs/heads/a");
  CHECK(parse_ref(kName)->oid.hex() == kName);
  CHECK(parse_ref(kName + " and more\n")->oid.hex() == kName);
  for (const std::string content :
       {"", "ref: ", "ref: elsewhere", "ref: refs/../../outside", "0123", "no ref"}) {
    CAPTURE(content);
    CHECK_FALSE(parse_ref(content));
  }
  CHECK_FALSE(parse_ref(kName + "0"));
  CHECK_FALSE(parse_ref("g" + kName.substr(1)));
}

TEST_CASE("HEAD is read as git reads it, blanks and NUL bytes included") {
  using namespace std::string_literals;
  const TempDir temp;
  const GitRepo repo = GitRepo::init(temp / "r");
  repo.write("f", "1");
  repo.commit_all();
  const std::string main = "refs/heads/main";
  for (const std::string& content :
       {"ref: " + main + "\n", "ref:\t\r\n " + main + " \t\n"s, "ref: " + main + "\0\n"s,
        "ref: " + main + "\0 x\n"s, "ref: " + main + "\n\0"s, "ref: " + main + "\n\0\n"s,
        "ref: " + main + " \0"s, "ref: " + main + "\v\n"s, "ref: \v" + main,
        "ref: refs/heads/ma in\n"s, "ref: refs/heads/\x7F\n"s, "\n"s, "\0"s, "ref:\0 " + main}) {
    CAPTURE(content);
    repo.write(".git/HEAD", content);
    const bool read = repo.try_git({"rev-parse", "-q", "--verify", "HEAD^{commit}"}).ok();
    const auto ours = parse_ref(content);
    CHECK((ours && ours->target == main) == read);
  }
}

TEST_CASE("a HEAD makes a repository also where wafers can't serve it") {
  CHECK(is_head("ref: refs/heads/unborn\n"));
  CHECK(is_head(kName + "\n"));
  CHECK(is_head(std::string(64, 'a') + "\n"));  // SHA-256
  CHECK(is_head("ref: refs/heads/no name\n"));
  CHECK_FALSE(is_head(std::string(39, 'a')));
  CHECK_FALSE(is_head("ref: HEAD"));
  CHECK_FALSE(is_head(""));
}

TEST_CASE("a packed ref is one of exactly that name") {
  const std::string other(40, 'b');
  const std::string packed = "# pack-refs with: peeled fully-peeled sorted \n" + other +
                             " refs/heads/ab\n" + kName + " refs/heads/a\n^" + other +
                             "\nx refs/heads/short\n";
  CHECK(find_packed_ref(packed, "refs/heads/a")->hex() == kName);
  CHECK(find_packed_ref(packed, "refs/heads/ab")->hex() == other);
  for (const char* const name : {"refs/heads/b", "heads/a", "refs/heads/short", ""}) {
    CAPTURE(name);
    CHECK_FALSE(find_packed_ref(packed, name));
  }
}

TEST_CASE("a path in a file ends where its line ends do") {
  CHECK(path_in("../..\r\n\n") == "../..");
  CHECK(path_in("with a blank \n") == "with a blank ");
  CHECK(git_file_target("gitdir: ../a \n") == "../a ");
  CHECK_FALSE(git_file_target("gitdir:../a"));
  CHECK_FALSE(git_file_target(""));
}

TEST_CASE("symbolic refs are followed as far as git follows them") {
  const TempDir temp;
  const GitRepo git = GitRepo::init(temp / "base");
  git.write("file", "1");
  const std::string commit = git.commit_all();
  const RefFiles refs(git / ".git", git / ".git", RefFiles::Logging::never, {});
  std::string target = "refs/heads/main";
  for (int links = 1; links <= 7; ++links) {
    const std::string name = "refs/heads/link" + std::to_string(links);
    // `git symbolic-ref` itself follows what it is to write.
    test::write_file(git / (".git/" + name), "ref: " + target + "\n");
    target = name;
    CAPTURE(name);
    const auto asked = test::run({"git", "-C", git.path(), "rev-parse", "-q", "--verify", name});
    const bool is_found = asked.status == 0;
    CHECK(is_found == (links <= 4));
    test::write_file(git / ".git/HEAD", "ref: " + target + "\n");
    const auto head = read_base_files(git.path()).head;
    BaseFilesCache cache;
    CHECK(cache.branch_of(git.path(), name.substr(11)).has_value() == is_found);
    if (is_found) {
      CHECK(refs.resolve(name)->hex() == commit);
    } else {
      CHECK_THROWS(refs.resolve(name));
    }
    CHECK(head.has_value() == (links <= 3));  // HEAD is one more
  }
}

}  // namespace
}  // namespace wafers::git
