#include "cli/world.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>

#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

GitRepo make_base(const fs::path& path) {
  GitRepo repo = GitRepo::init(path);
  repo.write("README", "base\n");
  repo.write("src/main.c", "int main(void) { return 0; }\n");
  repo.write("src/old.c", "old\n");
  repo.write(".gitignore", "*.o\n");
  repo.commit_all("base");
  repo.write("ignored.o", "object\n");
  return repo;
}

/// One line for a file: type and mode, name, and what it holds.
std::string described(const fs::path& path, const fs::path& top) {
  struct stat stat {};
  if (::lstat(path.c_str(), &stat) != 0) return {};
  std::string line = std::to_string(stat.st_mode) + " " + path.lexically_relative(top).native();
  if (S_ISREG(stat.st_mode)) {
    line += " " + std::to_string(stat.st_mtim.tv_sec) + "." + std::to_string(stat.st_mtim.tv_nsec);
    line += " " + read_file(path);
  }
  if (S_ISLNK(stat.st_mode)) line += " -> " + fs::read_symlink(path).native();
  return line;
}

/// What may differ without harm: objects that nothing refers to, lock files, the private index (a
/// cache), the kernel's work directory.
bool is_irrelevant(const fs::path& relative) {
  const std::string text = relative.native();
  if (text.find(".git/objects") != std::string::npos) return true;
  if (!text.starts_with("state/")) return false;
  const std::string name = relative.filename().native();
  return name == ".lock" || name == "lock" || name == "index" || name == "work" ||
         text.find("/work/") != std::string::npos;
}

