// `wafers ls` for people.

#include <sstream>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

/// The words of each line; an age, which depends on the clock, as "AGE" says.
std::vector<Words> table_of(const std::string& text) {
  std::vector<Words> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    rows.emplace_back();
    for (std::string word; words >> word;) rows.back().push_back(word);
  }
  return rows;
}

Words names(const std::string& text) {
  Words found;
  for (const Words& row : table_of(text)) found.push_back(row.front());
  return found;
}

TEST_CASE("ls shows how far a branch is ahead, what is changed, and the last subject") {
  const World world;
  for (const char* name : {"a2", "a10", "a1"}) world.add(name, any_backend());
  world.inside("a2", "echo 1 > f");
  world.wafers_ok({"git-commit", "a2", "-m", "one"});
  world.inside("a2", "echo 2 > f");
  world.wafers_ok({"git-commit", "a2", "-m", "two words"});
  world.inside("a2", "rm f; mkdir d; echo 1 > d/1; echo 2 > d/2; echo o > ignored2.o; echo s > s");
  world.wafers_ok({"git-add", "a2", "--", "s"});
  world.wafers_ok({"umount", "a1"});
  const auto rows = table_of(world.wafers_ok({"ls"}));
  REQUIRE(rows.size() == 4);
  CHECK(rows[0] == Words{"NAME", "STATUS", "BRANCH", "AHEAD", "CHANGED", "AGE", "SUBJECT"});
  const auto without_age = [](Words row) {
    CHECK(row.at(5).find_first_not_of("0123456789") == row[5].size() - 1);
    row.erase(row.begin() + 5);
    return row;
  };
  CHECK(without_age(rows[1]) == Words{"a1", "unmounted", "wafers/a1", "0", "0"});
  CHECK(without_age(rows[2]) == Words{"a2", "mounted", "wafers/a2", "2", "4", "two", "words"});
  CHECK(without_age(rows[3]) == Words{"a10", "mounted", "wafers/a10", "0", "0"});
  const nlohmann::json all = world.json({"ls", "--long"});
  CHECK(all["wafers"][0]["name"] == "a1");
  CHECK(all["wafers"][1]["name"] == "a10");
  CHECK(all["wafers"][2]["changed_files"] == 4);
  CHECK(all["wafers"][2]["disk_bytes"] > 0);
  CHECK_FALSE(world.json({"ls"})["wafers"][0].contains("disk_bytes"));
}

TEST_CASE("ls -l tells of space, processes and places") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const World world;
  world.add("a", backend);
  world.inside("a", "head -c 300000 /dev/zero > f");
  world.inside("a", "sleep 1000 > /dev/null 2>&1 &");
  const auto rows = table_of(world.wafers_ok({"ls", "--long"}));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].size() == 11);
  REQUIRE(rows[1].size() == 12);
  CHECK(rows[1][2] == backend);
  CHECK(rows[1][5] == "live");
  CHECK(rows[1][7] == "1");
  CHECK(rows[1][8].ends_with("K"));
  CHECK(rows[1][9] == "1");
  CHECK(world.listed("a")["mountpoint"] == rows[1][11]);
  world.wafers_ok({"rm", "--force", "--no-salvage", "--kill", "a"});
}

TEST_CASE("ls shows the wafers of the repository that one stands in, or all") {
  const World world;
  const GitRepo other = GitRepo::init(world / "other");
  other.write("README", "other\n");
  other.commit_all();
  world.add("here", any_backend());
  world.wafers_ok({"add", "there", "--from", other.path().native(), "--backend", any_backend()});
  CHECK(names(world.wafers_ok({"ls"})) == Words{"NAME", "here"});
  const Words all{"NAME", "here", "there"};
  CHECK(names(world.wafers_ok({"ls", "--all"})) == all);
  CHECK_THAT(world.wafers_ok({"ls", "--all"}), Contains("REPOSITORY") && Contains("/other"));
  CHECK(names(world.wafers_ok({"ls"}, {.cwd = world / "other", .environment = {}, .input = {}})) ==
        Words{"NAME", "there"});
  CHECK(names(world.wafers_ok({"ls"}, {.cwd = "/", .environment = {}, .input = {}})) == all);
  CHECK(world.wafers_ok({"ls", "-q"}) == "here\nthere\n");
  CHECK(world.json({"ls"})["wafers"].size() == 2);
}

TEST_CASE("ls says why it can't look into a wafer") {
  const World world;
  world.add("a", any_backend());
  world.add("b", any_backend());
  world.inside("a", "echo 1 > f");
  world.wafers_ok({"git-commit", "a", "-m", "one"});
  const std::string object = world.base().git_line({"rev-parse", "wafers/a"});
  std::filesystem::remove(world.base().path() / ".git/objects" / object.substr(0, 2) /
                          object.substr(2));
  const RunResult result = world.wafers({"ls"});
  CHECK(result.ok());
  const auto rows = table_of(result.out);
  CHECK(rows.at(1).at(3) == "?");
  CHECK(rows.at(2).at(3) == "0");
  CHECK_THAT(result.err, Contains("wafers: warning: cannot look into wafer 'a': "));
}

TEST_CASE("ls fits the terminal, and has colours there") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo 1 > f");
  world.wafers_ok({"git-commit", "a", "-m", std::string(200, 'x')});
  const auto on_terminal = [&](const std::string& environment) {
    return world
        .run_program("/bin/sh",
                     {"-c", environment + " script -qec \"'" WAFERS_PROGRAM "' ls\" /dev/null"}, {})
        .out;
  };
  const std::string table = on_terminal("NO_COLOR=1 COLUMNS=70");
  for (const std::string& line :
       {table.substr(0, table.find('\r')), table.substr(table.find('\n') + 1)}) {
    CHECK(line.size() <= 72);
  }
  CHECK_THAT(table, Contains("xxx...") && !Contains("\x1B["));
  CHECK_THAT(on_terminal("COLUMNS=70"), Contains("\x1B[32mmounted\x1B[m"));
  CHECK_THAT(world.wafers_ok({"ls"}), Contains(std::string(200, 'x')) && !Contains("\x1B["));
}

}  // namespace
}  // namespace wafers::test
