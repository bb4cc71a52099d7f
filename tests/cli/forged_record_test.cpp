// Whoever works in a wafer can write its record. What that says reaches nothing outside, and hurts
// no other wafer.

#include <sys/stat.h>

#include <functional>

#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path record_of(const World& world, const std::string& name) {
  return world.state() / name / "metadata";
}

void edit_record(const World& world, const std::string& name,
                 const std::function<void(json&)>& edit) {
  json record = json::parse(read_file(record_of(world, name)));
  edit(record);
  write_file(record_of(world, name), record.dump());
}

/// Nothing is done with the wafer `a`, whose record can't be believed, and the others are as ever.
void check_invalid(const World& world) {
  const json listing = world.json({"ls"});
  REQUIRE(listing["invalid_entries"].size() == 1);
  CHECK(listing["invalid_entries"][0]["name"] == "a");
  REQUIRE(listing["wafers"].size() == 1);
  CHECK(listing["wafers"][0]["name"] == "other");
  for (const Words& words : {Words{"git-commit", "a", "-m", "x"}, Words{"git-status", "a"},
                             Words{"mount", "a"}, Words{"umount", "a"}}) {
    CAPTURE(words.front());
    CHECK(world.wafers(words).status == 1);
  }
  CHECK(world.wafers({"exec", "a", "--", "true"}).status == 125);
  CHECK(world.wafers({"rm", "a"}).status == 3);
  CHECK(world.wafers({"git-status", "other"}).ok());
}

TEST_CASE("a record that no command has written is invalid") {
  const World world;
  world.add("a", any_backend());
  world.add("other", any_backend());
  world.inside("a", "echo work > work");
  world.wafers_ok({"umount", "a"});
  const std::string tip = world.base().git({"rev-parse", "HEAD"});
  write_file(world / "outside", tip);
  const std::string good = read_file(record_of(world, "a"));
  const std::string refs = world.base().git({"for-each-ref"});
  const std::vector<std::function<void(json&)>> forgeries{
      [](json& record) { record["branch"] = "../../../../outside"; },
      [](json& record) { record["branch"] = "../../HEAD"; },
      [](json& record) { record["branch"] = "../tags/v1"; },
      [](json& record) { record["last_commit"] = "--exec=x"; },
      [](json& record) { record["base_repo"] = "base"; },
      [](json& record) { record["mountpoint"] = "/"; },
      [&](json& record) { record["mountpoint"] = world / "state/other/mnt"; },
      [](json& record) { record["mountpoint_parents"] = {"src"}; },
      [](json& record) { record["mountpoint_mode"] = -1; },
      [](json& record) { record["mount"] = "x"; },
      [](json& record) { record["name"] = "other"; },
  };
  for (const auto& forge : forgeries) {
    write_file(record_of(world, "a"), good);
    edit_record(world, "a", forge);
    CAPTURE(read_file(record_of(world, "a")));
    check_invalid(world);
  }
  for (const std::string& document :
       {std::string("{\"version\":1e999}"), std::string(200'000, '['), std::string("[1]"),
        std::string("{\"version\": 1, \"later\": ") + std::string(100'000, '[') +
            std::string(100'000, ']') + "}"}) {
    write_file(record_of(world, "a"), document);
    CAPTURE(document.substr(0, 40));
    check_invalid(world);
  }
  fs::resize_file(record_of(world, "a"), std::uintmax_t{60} << 30U);
  check_invalid(world);
  CHECK(world.base().git({"for-each-ref"}) == refs);
  CHECK(read_file(world / "outside") == tip);
  world.add("third", any_backend());
  world.wafers_ok({"rm", "third"});
  world.wafers_ok({"rm", "--force", "a"});
  CHECK_FALSE(fs::exists(world.state() / "a"));
}

TEST_CASE("whatever lies where a record is to be written, it is written beside it") {
  const World world;
  world.add("a", any_backend());
  world.inside("a", "echo work > work");
  write_file(world / "precious", "precious");
  const fs::path in_the_way = world.state() / "a/metadata.new";
  SECTION("a fifo") { REQUIRE(::mkfifo(in_the_way.c_str(), 0600) == 0); }
  SECTION("a hard link") { fs::create_hard_link(world / "precious", in_the_way); }
  SECTION("a directory") { write_file(in_the_way / "file", "x"); }
  world.wafers_ok({"git-commit", "a", "-m", "work"});
  world.wafers_ok({"umount", "a"});
  CHECK(read_file(world / "precious") == "precious");
  CHECK(world.base().git({"show", "wafers/a:work"}) == "work\n");
  world.wafers_ok({"rm", "a"});
}

}  // namespace
}  // namespace wafers::test
