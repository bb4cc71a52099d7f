#include "linux/group_map.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/error.h"
#include "linux/namespaces.h"
#include "os/child.h"
#include "os/files.h"

namespace wafers {
namespace {

/// newgidmap PID, and for each range: first id inside, first id outside, how many.
std::vector<std::string> arguments(const MappedGroups& wanted, gid_t own, pid_t target) {
  std::vector<std::string> words{"newgidmap", std::to_string(target)};
  const auto add = [&](gid_t group) {
    words.insert(words.end(), {std::to_string(group), std::to_string(group), "1"});
  };
  add(own);
  for (const gid_t group : wanted.groups) {
    if (group != own) add(group);
  }
  return words;
}

[[noreturn]] void wait_and_map(int go, const char* program, char* const* argv) noexcept {
  char byte = 0;
  if (::read(go, &byte, 1) == 1) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, stream);
    char* const no_environment[] = {nullptr};
    ::execve(program, argv, no_environment);
  }
  ::_exit(EXIT_FAILURE);
}

}  // namespace

std::vector<gid_t> supplementary_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return groups;
}

GroupMapper::GroupMapper(const MappedGroups& wanted, gid_t own) {
  Pipe pipe = make_pipe();
  std::vector<std::string> words = arguments(wanted, own, ::getpid());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw_errno("cannot start a process that maps groups");
  if (pid_ == 0) {
    pipe.writer.reset();
    wait_and_map(pipe.reader.get(), wanted.newgidmap.c_str(), argv.data());
  }
  go_ = std::move(pipe.writer);
}

GroupMapper::~GroupMapper() {
  if (pid_ < 0) return;
  go_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool GroupMapper::map() {
  const pid_t pid = std::exchange(pid_, -1);
  const bool told = ::write(go_.get(), "", 1) == 1;
  go_.reset();
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return told && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

void map_own_ids(uid_t uid, gid_t gid, GroupMapper* mapper) {
  map_own_uid(uid);
  if (mapper == nullptr || !mapper->map()) map_own_gid(gid);
}

bool can_map(const MappedGroups& wanted) {
  if (wanted.groups.empty() || wanted.newgidmap.empty()) return false;
  const auto failure = run_in_child([&] {
    GroupMapper mapper(wanted, ::getegid());
    unshare_user_and_mount();
    if (!mapper.map()) throw Error(ErrorKind::failed, "newgidmap refuses");
  });
  return !failure;
}

}  // namespace wafers
