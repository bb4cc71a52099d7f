// What has the checkout's absolute path written into it, in a view that is at that path: build
// directories, virtual environments, caches, sandboxes.

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include "cli/world.h"
#include "support/catch.h"
#include "support/needs.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// Those of a home (rustup, pyenv) find nothing in another one.
const std::string kSystems = "export PATH=/usr/bin:/bin:$PATH\n";

bool works(const std::string& tool) {
  return run_script(kSystems + tool + " > /dev/null 2>&1").status == 0;
}

const Need kTools("cmake, ninja, python3 with venv, rg, and bwrap",
                  []() -> std::optional<std::string> {
                    for (const char* const tool :
                         {"cmake --version", "ninja --version", "python3 -m ensurepip --version",
                          "rg --version", "bwrap --version"}) {
                      if (!works(tool)) return tool;
                    }
                    return std::nullopt;
                  });

/// Of what takes hundreds of megabytes, or would take part in the build of the tests: a case of it
/// is left out where it is not there, which is said.
bool is_installed(const std::string& tool) {
  if (works(tool + " --version")) return true;
  std::cerr << "not tried, for there is no " << tool << "\n";
  return false;
}

/// A base whose sources `make` has built, and two wafers of it: `here` is in place, and `there`
/// isn't.
class Built {
 public:
  explicit Built(const std::string& ignored) {
    world_.base().write(".gitignore", "*.o\n" + ignored + "\n");
  }
  const World& world() const { return world_; }
  void source(const std::string& file, const std::string& content) const {
    world_.base().write(file, content);
  }
  void build(const std::string& script) const {
    world_.base().commit_all("sources");
    world_.in_base(settings() + script);
    world_.add("here", "namespace", {"--in-place", "--live"});
    world_.add("there", "namespace", {"--live"});
  }
  std::string here(const std::string& script) const { return inside("here", script); }
  std::string there(const std::string& script) const { return inside("there", script); }
  std::string base(const std::string& script) const { return world_.in_base(settings() + script); }
  std::string path() const { return world_.base().path().native(); }
  bool base_has(const fs::path& file) const { return fs::exists(world_.base() / file); }

 private:
  std::string inside(const std::string& name, const std::string& script) const {
    return world_.inside(name, settings() + script);
  }
  /// What the tools keep outside of the checkout; $B: the checkout.
  std::string settings() const {
    return kSystems + "export HOME='" + (world_ / "home").native() + "' CARGO_HOME='" +
           (world_ / "cargo").native() + "' CCACHE_DIR='" + (world_ / "ccache").native() +
           "' npm_config_update_notifier=false npm_config_install_links=false B='" + path() +
           "'; mkdir -p \"$HOME\"\n";
  }

  World world_;
};

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

TEST_CASE("a program that looks for a repository finds the view's, where it is asked for") {
  const World world;
  world.in_base("git tag -am tag v1");
  world.add("with", any_backend(), {"--git"});
  world.add("without", any_backend());
  const std::string files = "rg --files --sort path";
  CHECK(world.inside("with", files) == "README\nsrc/main.c\nsrc/old.c\n");
  CHECK(world.inside("without", files) == "README\nignored.o\nsrc/main.c\nsrc/old.c\n");
  const std::string stamp = "git describe --dirty";
  CHECK(world.inside("with", stamp) == "v1\n");
  CHECK(world.inside("with", "echo more >> README; " + stamp) == "v1-dirty\n");
}

