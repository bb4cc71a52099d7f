// inside <command> [argument]: what a process sees and may do where it runs. The same commands are
// run inside a wafer and outside of it, so that each answer has one to be compared with.

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// Lines of /proc/self/status that begin with one of `names`.
void print_status(const std::vector<std::string>& names) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    const std::string name = line.substr(0, line.find(':'));
    if (std::find(names.begin(), names.end(), name) != names.end()) std::cout << line << '\n';
  }
}

void ids() { std::cout << ::getuid() << ' ' << ::geteuid() << ' ' << ::getgid() << '\n'; }

void groups() { print_status({"Groups"}); }

void caps() { print_status({"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}); }

void signals() { print_status({"SigBlk", "SigIgn", "SigCgt"}); }

void mounts() {
  std::ifstream table("/proc/self/mountinfo");
  std::cout << table.rdbuf();
}

void cwd() { std::cout << fs::current_path().native() << '\n'; }

void fds() {
  // By lstat and not by opening the directory, which would add a descriptor to what is looked at.
  constexpr int kMost = 256;
  for (int fd = 0; fd < kMost; ++fd) {
    std::error_code error;
    const auto target = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
    if (!error) std::cout << fd << ' ' << target.native() << '\n';
  }
}

void ns() {
  for (const char* name : {"user", "mnt", "pid", "net"}) {
    std::cout << fs::read_symlink(fs::path("/proc/self/ns") / name).native() << '\n';
  }
}

void session() { std::cout << ::getsid(0) << ' ' << ::getpgrp() << ' ' << ::getppid() << '\n'; }

/// Tells that it is there, and stays until its standard input ends.
void wait() {
  std::cout << "ready" << std::endl;
  std::cin.get();
}

/// The same in a user and mount namespace of its own, as a sandbox in a wafer would be.
void sandbox() {
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) std::exit(EXIT_FAILURE);
  wait();
}

void hold(const std::string& path) {
  if (::open(path.c_str(), O_RDONLY | O_CLOEXEC) < 0) std::exit(EXIT_FAILURE);
  wait();
}

char* map(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) std::exit(EXIT_FAILURE);
  void* const memory = ::mmap(nullptr, static_cast<std::size_t>(status.st_size),
                              PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) std::exit(EXIT_FAILURE);
  ::close(fd);
  return static_cast<char*>(memory);
}

void hold_mapped(const std::string& path) {
  map(path);
  wait();
}

/// Writes through a shared mapping, without msync, and keeps the mapping.
void write_mapped(const std::string& path) {
  char* const memory = map(path);
  const std::string text = "mapped";
  std::copy(text.begin(), text.end(), memory);
  wait();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string argument = argc > 2 ? argv[2] : "";
  const std::map<std::string, std::function<void()>> commands{
      {"ids", ids},
      {"groups", groups},
      {"caps", caps},
      {"signals", signals},
      {"mounts", mounts},
      {"cwd", cwd},
      {"fds", fds},
      {"ns", ns},
      {"session", session},
      {"wait", wait},
      {"sandbox", sandbox},
      {"hold", [&] { hold(argument); }},
      {"hold-mapped", [&] { hold_mapped(argument); }},
      {"write-mapped", [&] { write_mapped(argument); }},
  };
  const auto command = argc > 1 ? commands.find(argv[1]) : commands.end();
  if (command == commands.end()) return 2;
  command->second();
  return 0;
}
