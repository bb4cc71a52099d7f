#include "apply.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "tree.h"

namespace wafers::fuzz {
namespace {

/// What ends an operation.
struct Failed {
  int error;
};

template <typename Result>
Result succeeded(Result result) {
  if (result < 0) throw Failed{errno};
  return result;
}

/// openat(2) that can't leave the directory. With `links` symlinks on the way are followed.
UniqueFd open_beneath(int root, const std::string& path, int flags, bool links = false) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  if ((flags & O_CREAT) != 0) how.mode = 0644;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (!links) how.resolve |= RESOLVE_NO_SYMLINKS;
  long fd = -1;
  do {  // ".." and a rename anywhere at the same moment: openat2(2), EAGAIN
    fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
  } while (fd < 0 && errno == EAGAIN);
  return UniqueFd(static_cast<int>(succeeded(fd)));
}

/// `dir/name` apart; the directory of a name alone is `.`.
std::pair<std::string, std::string> split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

void write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    data.remove_prefix(static_cast<std::size_t>(succeeded(::write(fd, data.data(), data.size()))));
  }
}

/// Makes `path` and what is missing on the way.
void make_directories(int root, const std::string& path) {
  for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
    const auto [parent, name] = split(path.substr(0, end));
    if (name != ".") {
      const UniqueFd dir = open_beneath(root, parent, O_PATH | O_DIRECTORY);
      if (::mkdirat(dir.get(), name.c_str(), 0755) != 0 && errno != EEXIST) throw Failed{errno};
    }
    if (end == std::string::npos) break;
  }
  open_beneath(root, path, O_PATH | O_DIRECTORY);  // EEXIST may have been a file
}

timespec time_at(std::int64_t seconds) { return {.tv_sec = seconds, .tv_nsec = 0}; }

}  // namespace

/// A directory held open, and a name in it.
struct Applier::Place {
  UniqueFd dir;
  std::string name;
};

