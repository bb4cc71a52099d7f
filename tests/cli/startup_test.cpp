#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// The shared libraries that the dynamic linker loads for a program before main().
std::string libraries_of(const fs::path& program) {
  const RunOptions traced{.cwd = "/", .environment = {"LD_TRACE_LOADED_OBJECTS=1"}, .input = {}};
  const RunResult result = run({program.native()}, traced);
  REQUIRE(result.ok());
  return result.out;
}

TEST_CASE("what needs no Git doesn't pay for it") {
  const fs::path program = WAFERS_PROGRAM;
  CHECK_THAT(libraries_of(program.parent_path() / "wafers-git"), Contains("libgit2"));
  const std::string libraries = libraries_of(program);
  CHECK_THAT(libraries, Contains("libc.so"));
  CHECK_THAT(libraries, !Contains("libgit2"));
  CHECK_THAT(libraries, !Contains("libmount"));
}

TEST_CASE("a lone wafers can do all that needs no Git") {
  const World world;
  const fs::path lone = world / "lone";
  fs::copy_file(WAFERS_PROGRAM, lone);
  world.add("a", any_backend());
  const std::string state = "WAFERS_STATE_DIR=" + (world / "state").native();
  const auto wafers = [&](Words arguments) {
    arguments.insert(arguments.begin(), lone.native());
    return run(arguments, {.cwd = "/", .environment = {state}, .input = {}});
  };
  CHECK(wafers({"exec", "a", "--", "cat", "README"}).out == "base\n");
  CHECK(wafers({"ls", "-q"}).out == "a\n");
  CHECK_THAT(wafers({"ls", "--json"}).out, Contains("\"mounted\""));
  CHECK(wafers({"umount", "a"}).ok());
  CHECK_THAT(wafers({"ls", "--json"}).out, Contains("unmounted"));
  for (const char* command : {"version", "skill", "help"}) CHECK(wafers({command}).ok());
}

}  // namespace
}  // namespace wafers::test
