// Pairs of trees in which wafers once found other changes than git, and pairs made at random.

#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"
#include "tree_pairs.h"

namespace fs = std::filesystem;
using wafers::test::counts;
using wafers::test::counts_by_git;
using wafers::test::GitRepo;
using wafers::test::names;
using wafers::test::names_by_git;
using wafers::test::TempDir;

namespace {

/// Both ways, whatever renames are looked for.
void compare(const GitRepo& git, const std::string& one, const std::string& other) {
  for (const auto& [before, after] : {std::pair(one, other), std::pair(other, one)}) {
    CHECK(counts(git, before, after) == counts_by_git(git, before, after));
    for (const char* renames : {"true", "false", "copies"}) {
      for (const char* limit : {"1000", "0", "1", "2", "4"}) {
        INFO("diff.renames " << renames << ", diff.renameLimit " << limit);
        git.git({"config", "diff.renames", renames});
        git.git({"config", "diff.renameLimit", limit});
        CHECK(names(git, before, after) == names_by_git(git, before, after));
      }
    }
    git.git({"config", "--unset", "diff.renameLimit"});
  }
}

/// What a file holds before and after; absent where it isn't there.
struct Change {
  std::string path;
  std::optional<std::string> before, after;
};

void compare(const std::vector<Change>& changes) {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const auto tree_of = [&](std::optional<std::string> Change::*side) {
    for (const Change& change : changes) {
      fs::remove(git / change.path);
      if (change.*side) git.write(change.path, *(change.*side));
    }
    git.commit_all();
    return git.head_tree();
  };
  const std::string before = tree_of(&Change::before);
  compare(git, before, tree_of(&Change::after));
}

std::string numbered(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

}  // namespace

TEST_CASE("binary files", "[diff]") {
  std::mt19937 random(1);
  const auto noise = [&](std::size_t size) {
    std::string text(size, '\0');
    for (char& byte : text) byte = static_cast<char>(random());
    return text + '\0';
  };
  const std::string large = noise(5000);
  std::string changed = large;
  changed[2500] = static_cast<char>(~changed[2500]);
  compare({{"delta", large, changed},
           {"literal", noise(300), noise(200)},
           {"new", std::nullopt, noise(51)},
           {"emptied", noise(52), ""},
           {"zeros", std::string(70000, '\0'), std::string(80000, '\0')},
           {"moved in part", large, changed + large},
           {"tiny", std::string(1, '\0'), std::string(2, '\0')}});
}

TEST_CASE("files that moved unchanged are told in the order of their new names", "[diff]") {
  compare({{"z/gone", numbered(0, 30), std::nullopt},
           {"b", numbered(50, 60), numbered(50, 61)},
           {"a/new", std::nullopt, numbered(0, 30)},
           {"a/gone", numbered(100, 130), std::nullopt},
           {"z/new", std::nullopt, numbered(100, 131)},
           {"empty", "", std::nullopt},
           {"m", std::nullopt, ""}});
}

TEST_CASE("how similar files without a last line feed are", "[diff]") {
  const std::string last = "the same in both, and long, and without a line feed";
  compare({{"old", numbered(0, 20) + last, std::nullopt},
           {"new", std::nullopt, numbered(0, 15) + last},
           {"short", "only this", std::nullopt},
           {"moved", std::nullopt, "only this"}});
}

TEST_CASE("symlinks and submodules are moved as they are, or not at all", "[diff]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  const std::string commit = git.commit_all();
  const auto link = [&](const std::string& path, const std::string& target) {
    fs::create_directories((git / path).parent_path());
    fs::create_symlink(target, git / path);
  };
  const auto submodule = [&](const std::string& path) {
    git.git({"update-index", "--add", "--cacheinfo", "160000," + commit + "," + path});
  };
  link("link", "some target that is not short");
  link("changed link", "some target that is not short at all");
  link("links/same text", "shared content");
  link("a/one", "one of several");
  git.write("file", "shared content two");
  git.write("mode", numbered(0, 20));
  git.git({"add", "-A"});
  submodule("sub");
  const std::string before = git.git_line({"write-tree"});
  for (const char* gone : {"link", "changed link", "links/same text", "a/one", "file", "mode"}) {
    fs::remove(git / gone);
  }
  link("moved/link", "some target that is not short");
  link("moved/changed link", "some target that is not short, changed");
  git.write("same text", "shared content");
  link("b/one", "one of several");
  link("c/one", "one of several");
  link("link to file", "shared content two");
  git.write("mode moved", numbered(0, 20));
  fs::permissions(git / "mode moved", fs::perms::owner_all);
  git.git({"rm", "-q", "--cached", "sub"});
  git.git({"add", "-A"});
  submodule("moved/sub");
  compare(git, before, git.git_line({"write-tree"}));
}

TEST_CASE("which of several files is taken for the one that was renamed", "[diff]") {
  compare({{"x/same.c", numbered(0, 40), std::nullopt},
           {"y/same.c", numbered(0, 41), std::nullopt},
           {"z/same.c", std::nullopt, numbered(0, 42)},
           {"w/other.c", std::nullopt, numbered(0, 40)}});
  // The last name alone decides where it is the only one and three quarters are the same.
  compare({{"old/name.c", numbered(0, 40), std::nullopt},
           {"old/other", numbered(2, 41), std::nullopt},
           {"new/name.c", std::nullopt, numbered(0, 33) + numbered(100, 108)},
           {"new/more", std::nullopt, numbered(0, 38)}});
  compare({{"old/name.c", numbered(0, 40), std::nullopt},
           {"old/other", numbered(2, 41), std::nullopt},
           {"new/name.c", std::nullopt, numbered(0, 25) + numbered(100, 116)},
           {"new/more", std::nullopt, numbered(0, 38)}});
  // One that stays, and copies of it.
  compare({{"stays", numbered(0, 30), numbered(0, 31)},
           {"copy 1", std::nullopt, numbered(0, 30)},
           {"copy 2", std::nullopt, numbered(0, 29)},
           {"gone", numbered(50, 80), std::nullopt},
           {"copy 3", std::nullopt, numbered(50, 80)},
           {"copy 4", std::nullopt, numbered(50, 79)}});
  compare({{"empty 1", "", std::nullopt},
           {"empty 2", std::nullopt, ""},
           {"d/empty 1", std::nullopt, ""},
           {"tiny", "a\n", std::nullopt},
           {"tinier", std::nullopt, "a"}});
}

TEST_CASE("random renames", "[diff]") {
  std::mt19937 random(5);
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  const auto name = [&] {
    return std::string(1, static_cast<char>('a' + below(3))) + "/" +
           std::string(1, static_cast<char>('a' + below(12)));
  };
  const auto content = [&] {
    const int from = static_cast<int>(below(4)) * 20 + static_cast<int>(below(6));
    return numbered(from, from + 20) + (below(3) == 0 ? "end\n" : "");
  };
  for (int round = 0; round < 8; ++round) {
    std::map<std::string, Change> changes;
    for (unsigned i = 4 + below(12); i > 0; --i) {
      const std::string old_name = name();
      const std::string new_name = name();
      const std::string text = content();
      changes.try_emplace(old_name, Change{old_name, text, std::nullopt});
      if (below(4) == 0) changes.at(old_name).after = content();
      const auto [at, added] =
          changes.try_emplace(new_name, Change{new_name, std::nullopt, std::nullopt});
      if (added) at->second.after = below(2) == 0 ? text : content();
    }
    std::vector<Change> all;
    for (const auto& entry : changes) all.push_back(entry.second);
    compare(all);
  }
}

TEST_CASE("random changes to text", "[diff]") {
  std::mt19937 random(20);
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  const std::vector<std::string> words = {"int", "f(x)", "{", "}", "return", " ", "\t", "ö", "//"};
  const auto line = [&] {
    std::string text = std::vector<std::string>{"", "  ", "\t", " \t"}[below(4)];
    for (unsigned i = below(6); i > 0; --i) text += words[below(9)] + " ";
    return below(4) == 0 ? text : text.substr(0, text.find_last_not_of(' ') + 1);
  };
  const auto joined = [&](const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& each : lines) text += each + "\n";
    if (!text.empty() && below(8) == 0) text.pop_back();
    return text;
  };
  std::vector<Change> changes;
  for (int file = 0; file < 60; ++file) {
    std::vector<std::string> lines;
    for (unsigned i = below(60); i > 0; --i) lines.push_back(line());
    const std::string before = joined(lines);
    for (unsigned i = below(6); i > 0; --i) {
      const auto at = lines.begin() + below(static_cast<unsigned>(lines.size() + 1));
      if (below(2) == 0 || at == lines.end()) {
        lines.insert(at, line());
      } else {
        lines.erase(at);
      }
    }
    changes.push_back({"dir" + std::to_string(file % 7) + "/" + std::to_string(file) + ".c", before,
                       joined(lines)});
  }
  compare(changes);
}