Applier::Applier(const std::filesystem::path& root, std::filesystem::path repository,
                 std::int64_t first_time)
    : root_(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
      repository_(std::move(repository)),
      time_(first_time) {
  if (!root_) throw std::runtime_error("cannot open " + root.native());
}

Applier::Place Applier::place(const std::string& path) const {
  auto [parent, name] = split(path);
  return {open_beneath(root_.get(), parent, O_RDONLY | O_DIRECTORY), std::move(name)};
}

Applier::Place Applier::place_made(const std::string& path) const {
  make_directories(root_.get(), split(path).first);
  return place(path);
}

UniqueFd Applier::open_file(const std::string& path, int flags) const {
  // Not stopped by a fifo that nobody reads.
  return open_beneath(root_.get(), path, flags | O_NONBLOCK, true);
}

void Applier::stamp_tree(int dirfd, const std::string& name) const {
  const std::array<timespec, 2> times{time_at(time_), time_at(time_)};
  const UniqueFd dir(
      ::openat(dirfd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (dir) {
    for (const std::string& child : names_in(dir.get())) stamp_tree(dir.get(), child);
    return;
  }
  ::utimensat(dirfd, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

void Applier::stamp(const std::string& path) const {
  if (time_ == 0) return;
  try {
    const Place at = place(path);
    stamp_tree(at.dir.get(), at.name);
  } catch (const Failed&) {  // it is gone: nothing to stamp
  }
}

void Applier::write(const std::string& path, int flags, const std::string& data) const {
  const UniqueFd file = open_file(path, flags);
  write_all(file.get(), data);
  // Here too, since the path may have been a symlink to the file.
  const std::array<timespec, 2> times{time_at(time_), time_at(time_)};
  if (time_ != 0) ::futimens(file.get(), times.data());
}

void Applier::save(const std::string& path, const std::string& data) const {
  const Place at = place_made(path);
  const std::string temporary = at.name.substr(0, 200) + ".saving";
  const UniqueFd file(
      succeeded(::openat(at.dir.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)));
  write_all(file.get(), data);
  if (::renameat(at.dir.get(), temporary.c_str(), at.dir.get(), at.name.c_str()) != 0) {
    const int error = errno;
    ::unlinkat(at.dir.get(), temporary.c_str(), 0);
    throw Failed{error};
  }
}

void Applier::rewrite(const std::string& path) const {
  const UniqueFd file = open_file(path, O_RDONLY);
  struct stat st {};
  succeeded(::fstat(file.get(), &st));
  if (!S_ISREG(st.st_mode)) throw Failed{EINVAL};
  const std::string content = content_of(file.get());
  write(path, O_WRONLY | O_TRUNC, content);
}

void Applier::change_mode(const std::string& path, const std::string& mode) const {
  const Place at = place(path);
  struct stat st {};
  succeeded(::fstatat(at.dir.get(), at.name.c_str(), &st, AT_SYMLINK_NOFOLLOW));
  if (S_ISLNK(st.st_mode)) throw Failed{EOPNOTSUPP};
  succeeded(::fchmodat(at.dir.get(), at.name.c_str(),
                       static_cast<mode_t>(std::strtoul(mode.c_str(), nullptr, 8)), 0));
}

void Applier::rename(const std::string& from, const std::string& to) const {
  const Place source = place(from);
  const Place target = place_made(to);
  if (::renameat(source.dir.get(), source.name.c_str(), target.dir.get(), target.name.c_str()) ==
      0) {
    return;
  }
  if (errno != EXDEV) throw Failed{errno};
  // What an overlay says of a directory of its lower layer (redirect_dir is off), before it looks
  // at what is in the way.
  struct stat there {};
  if (::fstatat(target.dir.get(), target.name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISDIR(there.st_mode)) throw Failed{ENOTDIR};
    succeeded(::unlinkat(target.dir.get(), target.name.c_str(), AT_REMOVEDIR));
  }
  copy_tree(source.dir.get(), source.name, target.dir.get(), target.name);
  remove_tree_at(source.dir.get(), source.name);
}

void Applier::make_special(const std::string& path, unsigned type) const {
  const Place at = place_made(path);
  succeeded(::mknodat(at.dir.get(), at.name.c_str(), type | 0644, 0));
}

void Applier::make_repository(const std::string& path, bool with_commits) const {
  make_directories(root_.get(), path);
  const UniqueFd dir = open_beneath(root_.get(), path, O_RDONLY | O_DIRECTORY);
  const std::string source = (repository_ / (with_commits ? "one" : "unborn")).native();
  const UniqueFd templates(::open(source.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (::faccessat(dir.get(), ".git", F_OK, AT_SYMLINK_NOFOLLOW) == 0) throw Failed{EEXIST};
  for (const std::string& name : names_in(templates.get())) {
    if (::faccessat(dir.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) continue;
    copy_tree(templates.get(), name, dir.get(), name);
  }
}

void Applier::advance(const std::string& path) const {
  const UniqueFd source(::open((repository_ / "second").c_str(), O_RDONLY | O_CLOEXEC));
  write(path + "/.git/refs/heads/main", O_WRONLY | O_TRUNC, content_of(source.get()));
}

void Applier::run(const Operation& operation) const {
  using Do = std::function<void(const Applier&, const std::vector<std::string>&)>;
  using Args = const std::vector<std::string>&;
  static const std::map<std::string_view, Do> verbs{
      {"write",
       [](const Applier& here, Args a) {
         make_directories(here.root_.get(), split(a.at(0)).first);
         here.write(a[0], O_WRONLY | O_CREAT | O_TRUNC, a.at(1));
       }},
      {"save", [](const Applier& here, Args a) { here.save(a.at(0), a.at(1)); }},
      {"append",
       [](const Applier& here, Args a) { here.write(a.at(0), O_WRONLY | O_APPEND, a.at(1)); }},
      {"rewrite", [](const Applier& here, Args a) { here.rewrite(a.at(0)); }},
      {"open", [](const Applier& here, Args a) { here.open_file(a.at(0), O_RDWR); }},
      {"touch",
       [](const Applier& here, Args a) {
         const Place at = here.place(a.at(0));
         succeeded(::utimensat(at.dir.get(), at.name.c_str(), nullptr, AT_SYMLINK_NOFOLLOW));
       }},
      {"truncate",
       [](const Applier& here, Args a) {
         succeeded(::ftruncate(here.open_file(a.at(0), O_WRONLY).get(), std::stol(a.at(1))));
       }},
      {"chmod", [](const Applier& here, Args a) { here.change_mode(a.at(0), a.at(1)); }},
      {"unlink",
       [](const Applier& here, Args a) {
         const Place at = here.place(a.at(0));
         succeeded(::unlinkat(at.dir.get(), at.name.c_str(), 0));
       }},
      {"rmtree",
       [](const Applier& here, Args a) {
         const Place at = here.place(a.at(0));
         remove_tree_at(at.dir.get(), at.name);
       }},
      {"mkdir", [](const Applier& here, Args a) { make_directories(here.root_.get(), a.at(0)); }},
      {"symlink",
       [](const Applier& here, Args a) {
         const Place at = here.place_made(a.at(0));
         succeeded(::symlinkat(a.at(1).c_str(), at.dir.get(), at.name.c_str()));
       }},
      {"link",
       [](const Applier& here, Args a) {
         const Place at = here.place(a.at(0));
         const Place to = here.place_made(a.at(1));
         succeeded(::linkat(at.dir.get(), at.name.c_str(), to.dir.get(), to.name.c_str(), 0));
       }},
      {"rename", [](const Applier& here, Args a) { here.rename(a.at(0), a.at(1)); }},
      {"fifo", [](const Applier& here, Args a) { here.make_special(a.at(0), S_IFIFO); }},
      {"socket", [](const Applier& here, Args a) { here.make_special(a.at(0), S_IFSOCK); }},
      {"repository", [](const Applier& here, Args a) { here.make_repository(a.at(0), true); }},
      {"unborn", [](const Applier& here, Args a) { here.make_repository(a.at(0), false); }},
      {"advance", [](const Applier& here, Args a) { here.advance(a.at(0)); }},
  };
  const auto verb = verbs.find(operation.verb);
  if (verb == verbs.end()) throw std::runtime_error("no operation: " + operation.verb);
  verb->second(*this, operation.args);
}

int Applier::apply(const Operation& operation) {
  int error = 0;
  try {
    run(operation);
  } catch (const Failed& failed) {
    error = failed.error;
  } catch (const TreeError& failed) {
    error = failed.error;
  }
  if (operation.verb == "write" || operation.verb == "append" || operation.verb == "mkdir") {
    stamp(operation.args.at(0));
  } else {
    // Targets of symlinks are no paths, but then there is nothing to stamp.
    for (const std::string& argument : operation.args) stamp(argument);
  }
  if (time_ != 0) ++time_;
  return error;
}

}  // namespace wafers::fuzz
