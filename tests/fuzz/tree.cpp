#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>

#include "base/fd.h"
#include "operation.h"

namespace wafers::fuzz {
namespace {

template <typename Result>
Result checked(Result result) {
  if (result < 0) throw TreeError{errno};
  return result;
}

struct CloseDirectory {
  void operator()(DIR* stream) const noexcept { ::closedir(stream); }
};

UniqueFd open_directory(int dirfd, const std::string& name) {
  return UniqueFd(
      checked(::openat(dirfd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
}

UniqueFd open_file(int dirfd, const std::string& name) {
  return UniqueFd(checked(::openat(dirfd, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)));
}

struct stat stat_of(int dirfd, const std::string& name) {
  struct stat st {};
  checked(::fstatat(dirfd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW));
  return st;
}

std::string target_of(int dirfd, const std::string& name) {
  std::array<char, 4096> buffer{};
  const ssize_t size = checked(::readlinkat(dirfd, name.c_str(), buffer.data(), buffer.size()));
  return {buffer.data(), static_cast<std::size_t>(size)};
}

void copy_file(int from_dirfd, const std::string& from, int to_dirfd, const std::string& to) {
  const std::string content = content_of(open_file(from_dirfd, from).get());
  const UniqueFd target(
      checked(::openat(to_dirfd, to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
  std::string_view rest = content;
  while (!rest.empty()) {
    rest.remove_prefix(
        static_cast<std::size_t>(checked(::write(target.get(), rest.data(), rest.size()))));
  }
}

std::uint64_t hash_of(std::string_view content) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

char type_of(const struct stat& st) {
  if (S_ISREG(st.st_mode)) return 'f';
  if (S_ISDIR(st.st_mode)) return 'd';
  return S_ISLNK(st.st_mode) ? 'l' : 's';
}

std::string describe(int dirfd, const std::string& name, const struct stat& st) {
  if (S_ISDIR(st.st_mode)) return "directory";
  if (S_ISLNK(st.st_mode)) return "-> " + quote(target_of(dirfd, name));
  std::array<char, 64> text{};
  if (!S_ISREG(st.st_mode)) {
    std::snprintf(text.data(), text.size(), "special %o", st.st_mode);
    return text.data();
  }
  std::snprintf(text.data(), text.size(), "%03o %lld ", st.st_mode & 0777U,
                static_cast<long long>(st.st_size));
  const UniqueFd file(::openat(dirfd, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return text.data() + std::string("unreadable");
  return text.data() + std::to_string(hash_of(content_of(file.get())));
}

void list(int dirfd, const std::string& prefix, Inner inner, std::string& text) {
  for (const std::string& name : names_in(dirfd)) {
    if (prefix.empty() && name == ".git") continue;
    const struct stat st = stat_of(dirfd, name);
    text += quote(prefix + name) + ' ' + describe(dirfd, name, st) + '\n';
    if (!S_ISDIR(st.st_mode) || (inner == Inner::leave_out && name == ".git")) continue;
    const UniqueFd child(
        ::openat(dirfd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (child) list(child.get(), prefix + name + "/", inner, text);
  }
}

void collect(int dirfd, const std::string& prefix, std::vector<Entry>& entries) {
  for (const std::string& name : names_in(dirfd)) {
    if (name == ".git") continue;
    const char type = type_of(stat_of(dirfd, name));
    entries.push_back({prefix + name, type});
    if (type != 'd') continue;
    const UniqueFd child(
        ::openat(dirfd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (child) collect(child.get(), prefix + name + '/', entries);
  }
}

}  // namespace

std::vector<std::string> names_in(int dirfd) {
  UniqueFd own(checked(::openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(own.get()));
  if (!stream) throw TreeError{errno};
  (void)own.release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string content_of(int fd) {
  std::string content;
  std::array<char, 65536> buffer{};
  while (const ssize_t got = checked(::read(fd, buffer.data(), buffer.size()))) {
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return content;
}

void copy_tree(int from_dirfd, const std::string& from, int to_dirfd, const std::string& to) {
  const struct stat st = stat_of(from_dirfd, from);
  if (S_ISLNK(st.st_mode)) {
    checked(::symlinkat(target_of(from_dirfd, from).c_str(), to_dirfd, to.c_str()));
  } else if (S_ISDIR(st.st_mode)) {
    const UniqueFd source = open_directory(from_dirfd, from);
    checked(::mkdirat(to_dirfd, to.c_str(), 0700));
    const UniqueFd target = open_directory(to_dirfd, to);
    for (const std::string& name : names_in(source.get())) {
      copy_tree(source.get(), name, target.get(), name);
    }
  } else if (S_ISREG(st.st_mode)) {
    copy_file(from_dirfd, from, to_dirfd, to);
  } else {
    checked(::mknodat(to_dirfd, to.c_str(), st.st_mode & (S_IFMT | 0777U), 0));
  }
  if (!S_ISLNK(st.st_mode)) {
    checked(::fchmodat(to_dirfd, to.c_str(), st.st_mode & 07777U, 0));
  }
  const std::array<timespec, 2> times{st.st_atim, st.st_mtim};
  ::utimensat(to_dirfd, to.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

void remove_tree_at(int dirfd, const std::string& name) {
  if (S_ISDIR(stat_of(dirfd, name).st_mode)) {
    const UniqueFd dir = open_directory(dirfd, name);
    for (const std::string& child : names_in(dir.get())) remove_tree_at(dir.get(), child);
    checked(::unlinkat(dirfd, name.c_str(), AT_REMOVEDIR));
  } else {
    checked(::unlinkat(dirfd, name.c_str(), 0));
  }
}

std::string listing(const std::filesystem::path& root, Inner inner) {
  std::string text;
  list(open_directory(AT_FDCWD, root).get(), {}, inner, text);
  return text;
}

std::vector<Entry> entries_below(const std::filesystem::path& root) {
  std::vector<Entry> entries;
  collect(open_directory(AT_FDCWD, root).get(), {}, entries);
  return entries;
}

}  // namespace wafers::fuzz
