#include "git/lines/line_counts.h"

#include <fcntl.h>

#include <cstddef>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "git/diff/diff.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

using wafers::git::count_diff;
using wafers::git::count_without_search;
using wafers::git::Oid;
using wafers::git::Repository;
using wafers::git::Writes;
using wafers::test::GitRepo;
using wafers::test::TempDir;

namespace {

/// A few lines of a small alphabet, so that many are equal; perhaps without a newline at the end.
std::string random_text(std::mt19937& random) {
  std::string text;
  for (auto lines = random() % 12; lines > 0; --lines) {
    text += std::string(random() % 3, static_cast<char>('a' + random() % 3)) + "\n";
  }
  if (!text.empty() && random() % 3 == 0) text.pop_back();
  return text;
}

/// The same text with a run of its lines replaced.
std::string edited(const std::string& text, std::mt19937& random) {
  const std::size_t from = text.empty() ? 0 : random() % text.size();
  const std::size_t size = random() % 5;
  const std::string by = random() % 2 == 0 ? "" : random_text(random);
  return text.substr(0, from) + by + (from + size < text.size() ? text.substr(from + size) : "");
}

std::string name_of(std::size_t number) { return "f" + std::to_string(number); }

Oid tree_of(const GitRepo& git, const std::string& revision) {
  return *Oid::from_hex(git.git_line({"rev-parse", revision + "^{tree}"}));
}

}  // namespace

TEST_CASE("lines that are counted without a search are those of git", "[line_counts]") {
  constexpr std::size_t kCount = 2000;
  const TempDir directory;
  const GitRepo git = GitRepo::init(directory.path());
  std::mt19937 random(7);  // the same texts in every run
  std::vector<std::string> before, after;
  for (std::size_t i = 0; i < kCount; ++i) {
    before.push_back(random_text(random));
    after.push_back(i % 2 == 0 ? random_text(random) : edited(before[i], random));
    git.write(name_of(i), before[i]);
  }
  git.commit_all("before");
  for (std::size_t i = 0; i < kCount; ++i) git.write(name_of(i), after[i]);
  git.commit_all("after");

  std::istringstream numbers(git.git({"diff", "--numstat", "--no-renames", "HEAD~1", "HEAD"}));
  std::size_t counted = 0;
  std::size_t left_alone = 0;
  std::size_t added = 0;
  std::size_t removed = 0;
  std::string name;
  while (numbers >> added >> removed >> name) {
    const std::size_t at = std::stoul(name.substr(1));
    INFO("before: " << before.at(at) << "\nafter: " << after.at(at));
    const auto counts = count_without_search(before.at(at), after.at(at));
    if (!counts) {
      ++left_alone;
      continue;
    }
    ++counted;
    CHECK(counts->added == added);
    CHECK(counts->removed == removed);
  }
  CHECK(counted > kCount / 4);
  CHECK(left_alone > kCount / 20);
}

TEST_CASE("common lines are taken away whole", "[line_counts]") {
  const auto counts = [](const char* before, const char* after) {
    const auto found = count_without_search(before, after);
    return found ? std::to_string(found->added) + "+" + std::to_string(found->removed) + "-"
                 : "search";
  };
  CHECK(counts("", "") == "0+0-");
  CHECK(counts("", "a\nb") == "2+0-");
  CHECK(counts("a\n", "a\nb\n") == "1+0-");
  CHECK(counts("a", "a\n") == "1+1-");
  CHECK(counts("a\nb\n", "a\nb") == "1+1-");
  CHECK(counts("xa\nb\n", "ya\nb\n") == "1+1-");
  CHECK(counts("ax\n", "ay\n") == "1+1-");
  CHECK(counts("a\na\n", "a\n") == "0+1-");
  CHECK(counts("a\nb\nc\n", "a\nx\ny\nc\n") == "2+1-");
  CHECK(counts("1\nb\n2\n", "3\nb\n4\n") == "search");
}

TEST_CASE("many files are counted as git counts them", "[line_counts]") {
  constexpr std::size_t kCount = 500;
  const TempDir directory;
  const GitRepo git = GitRepo::init(directory.path());
  git.git({"config", "diff.hex.binary", "true"});
  git.write(".gitattributes",
            "*.bin diff=hex\n*.asm diff=cpp\n*.raw -diff\n*.txt diff\nf3 binary\n");
  const std::vector<std::string> suffixes{"", ".bin", ".asm", ".raw", ".txt"};
  const auto write = [&](std::size_t number, const std::string& end) {
    const std::string nul(number % 7 == 0 ? 1 : 0, '\0');
    git.write(name_of(number) + suffixes[number % suffixes.size()],
              "start\n" + std::to_string(number) + nul + "\n" + end);
  };
  for (std::size_t i = 0; i < kCount; ++i) write(i, "b\nc\nd\n");
  git.git({"add", "-A"});
  git.commit_all("before");
  for (std::size_t i = 0; i < kCount; ++i) write(i, i % 3 == 0 ? "x\nc\ny\n" : "b\nc\nd\ne\n");
  git.commit_all("after");

  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_memory);
  const auto counts =
      count_diff(repository, *objects, tree_of(git, "HEAD~1"), tree_of(git, "HEAD"));
  CHECK(counts.summary() + "\n" == git.git({"diff", "--shortstat", "HEAD~1", "HEAD"}));
}

TEST_CASE("what was compared when it was written isn't read again", "[line_counts]") {
  constexpr std::size_t kCount = 150;  // enough for a pack
  const TempDir directory;
  const GitRepo git = GitRepo::init(directory.path());
  const auto text = [](std::size_t number, const char* end) {
    return "start\n" + std::to_string(number) + (number % 7 == 0 ? std::string(1, '\0') : "") + end;
  };
  for (std::size_t i = 0; i < kCount; ++i) git.write(name_of(i), text(i, "\nb\nc\n"));
  git.commit_all();
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_database);
  std::vector<std::pair<Oid, Oid>> pairs;
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::string after = text(i, "\nb\nd\ne\n");
    git.write(name_of(i), after);
    const wafers::UniqueFd fd(::open((git / name_of(i)).c_str(), O_RDONLY | O_CLOEXEC));
    const Oid before = *Oid::from_hex(git.git_line({"rev-parse", "HEAD:" + name_of(i)}));
    pairs.emplace_back(before, objects->write_blob_from(fd.get(), after.size(), before));
  }
  objects->flush();
  const auto& store = dynamic_cast<wafers::git::DatabaseStore&>(*objects);
  std::size_t known = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto difference = store.known_difference(pairs[i].first, pairs[i].second);
    if (!difference) continue;
    ++known;
    CHECK(difference->before_looks_binary == (i % 7 == 0));
    CHECK(difference->after_looks_binary == (i % 7 == 0));
    REQUIRE(difference->lines);
    CHECK(difference->lines->added == 2);
    CHECK(difference->lines->removed == 1);
  }
  CHECK(known > 0);
  CHECK_FALSE(store.known_difference(pairs[0].second, pairs[0].first));
}