/// Of a file of /proc; empty where the process is gone.
std::string content_of(const fs::path& file) {
  std::ostringstream content;
  content << std::ifstream(file, std::ios::binary).rdbuf();
  return content.str();
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::istringstream stream(content_of(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Views below `top` that are mounted in this mount namespace, and those of holders in theirs. The
/// record of a mount is one line (proc_pid_mountinfo(5)), in which names like ours stand as they
/// are.
std::vector<std::string> mounts_below(const fs::path& top) {
  const auto is_view = [&](const std::string& line, const std::string& type) {
    return line.find(type) != std::string::npos && line.find(top.native()) != std::string::npos;
  };
  std::vector<std::string> found;
  for (const std::string& line : lines_of("/proc/self/mountinfo")) {
    if (is_view(line, " - overlay wafers:") || is_view(line, " - fuse")) found.push_back(line);
  }
  for (const auto& entry : fs::directory_iterator("/proc")) {
    if (lines_of(entry.path() / "comm") != std::vector<std::string>{"wafers-holder"}) continue;
    // What was mounted when it came, perhaps by another suite, it has copies of. Its own comes
    // last, and bears the name from its command line.
    const std::string words = content_of(entry.path() / "cmdline");
    const std::string name = words.substr(std::min(words.find('\0') + 1, words.size()));
    const std::string own = " - overlay wafers:" + std::string(name.c_str()) + ":";
    const auto mounts = lines_of(entry.path() / "mountinfo");
    if (!mounts.empty() && is_view(mounts.back(), own)) {
      found.push_back("holder " + entry.path().filename().native() + ": " + mounts.back());
    }
  }
  return found;
}

bool works(const std::string& backend) {
  const World world;
  const RunResult result = world.wafers({"add", "probe", "--backend", backend});
  if (!result.ok()) std::cerr << "backend " << backend << ": " << result.err;
  return result.ok();
}

std::vector<std::string> find_working_backends() {
  std::vector<std::string> expected{"namespace", "fuse"};
  if (::geteuid() == 0) expected.emplace_back("host");
  std::vector<std::string> found;
  std::ranges::copy_if(expected, std::back_inserter(found), works);
  const bool must_run = std::getenv("WAFERS_TESTS_MUST_RUN") != nullptr;
  if (found.empty() || (must_run && found != expected)) {
    throw std::runtime_error("not every backend works that should");
  }
  if (const char* const only = std::getenv("WAFERS_TESTS_BACKEND")) {
    std::erase_if(found, [&](const std::string& backend) { return backend != only; });
    if (found.empty()) throw std::runtime_error("WAFERS_TESTS_BACKEND names none that works");
  }
  return found;
}

}  // namespace

World::World(const std::string& name) : top_(name), base_(make_base(top_ / "base")) {}

World::~World() {
  try {
    wafers({"rm", "--all", "--force", "--no-salvage", "--kill"});
  } catch (const std::exception& error) {
    std::cerr << "cannot clean up: " << error.what() << '\n';
  }
}

RunResult World::wafers(const Words& arguments, RunOptions options) const {
  return run_program(WAFERS_PROGRAM, arguments, std::move(options));
}

RunResult World::run_program(const fs::path& program, const Words& arguments,
                             RunOptions options) const {
  Words argv{program};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  if (options.cwd.empty()) options.cwd = base_.path();
  const auto is_state = [](const std::string& word) {
    return word.starts_with("WAFERS_STATE_DIR=");
  };
  if (std::ranges::none_of(options.environment, is_state)) {
    options.environment.push_back("WAFERS_STATE_DIR=" + state().native());
  }
  options.environment.insert(options.environment.end(), {"WAFERS_NAME", "NO_COLOR", "COLUMNS"});
  return run(argv, options);
}

std::string World::wafers_ok(const Words& arguments, const RunOptions& options) const {
  const RunResult result = wafers(arguments, options);
  if (result.ok()) return result.out;
  std::string command = "wafers";
  for (const std::string& word : arguments) command += " " + word;
  throw std::runtime_error(command + " failed with " + std::to_string(result.status) + ": " +
                           result.err);
}

nlohmann::json World::json(Words arguments) const {
  arguments.emplace_back("--json");
  return nlohmann::json::parse(wafers(arguments).out);
}

nlohmann::json World::listed(const std::string& name) const {
  const nlohmann::json listing = json({"ls"});
  for (const auto& wafer : listing.at("wafers")) {
    if (wafer["name"] == name) return wafer;
  }
  throw std::runtime_error("ls does not list " + name);
}

std::string World::inside(const std::string& name, const std::string& script) const {
  return wafers_ok({"exec", name, "--", "sh", "-euc", script});
}

std::string World::in_base(const std::string& script) const {
  return run_ok({"sh", "-euc", script}, {.cwd = base_.path(), .environment = {}, .input = {}});
}

std::string World::in_copy(const std::string& script) const {
  return run_ok({"sh", "-euc", script}, {.cwd = top_ / "copy", .environment = {}, .input = {}});
}

void World::add(const std::string& name, const std::string& backend, const Words& more) const {
  Words arguments{"add", name, "--backend", backend};
  arguments.insert(arguments.end(), more.begin(), more.end());
  wafers_ok(arguments);
}

std::string World::shortened(std::string text) const {
  const std::string top = top_.path().native();
  for (std::size_t at = text.find(top); at != std::string::npos; at = text.find(top, at)) {
    text.replace(at, top.size(), "{top}");
  }
  return text;
}

std::string World::everything() const {
  std::vector<std::string> lines;
  for (auto it = fs::recursive_directory_iterator(top_.path()); it != fs::end(it); ++it) {
    if (!is_irrelevant(it->path().lexically_relative(top_.path()))) {
      lines.push_back(described(it->path(), top_.path()));
    } else if (it->is_directory() && !it->is_symlink()) {
      it.disable_recursion_pending();
    }
  }
  std::ranges::move(mounts_below(top_.path()), std::back_inserter(lines));
  std::ranges::sort(lines);
  std::string text = base_.try_git({"for-each-ref"}).out;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string changes(const std::string& before, const std::string& after) {
  const auto split = [](const std::string& text) {
    std::istringstream stream(text);
    std::multiset<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.insert(line);
    return lines;
  };
  const auto old_lines = split(before);
  const auto new_lines = split(after);
  std::vector<std::string> gone;
  std::vector<std::string> added;
  std::ranges::set_difference(old_lines, new_lines, std::back_inserter(gone));
  std::ranges::set_difference(new_lines, old_lines, std::back_inserter(added));
  std::string text;
  for (const std::string& line : gone) text += "-" + line + "\n";
  for (const std::string& line : added) text += "+" + line + "\n";
  return text;
}

void check_refused(const World& world, const Refusal& wanted, const RunOptions& options) {
  std::string command = "wafers";
  for (const std::string& word : wanted.arguments) command += " " + word;
  INFO(command);
  const std::string before = world.everything();
  const RunResult result = world.wafers(wanted.arguments, options);
  CHECK(result.status == wanted.status);
  CHECK(result.out.empty());
  CHECK(world.shortened(result.err) == wanted.err);
  CHECK(changes(before, world.everything()) == "");
}

std::string see_help(const std::string& command) {
  return "hint: see 'wafers help " + command + "'\n";
}

const std::vector<std::string>& working_backends() {
  static const std::vector<std::string> found = find_working_backends();
  return found;
}

std::string any_backend() { return working_backends().front(); }

pid_t start_inside(const World& world, const std::string& name) {
  return std::stoi(world.inside(name, "sleep 1000 > /dev/null 2>&1 & echo $!"));
}

}  // namespace wafers::test
