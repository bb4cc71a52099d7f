// A mebibyte of the worst in every kind of file that wafers reads from where an agent can write:
// with 1 GB of memory and a small stack every command ends by itself.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// What is larger than 1 MiB is not read at all, where git doesn't either.
constexpr std::size_t kSize = 1'000'000;

std::string repeated(std::string_view text) {
  std::string all;
  while (all.size() < kSize) all += text;
  return all;
}

std::string chained_macros() {
  std::string all;
  for (int i = 0; all.size() < kSize; ++i) {
    all += "[attr]m" + std::to_string(i) + " m" + std::to_string(i + 1) + "\n";
  }
  return all + "* m0\n";
}

/// What a newer version could have put into a record.
std::string nested_key() {
  const std::size_t depth = kSize / 2;
  return R"(, "later": )" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

struct Hostile {
  const char* path;  ///< below the wafer's directory
  std::string content;
  bool in_place_of_brace = false;  ///< behind what is there, of which the last '}' goes
};

std::vector<Hostile> hostile_files() {
  const std::string object(40, 'a');
  std::vector<Hostile> all{
      {"upper/.gitignore", repeated("a*")},
      {"upper/.gitignore", repeated("**/")},
      {"upper/.gitignore", repeated("[a]")},
      {"upper/.gitignore", repeated("?\n")},
      {"upper/.gitattributes", repeated("* a=b ")},
      {"upper/.gitattributes", repeated("*.c text\n")},
      {"upper/.gitattributes", chained_macros()},
      {"upper/.gitmodules", repeated("[submodule \"a\"]\npath=a\n")},
      {"upper/.gitmodules", repeated("[")},
      {"upper/n/.git", "gitdir: " + repeated("a/")},
      {"upper/n/.git/HEAD", "ref: refs/" + repeated("a/")},
      {"upper/n/.git/packed-refs", repeated(object + " refs/heads/a\n")},
      {"upper/n/.git/packed-refs", repeated("\n")},
      {"upper/n/.git/commondir", repeated("a/")},
      {"upper/n/.git/index", "DIRC" + repeated(std::string_view("\0\0\0\2\xff\xff\xff\xff", 8))},
      {"index", "DIRC" + repeated(std::string_view("\0\0\0\2\xff\xff\xff\xff", 8))},
      {"seen", repeated("DIRC")},
      {"metadata", "{\"version\":" + repeated("[")},
      {"metadata", "{\"version\":1" + repeated("1")},
      {"metadata", nested_key(), true},
      {"ended", repeated("1 ")},
      {"lock", repeated("x")},
  };
  return all;
}

TEST_CASE("a hostile file of any kind neither crashes nor holds up a command") {
  World world;
#ifdef __SANITIZE_ADDRESS__  // whose programs don't start within these limits
  const std::string limits;
#else
  const std::string limits = "ulimit -v 1000000; ulimit -s 1024; ";
#endif
  for (const Hostile& file : hostile_files()) {
    CAPTURE(file.path, file.content.substr(0, 40));
    world.add("a", any_backend());
    const fs::path path = world.state() / "a" / file.path;
    const fs::path repository = world.state() / "a/upper/n/.git";
    fs::create_directories(path.parent_path());
    if (path.parent_path() == repository) {
      fs::create_directories(repository / "objects");
      fs::create_directories(repository / "refs");
      write_file(repository / "HEAD", "ref: refs/heads/a\n");
    }
    write_file(world.state() / "a/upper/work", "work\n");
    std::string before = file.in_place_of_brace ? read_file(path) : std::string();
    before.resize(file.in_place_of_brace ? before.rfind('}') : 0);
    write_file(path, before + file.content);
    for (const Words& command : std::vector<Words>{{"ls"},
                                                   {"git-status", "a"},
                                                   {"git-add", "a", "--", "work"},
                                                   {"git-commit", "a", "-m", "x"},
                                                   {"rm", "a"},
                                                   {"rm", "--force", "a"},
                                                   {"rm", "--force", "--no-salvage", "a"}}) {
      CAPTURE(command);
      Words words{"-c", limits + "exec timeout -s KILL 100 \"$0\" \"$@\"", WAFERS_PROGRAM};
      words.insert(words.end(), command.begin(), command.end());
      const RunResult result = world.run_program("/bin/sh", words, {});
      CHECK(result.signal == 0);
      CHECK(result.status <= 4);
      CHECK_THAT(result.err, !Contains("memory"));
    }
    world.wafers({"rm", "--force", "--no-salvage", "a"});
    world.base().git({"branch", "-D", "-q", "wafers/a"});
  }
}

}  // namespace
}  // namespace wafers::test
