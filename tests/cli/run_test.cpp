// `wafers run`: a wafer for one command, from its making to its removal.

#include <csignal>
#include <thread>

#include "cli/world.h"
#include "support/catch.h"
#include "support/process.h"

namespace wafers::test {
namespace {

using Catch::Matchers::Contains;

RunResult run_wafer(const World& world, const Words& options, const std::string& script) {
  Words words{"run"};
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.end(), {"--", "sh", "-c", script});
  return world.wafers(words);
}

Words names(const World& world) {
  Words found;
  const nlohmann::json list = world.json({"ls"});
  for (const auto& wafer : list["wafers"]) found.push_back(wafer["name"]);
  return found;
}

TEST_CASE("run commits what a command leaves, and removes the wafer") {
  const std::string backend = GENERATE(from_range(working_backends()));
  CAPTURE(backend);
  const World world;
  const RunResult result = run_wafer(world, {"--backend", backend},
                                     "echo out; echo new > new; echo $WAFERS_NAME > name");
  CHECK(result.ok());
  CHECK(result.out == "out\n");
  CHECK_THAT(result.err, Contains("committed to wafers/run-1: ") && !Contains("stays"));
  CHECK(names(world).empty());
  CHECK(world.base().git({"show", "--format=%s", "--name-only", "wafers/run-1"}) ==
        "Run sh -c echo out; echo new > new; echo $WAFERS_NAME > name\n\nname\nnew\n");
  CHECK(world.base().git({"show", "wafers/run-1:name"}) == "run-1\n");
  // The next one gets another name, and leaves no branch where there is nothing on it.
  CHECK(run_wafer(world, {"--backend", backend}, "echo $WAFERS_NAME").out == "run-2\n");
  CHECK(names(world).empty());
  CHECK_FALSE(world.base().try_git({"rev-parse", "-q", "--verify", "wafers/run-2"}).ok());
  CHECK(run_wafer(world, {"mine", "--backend", backend, "-m", "my words"}, "echo 1 > f").ok());
  CHECK(world.base().git({"log", "-1", "--format=%s", "wafers/mine"}) == "my words\n");
}

TEST_CASE("where a command fails its wafer stays, with its exit status") {
  const World world;
  const auto check_kept = [&](const RunResult& result, int status, const std::string& why) {
    CHECK(result.status == status);
    CHECK(result.err == "wafers: wafer a stays: " + why +
                            "\nhint: look into it with 'wafers git-status a' and 'wafers shell a'; "
                            "'wafers rm a' removes it\n");
    CHECK(names(world) == Words{"a"});
    world.wafers_ok({"rm", "--force", "--no-salvage", "a"});
    world.base().git({"branch", "-q", "-D", "wafers/a"});
  };
  check_kept(run_wafer(world, {"a"}, "echo 1 > f; exit 7"), 7, "the command failed");
  const RunResult missing = world.wafers({"run", "a", "--", "/no/such/program"});
  CHECK(missing.status == 127);
  CHECK_THAT(missing.err, Contains("/no/such/program") && Contains("wafer a stays"));
  world.wafers_ok({"rm", "a"});
  world.base().git({"branch", "-q", "-D", "wafers/a"});
  const RunResult always = run_wafer(world, {"a", "--commit", "always"}, "echo 1 > f; exit 7");
  CHECK(always.status == 7);
  CHECK(world.base().git({"show", "wafers/a:f"}) == "1\n");
  CHECK(names(world) == Words{"a"});
}

TEST_CASE("what is not to be committed stays") {
  const World world;
  const RunResult never = run_wafer(world, {"a", "--commit", "never"}, "echo 1 > f");
  CHECK(never.ok());
  CHECK_THAT(never.err, Contains("wafer a stays: wafer 'a' holds work that is not committed"));
  CHECK(world.inside("a", "cat f") == "1\n");
  CHECK(run_wafer(world, {"b", "--keep"}, "echo 1 > f").ok());
  CHECK(world.base().git({"show", "wafers/b:f"}) == "1\n");
  CHECK(names(world) == Words{"a", "b"});
  const RunResult left = run_wafer(world, {"c"}, "sleep 1000 > /dev/null 2>&1 &");
  CHECK(left.ok());
  CHECK_THAT(left.err, Contains("wafer c stays: processes are inside wafer 'c'"));
  world.wafers_ok({"rm", "--kill", "c"});
}

TEST_CASE("a branch that was there before stays") {
  const World world;
  world.base().git({"branch", "topic"});
  CHECK(run_wafer(world, {"a", "--branch", "topic"}, "true").ok());
  CHECK(world.base().git({"rev-parse", "topic"}) == world.base().git({"rev-parse", "HEAD"}));
  CHECK(names(world).empty());
}

TEST_CASE("run takes the options of add, and prints JSON last") {
  const World world;
  world.base().write("README", "dirty\n");
  CHECK(run_wafer(world, {"a"}, "true").status == 125);
  CHECK(names(world).empty());
  const RunResult result = run_wafer(
      world, {"a", "--frozen", "--assume-clean", "--json", "--at", (world / "view").native()},
      "cat README; basename \"$PWD\"; echo 1 > f");
  const std::string begin = "base\nview\n";
  REQUIRE(result.out.starts_with(begin));
  const auto document = nlohmann::json::parse(result.out.substr(begin.size()));
  CHECK(document["name"] == "a");
  CHECK(document["branch"] == "wafers/a");
  CHECK(document["exit_status"] == 0);
  CHECK(document["kept"] == false);
  CHECK(document["commit"].get<std::string>() + "\n" ==
        world.base().git({"rev-parse", "wafers/a"}));
  for (const Words& wrong : {Words{"run", "a"}, Words{"run", "a", "b", "--", "true"},
                             Words{"run", "--commit", "never-ever", "--", "true"}}) {
    CHECK(world.wafers(wrong).status == 125);
  }
}

TEST_CASE("signals reach the command") {
  const World world;
  const RunResult result = world.run_program(
      "/bin/sh",
      {"-c", "'" WAFERS_PROGRAM "' run a -- sh -c 'trap \"echo got it; exit 3\" TERM; touch ready; "
             "while :; do sleep 0.01; done' & p=$!; while ! '" WAFERS_PROGRAM
             "' exec a -- test -e ready 2> /dev/null; do sleep 0.05; done; kill -TERM $p; wait $p"},
      {});
  CHECK(result.out == "got it\n");
  CHECK(result.status == 3);
  CHECK(names(world) == Words{"a"});
  const RunResult killed = run_wafer(world, {"b"}, "kill -USR1 $$");
  CHECK(killed.signal == SIGUSR1);
  CHECK(names(world) == Words{"a", "b"});
}

TEST_CASE("many runs at once find names of their own") {
  const World world;
  constexpr int kMany = 6;
  std::vector<RunResult> results(kMany);
  std::vector<std::thread> threads;
  for (RunResult& result : results) {
    threads.emplace_back([&] { result = run_wafer(world, {}, "echo $WAFERS_NAME > f"); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const RunResult& result : results) {
    INFO(result.err);
    CHECK(result.ok());
  }
  CHECK(names(world).empty());
  const std::string branches =
      world.base().git({"for-each-ref", "--format=x", "refs/heads/wafers"});
  CHECK(branches.size() == 2 * kMany);
}

TEST_CASE("an unnamed run doesn't take the branch of another wafer") {
  const World world;
  world.add("a", any_backend());
  const RunResult refused = run_wafer(world, {"--branch", "wafers/a"}, "true");
  CHECK(refused.status == 125);
  CHECK_THAT(refused.err, Contains("belongs to wafer 'a'"));
  CHECK(names(world) == Words{"a"});
}

TEST_CASE("add prints the places alone") {
  const World world;
  const std::string one =
      world.wafers_ok({"add", "a", "--at", (world / "v").native(), "--print-path"});
  CHECK(one == (world / "v").native() + "\n");
  CHECK(world.wafers_ok({"add", "b", "c", "--print-path"}) ==
        (world / "state/b/mnt").native() + "\n" + (world / "state/c/mnt").native() + "\n");
  CHECK(world.wafers({"add", "d", "--print-path", "--json"}).status == 2);
}

}  // namespace
}  // namespace wafers::test
