#include "tree_pairs.h"

#include <cctype>
#include <cstddef>

#include "git/diff/diff.h"

namespace wafers::test {
namespace {

using wafers::git::Oid;
using wafers::git::Repository;
using wafers::git::Writes;

constexpr char kEnd = '\0';

}  // namespace

std::string names(const GitRepo& git, const std::string& before, const std::string& after) {
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_memory);
  std::string text;
  for (const auto& change :
       named_changes(repository, *objects, *Oid::from_hex(before), *Oid::from_hex(after))) {
    text += change.letter;
    if (!change.old_path.empty()) text += "\t" + change.old_path;
    text += "\t" + change.path + "\n";
  }
  return text;
}

std::string names_by_git(const GitRepo& git, const std::string& before, const std::string& after) {
  const std::string out = git.git({"diff", "--name-status", "-z", before, after, "--"});
  std::string text;
  for (std::size_t at = 0; at < out.size();) {
    const auto field = [&] {
      const std::size_t end = out.find(kEnd, at);
      std::string value = out.substr(at, end - at);
      at = end + 1;
      return value;
    };
    const char letter = field()[0];
    text += letter;
    if (letter == 'R' || letter == 'C') text += "\t" + field();
    text += "\t" + field() + "\n";
  }
  return text;
}

std::string counts(const GitRepo& git, const std::string& before, const std::string& after) {
  const Repository repository = Repository::open(git.path());
  const auto objects = repository.objects(Writes::to_memory);
  return count_diff(repository, *objects, *Oid::from_hex(before), *Oid::from_hex(after)).summary() +
         "\n";
}

std::string counts_by_git(const GitRepo& git, const std::string& before, const std::string& after) {
  return git.git({"diff", "--shortstat", "--find-renames", before, after, "--"});
}

}  // namespace wafers::test
