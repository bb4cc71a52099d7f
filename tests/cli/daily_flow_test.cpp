// People go on in the checkout while agents work: after each step every view shows the base commit
// and what its agent did, and a commit has that alone.

#include <map>

#include "cli/world.h"
#include "support/catch.h"
#include "support/process.h"
#include "support/run.h"

namespace wafers::test {
namespace {

/// What each agent does, in its view.
const std::map<std::string, std::string> kWork = {
    {"a", "sed -i 1s/.*/a/ src/f1; echo a > a"},
    {"b", "rm src/f2; mkdir b; echo b > b/new; mv src/f3 b/f3"},
    {"c", "chmod +x src/f4; ln -s f5 src/link; rm -r docs; echo c > docs"},
};

/// Tracked files and untracked ones, not what is ignored: by path, mode, and content or target.
constexpr const char* kListing =
    "skip='( -name .git -o -name node_modules -o -name out ) -prune -o'; set -f\n"
    "{ find . $skip -type l -printf '%P -> %l\\n' -o -type f -printf '%P %m\\n'\n"
    "find . $skip -type f -exec sha1sum {} +; } | sort";

struct Step {
  const char* name;
  const char* script;  ///< in the checkout
};

const std::vector<Step> kSteps = {
    {"merge", "git merge -q --no-edit wafers/a"},
    {"pull", "git pull -q --no-rebase --no-edit ../upstream main"},
    {"stash", "echo wip >> src/f9; echo new > wip; git stash -q -u"},
    {"checkout",
     "git checkout -q -b other HEAD~2; echo other > other; git rm -q -r docs; git add -A\n"
     "git commit -qm other"},
    {"clean", "git clean -fdxq"},
    {"npm install and a build",
     "mkdir -p node_modules/p out ../p; echo '{\"name\": \"p\", \"version\": \"1.0.0\"}' > "
     "../p/package.json\n"
     "if [ -n \"${npm-}\" ]; then npm install --silent --offline --no-save --no-package-lock "
     "--install-links ../p; fi\n"
     "echo 1 > node_modules/p/index.js; make -s"},
    {"back", "git checkout -q main; git stash pop -q; git checkout -q -- .; rm wip"},
};

/// Nothing of these is for a live base.
const std::vector<Step> kFrozenSteps = {
    {"edits in place", "for f in src/*; do echo edited >> $f; done; echo new > new"},
    {"removal", "find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +"},
};

std::string everything_shown(const World& world, const std::string& directory) {
  return run_ok({"sh", "-euc", kListing},
                {.cwd = world / directory, .environment = {}, .input = {}});
}

/// The base commit's files, with the agent's work done to them.
std::string wanted_view(const World& world, const std::string& name) {
  const std::string there = (world / ("wanted-" + name)).native();
  world.in_base("mkdir '" + there + "'; git archive main | tar -x --no-same-permissions -C '" +
                there + "'\ncd '" + there + "'\n" + kWork.at(name));
  return everything_shown(world, "wanted-" + name);
}

TEST_CASE("agents are at work while people merge, pull, stash, check out, clean, build") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const std::string kind = GENERATE("--live", "--frozen");
  CAPTURE(backend, kind);
  // Where it is installed, which nothing else here needs; it takes a second.
  const bool with_npm = backend == any_backend() && run({"sh", "-c", "command -v npm"}, {}).ok();
  const World world;
  world.in_base(
      "git rm -qr .; rm ignored.o; mkdir src docs; for i in $(seq 250); do seq 30 > src/f$i; done; "
      "echo d > "
      "docs/d\n"
      "printf 'node_modules/\\nout/\\n' > .gitignore; printf 'all:\\n\\tcat src/* > out/all\\n' > "
      "Makefile\n"
      "git add -A; git commit -qm base; mkdir node_modules out; echo 0 > node_modules/x\n"
      "git clone -q . ../upstream; cd ../upstream\n"
      "for i in $(seq 40 239); do sed -i 20s/.*/up/ src/f$i; done; echo up > up; git add -A\n"
      "git -c user.name=u -c user.email=u@example.com commit -qm up");
  std::map<std::string, std::string> wanted;
  for (const auto& [name, work] : kWork) {
    wanted[name] = wanted_view(world, name);
    world.add(name, backend, {kind});
    world.inside(name, work);
  }
  world.wafers_ok({"git-commit", "a", "-m", "a"});
  std::map<std::string, pid_t> inside;
  for (const auto& [name, work] : kWork) inside[name] = start_inside(world, name);

  std::vector<Step> steps = kSteps;
  const bool frozen = kind == "--frozen";
  if (frozen) steps.insert(steps.end(), kFrozenSteps.begin(), kFrozenSteps.end());
  for (const Step& step : steps) {
    CAPTURE(step.name);
    world.in_base((with_npm ? "npm=yes; " : "") + std::string(step.script));
    for (auto& [name, process] : inside) {
      CAPTURE(name);
      if (!frozen) {
        kill_and_wait(process);  // the view is a mix as long as somebody is inside
        world.wafers_ok({"umount", name});
      }
      CHECK(changes(wanted[name], world.inside(name, kListing)) == "");
      if (!frozen) process = start_inside(world, name);
    }
  }
  for (const auto& [name, process] : inside) kill_and_wait(process);

  world.wafers_ok({"git-commit", "b", "-m", "b"});
  world.wafers_ok({"git-commit", "c", "-m", "c"});
  const auto committed = [&](const std::string& name) {
    return world.base().git(
        {"diff-tree", "-r", "-M", "--name-status", "--no-commit-id", "wafers/" + name});
  };
  CHECK(committed("a") == "A\ta\nM\tsrc/f1\n");
  CHECK(committed("b") == "R100\tsrc/f3\tb/f3\nA\tb/new\nD\tsrc/f2\n");
  CHECK(committed("c") == "A\tdocs\nD\tdocs/d\nM\tsrc/f4\nA\tsrc/link\n");
  world.wafers_ok({"rm", "a", "b", "c"});
}

}  // namespace
}  // namespace wafers::test