TEST_CASE("a warm build directory of CMake and Ninja rebuilds exactly what changed") {
  const Built built("build/");
  built.source("CMakeLists.txt",
               "cmake_minimum_required(VERSION 3.20)\nproject(p C)\n"
               "add_executable(p one.c two.c three.c)\n");
  built.source("two.h", "#define TWO 2\n");
  built.source("one.c",
               "#include <stdio.h>\nint two(void); int three(void);\n"
               "int main(void) { printf(\"%d %d\\n\", two(), three()); return 0; }\n");
  built.source("two.c", "#include \"two.h\"\nint two(void) { return TWO; }\n");
  built.source("three.c", "int three(void) { return 3; }\n");
  built.build("cmake -G Ninja -B build > out.o; cmake --build build >> out.o");
  const std::string state = built.base("find build -type f -exec sha1sum {} + | sort");
  CHECK_THAT(built.here("ninja -C build"), Contains("no work to do"));
  built.here("echo 'int three(void) { return 33; }' > $B/three.c");
  const std::string first = built.here("ninja -v -C build");
  CHECK(count_of(first, " -c ") == 1);
  CHECK_THAT(first, Contains("-c " + built.path() + "/three.c"));
  built.here("echo '#define TWO 22' > $B/two.h");
  const std::string second = built.here("cmake --build build -v");
  CHECK(count_of(second, " -c ") == 1);
  CHECK_THAT(second, Contains("-c " + built.path() + "/two.c"));
  CHECK(built.here("build/p; $B/build/p") == "22 33\n22 33\n");
  CHECK_THAT(built.here("ninja -C build"), Contains("no work to do"));
  CHECK(built.base("build/p") == "2 3\n");
  CHECK(built.base("find build -type f -exec sha1sum {} + | sort") == state);
  // Elsewhere the directory means the checkout.
  built.there("echo 'int three(void) { return 33; }' > three.c");
  CHECK_THAT(built.there("ninja -C build"), Contains("no work to do"));
}

TEST_CASE(
    "a virtual environment of the checkout has the view's sources, and installs into the view") {
  const Built built(".venv/\n__pycache__/");
  built.source("pkg/__init__.py", "value = 'base'\n");
  built.source("wheel.py",
               "import sys, zipfile\n"
               "info = 'thing-1.dist-info/'\n"
               "with zipfile.ZipFile(sys.argv[1], 'w') as wheel:\n"
               "    wheel.writestr('thing.py', 'value = 1\\n')\n"
               "    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: "
               "thing\\nVersion: 1\\n')\n"
               "    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nTag: py3-none-any\\n')\n"
               "    wheel.writestr(info + 'RECORD', '')\n");
  // An editable install is such a line.
  built.build(
      "python3 -m venv .venv; echo $B > $(echo .venv/lib/python3*/site-packages)/pkg.pth; "
      "python3 wheel.py ../thing-1-py3-none-any.whl");
  const std::string import =
      "cd /; $B/.venv/bin/python -B -c 'import pkg; print(pkg.value, pkg.__file__)'";
  built.here("echo \"value = 'view'\" > $B/pkg/__init__.py");
  CHECK(built.here(import) == "view " + built.path() + "/pkg/__init__.py\n");
  CHECK(built.base(import) == "base " + built.path() + "/pkg/__init__.py\n");
  built.here(
      "$B/.venv/bin/pip install -q --no-index --disable-pip-version-check "
      "$B/../thing-1-py3-none-any.whl");
  CHECK(built.here("$B/.venv/bin/python -c 'import thing; print(thing.__file__)'")
            .starts_with(built.path() + "/.venv/lib/"));
  CHECK(built.here(". .venv/bin/activate; echo $VIRTUAL_ENV; command -v pip") ==
        built.path() + "/.venv\n" + built.path() + "/.venv/bin/pip\n");
  CHECK(built.base("$B/.venv/bin/python -c 'import thing' 2> /dev/null || echo none") == "none\n");
  // Elsewhere it means the checkout.
  built.there("echo \"value = 'view'\" > pkg/__init__.py");
  CHECK_THAT(
      built.there("cd /; $WAFERS_ROOT/.venv/bin/python -B -c 'import pkg; print(pkg.value)'"),
      Contains("base"));
}

