#include "support/git_repo.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/temp_dir.h"

namespace wafers::test {
namespace {

const TempDir& home() {
  static const TempDir directory;
  return directory;
}

void set_hermetic_environment() {
  std::vector<std::string> inherited;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string setting = *entry;
    const std::string key = setting.substr(0, setting.find('='));
    if (key.starts_with("GIT_") || key == "EMAIL") inherited.push_back(key);
  }
  for (const std::string& key : inherited) ::unsetenv(key.c_str());
  const std::pair<const char*, std::string> settings[] = {
      {"HOME", home().path()},
      {"XDG_CONFIG_HOME", home() / ".config"},
      {"GIT_CONFIG_NOSYSTEM", "1"},
      {"GIT_AUTHOR_NAME", "A U Thor"},
      {"GIT_AUTHOR_EMAIL", "author@example.com"},
      {"GIT_AUTHOR_DATE", "1112911993 -0700"},
      {"GIT_COMMITTER_NAME", "C O Mitter"},
      {"GIT_COMMITTER_EMAIL", "committer@example.com"},
      {"GIT_COMMITTER_DATE", "1112911993 -0700"},
      {"GIT_TEST_FSYNC", "0"},  // speed: a test has no power cut
      {"LC_ALL", "C"},
      {"TZ", "UTC"},
  };
  for (const auto& [key, value] : settings) ::setenv(key, value.c_str(), 1);
}

}  // namespace

void use_hermetic_git() {
  static const bool once = (set_hermetic_environment(), true);
  (void)once;
}

std::filesystem::path hermetic_home() { return home().path(); }

GitRepo GitRepo::init(const std::filesystem::path& directory) {
  use_hermetic_git();
  std::filesystem::create_directories(directory);
  GitRepo repo(directory);
  repo.git({"init", "-q", "-b", "main"});
  // Nothing may go on in the background while a test looks at the files.
  repo.git({"config", "gc.auto", "0"});
  repo.git({"config", "maintenance.auto", "false"});
  return repo;
}

GitRepo::GitRepo(std::filesystem::path directory) : path_(std::move(directory)) {
  use_hermetic_git();
}

std::string GitRepo::git(const std::vector<std::string>& arguments,
                         const RunOptions& options) const {
  std::vector<std::string> argv{"git", "-C", path_};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_ok(argv, options);
}

std::string GitRepo::git_line(const std::vector<std::string>& arguments) const {
  std::string line = git(arguments);
  if (line.ends_with('\n')) line.pop_back();
  return line;
}

RunResult GitRepo::try_git(const std::vector<std::string>& arguments,
                           const RunOptions& options) const {
  std::vector<std::string> argv{"git", "-C", path_};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv, options);
}

void GitRepo::write(const std::filesystem::path& file, std::string_view content) const {
  write_file(path_ / file, content);
}

std::string GitRepo::commit_all(const std::string& message) const {
  git({"add", "-A"});
  git({"commit", "-q", "--allow-empty", "-m", message});
  return head();
}

void write_file(const std::filesystem::path& file, std::string_view content) {
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  stream.close();
  if (!stream) throw std::runtime_error("cannot write " + file.string());
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace wafers::test
