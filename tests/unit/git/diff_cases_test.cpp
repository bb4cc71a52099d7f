// Pairs of trees that wafers once printed otherwise than git, and pairs made at random.

#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "git/diff.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace fs = std::filesystem;
using wafers::git::DiffFormat;
using wafers::git::DiffOptions;
using wafers::git::Oid;
using wafers::git::Repository;
using wafers::git::Writes;
using wafers::test::GitRepo;
using wafers::test::TempDir;

namespace {

std::string ours(const GitRepo& git, const std::string& before, const std::string& after,
                 const DiffOptions& options) {
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_memory);
  std::string text;
  write_diff(repository, *objects, *Oid::from_hex(before), *Oid::from_hex(after), options,
             [&](std::string_view piece) { text += piece; });
  return text;
}

/// Both ways, in all formats.
void compare(const GitRepo& git, const std::string& one, const std::string& other) {
  const auto style = [](DiffFormat format, bool colour, int width) {
    DiffOptions options;
    options.format = format;
    options.colour = colour;
    options.stat_width = width;
    return options;
  };
  const std::pair<DiffOptions, std::vector<std::string>> styles[] = {
      {style(DiffFormat::patch, false, 80), {"--binary"}},
      {style(DiffFormat::patch, true, 80), {"--binary", "--color"}},
      {style(DiffFormat::stat, false, 80), {"--stat=80"}},
      {style(DiffFormat::stat, true, 50), {"--stat=50", "--color"}},
      {style(DiffFormat::name_status, false, 80), {"--name-status"}},
  };
  for (const auto& [before, after] : {std::pair(one, other), std::pair(other, one)}) {
    for (const auto& [options, arguments] : styles) {
      std::vector<std::string> command{"diff"};
      command.insert(command.end(), arguments.begin(), arguments.end());
      command.insert(command.end(), {before, after, "--"});
      CHECK(ours(git, before, after, options) == git.git(command));
    }
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

TEST_CASE("a function's name that is cut at a blank", "[diff]") {
  for (const std::size_t length : {76U, 78U, 79U, 80U, 81U}) {
    const std::string function = "void f(" + std::string(length - 7, 'x') + " and more)\n";
    compare({{"a.c", function + numbered(0, 20), function + numbered(0, 19)}});
    compare({{"a.c", "void f() \t \n" + numbered(0, 20), "void f() \t \n" + numbered(0, 19)}});
  }
}

TEST_CASE("blank lines that are new at a file's end", "[diff]") {
  compare({{"a", "1\n2\n", "1\n2\n\n"},
           {"b", "1\n\n", "1\n\n\n \n"},
           {"c", "1\n", "\n1\n"},
           {"d", "1\n", "1\n\n2\n\n"},
           {"e", std::nullopt, "\n"},
           {"f", std::nullopt, "1\n\n\t\n"},
           {"g", "1\n", "1\n  "},
           {"h", "", "\n\n"},
           {"i", numbered(0, 30), "x\n\n" + numbered(0, 30) + "\n\n"},
           {"j", "1\r\n", "1\r\n\r\n"}});
}

TEST_CASE("binary files as literals and deltas", "[diff]") {
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

TEST_CASE("the columns of a stat with names of all widths", "[diff]") {
  const TempDir top;
  const GitRepo git = GitRepo::init(top / "base");
  git.git({"config", "core.quotePath", "false"});
  const std::string empty = (git.commit_all(), git.head_tree());
  const std::string wide = "日本語の長い名前のファイル";
  for (const std::string& name :
       {std::string("ascii"), std::string("ümläut"), wide + "x", wide + "/" + wide + "/" + wide,
        std::string("a\u0301 combined"), std::string("emoji \U0001F600\U0001F680"),
        std::string("half ｱ and full Ａ"), std::string("한국어"), std::string("zero\u200Bwidth"),
        std::string("latin \344 ") + wide}) {
    git.write(name, numbered(0, 40));
  }
  git.commit_all();
  // Wide enough for whole names: git 2.39 cuts longer ones in the midst of a character.
  for (const int width : {160, 201}) {
    DiffOptions options;
    options.format = DiffFormat::stat;
    options.stat_width = width;
    CHECK(ours(git, empty, git.head_tree(), options) ==
          git.git({"diff", "--stat=" + std::to_string(width), empty, git.head_tree()}));
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