TEST_CASE("cargo compiles the crate that changed, and no other") {
  if (!is_installed("cargo")) return;
  const Built built("target/\nCargo.lock");
  built.source("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\n");
  built.source("one/Cargo.toml",
               "[package]\nname = \"one\"\nversion = \"1.0.0\"\nedition = \"2021\"\n");
  built.source("one/src/lib.rs", "pub fn one() -> i32 { 1 }\n");
  built.source("two/Cargo.toml",
               "[package]\nname = \"two\"\nversion = \"1.0.0\"\nedition = \"2021\"\n"
               "[dependencies]\none = { path = \"../one\" }\n");
  built.source("two/src/main.rs", "fn main() { println!(\"{}\", one::one()); }\n");
  built.build("cargo build -q --offline");
  CHECK_THAT(built.here("cargo build --offline 2>&1"), !Contains("Compiling"));
  built.here("echo 'fn main() { println!(\"{}\", one::one() + 1); }' > $B/two/src/main.rs");
  const std::string told = built.here("cargo build --offline 2>&1");
  CHECK_THAT(told, Contains("Compiling two v1.0.0 (" + built.path() + "/two)"));
  CHECK_THAT(told, !Contains("Compiling one"));
  CHECK(built.here("$B/target/debug/two") == "2\n");
  CHECK(built.base("target/debug/two") == "1\n");
}

TEST_CASE("npm runs the view's sources and installs into the view") {
  if (!is_installed("npm")) return;
  const Built built("node_modules/");
  built.source(
      "package.json",
      "{\"name\": \"p\", \"version\": \"1.0.0\", \"scripts\": {\"say\": \"node say.js\"},\n"
      " \"dependencies\": {\"dep\": \"file:dep\"}}\n");
  built.source("say.js", "console.log(require('dep'), require.resolve('dep'))\n");
  built.source("dep/package.json", "{\"name\": \"dep\", \"version\": \"1.0.0\"}\n");
  built.source("dep/index.js", "module.exports = 'base'\n");
  built.source("other/package.json", "{\"name\": \"other\", \"version\": \"1.0.0\"}\n");
  built.source(".npmrc", "offline=true\naudit=false\nfund=false\npackage-lock=false\n");
  built.build("npm install > out.o 2>&1");
  built.here("echo \"module.exports = 'view'\" > $B/dep/index.js");
  CHECK(built.here("cd src; npm run -s say; npm prefix") ==
        "view " + built.path() + "/dep/index.js\n" + built.path() + "\n");
  built.here("npm install ./other > out.o 2>&1");
  CHECK(built.here("readlink -f $B/node_modules/other") == built.path() + "/other\n");
  CHECK(built.base("npm run -s say") == "base " + built.path() + "/dep/index.js\n");
  CHECK_FALSE(built.base_has("node_modules/other"));
}

TEST_CASE("ccache finds what was compiled in the checkout") {
  if (!is_installed("ccache")) return;
  const Built built("objects/");
  built.source("main.c", "int main(void) { return 0; }\n");
  const std::string compile =
      "ccache gcc -g -c \"$PWD/main.c\" -o main.o; ccache --print-stats | "
      "sed -n 's/^direct_cache_hit\\t//p'";
  built.build("ccache gcc -g -c \"$PWD/main.c\" -o main.o");
  CHECK(built.there(compile) == "0\n");
  CHECK(built.here(compile) == "1\n");
}

TEST_CASE("in a sandbox inside, the checkout's path is the view, too") {
  if (::geteuid() == 0) return;  // which makes no user namespace there, having no capability
  const Built built("sandbox/");
  built.build(":");
  CHECK(built.here("bwrap --dev-bind / / sh -c 'pwd; echo 1 > $B/one; cat $B/README'") ==
        built.path() + "\nbase\n");
  built.here(
      "bwrap --ro-bind / / --dev /dev --proc /proc --bind $B $B --unshare-pid sh -c "
      "'echo 2 > $B/two; ! touch $B/../three'");
  const std::string status = std::string(WAFERS_PROGRAM) + " git-status -s";
  CHECK(built.here("cat one two; bwrap --dev-bind / / " + status) == "1\n2\n?? one\n?? two\n");
  CHECK_FALSE(built.base_has("one"));
  CHECK_FALSE(built.base_has("two"));
}

}  // namespace
}  // namespace wafers::test
