#include "os/files.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>

#include "base/error.h"
#include "linux/mount_table.h"
#include "os/find_program.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace wafers;
using Catch::Matchers::Contains;

TEST_CASE("what comes in pieces is read in full") {
  Pipe pipe = make_pipe();
  write_all(pipe.writer.get(), "abc");
  std::jthread writer([fd = std::move(pipe.writer), reader = pipe.reader.get()] {
    int waiting = 1;
    while (waiting > 0 && ::ioctl(reader, FIONREAD, &waiting) == 0) std::this_thread::yield();
    write_all(fd.get(), "def");
  });
  std::string text(7, '.');
  CHECK(read_full(pipe.reader.get(), text.data(), 6) == 6);
  CHECK(text == "abcdef.");
}

TEST_CASE("read_small_file: absence is a value") {
  CHECK_FALSE(read_small_file("/proc/self/nonexistent"));
  CHECK_FALSE(read_small_file("/proc/self"));  // a directory
  CHECK(read_small_file("/proc/self/status").value().find("Name:") == 0);
}

TEST_CASE("write_existing_file makes no file") {
  const test::TempDir directory;
  const std::string path = directory / "file";
  CHECK_THROWS_WITH(write_existing_file(path, "x"), Contains("ENOENT"));
}

TEST_CASE("a memory file is read from its start") {
  const std::string content(100000, 'x');
  CHECK(read_to_end(make_memory_file(content).get()) == content);
}

TEST_CASE("read_full reads on until the buffer is full or the file ends") {
  const UniqueFd file = make_memory_file("abcdef");
  std::string buffer(4, '\0');
  CHECK(read_full(file.get(), buffer.data(), buffer.size()) == 4);
  CHECK(buffer == "abcd");
  CHECK(read_full(file.get(), buffer.data(), buffer.size()) == 2);
  CHECK(read_full(file.get(), buffer.data(), buffer.size()) == 0);
  CHECK(read_full(-1, buffer.data(), buffer.size()) == -1);
}

TEST_CASE("regular files are read whole, whatever their size, and nothing else is") {
  const test::TempDir directory;
  const UniqueFd anchor = open_anchor(directory.path());
  for (const std::size_t size : {0U, 1U, 4096U, 65536U, 100000U}) {
    const std::string content(size, 'x');
    write_all(open_or_throw(directory / "file", O_WRONLY | O_CREAT | O_TRUNC, 0600).get(), content);
    CHECK(read_file(directory / "file") == content);
    CHECK(read_file_at(anchor.get(), "file") == content);
    CHECK(read_small_file(directory / "file") == content);
  }
  REQUIRE(::symlink("file", (directory / "link").c_str()) == 0);
  REQUIRE(::mkfifo((directory / "fifo").c_str(), 0600) == 0);
  CHECK(read_file(directory / "link"));
  CHECK_FALSE(read_file_at(anchor.get(), "link"));
  CHECK_FALSE(read_file(directory / "fifo"));
  CHECK_FALSE(read_file(directory.path()));
  CHECK_FALSE(read_file(directory / "missing"));
}

TEST_CASE("errors of writing name what they know") {
  CHECK_THROWS_WITH(write_all(-1, "x"), "cannot write: Bad file descriptor (EBADF)");
  CHECK_THROWS_WITH(write_all(-1, "x", "it"), "cannot write 'it': Bad file descriptor (EBADF)");
}

TEST_CASE("path_of_fd leads to the open directory, whatever its name") {
  const test::TempDir directory("odd,:\\ \n name");
  const UniqueFd anchor = open_anchor(directory.path());
  CHECK(std::filesystem::equivalent(path_of_fd(anchor.get()), directory.path()));
  CHECK_THROWS_WITH(open_anchor(directory / "missing"), Contains("ENOENT"));
}

TEST_CASE("find_program takes programs only") {
  CHECK(find_program("sh").value().is_absolute());
  CHECK_FALSE(find_program("no-such-program-anywhere"));
}

TEST_CASE("the mount table has /proc, and nothing where nothing is mounted") {
  const auto table = own_mount_table();
  const auto proc = find_mount(table, "/proc");
  REQUIRE(proc);
  CHECK(proc->type == "proc");
  struct stat status {};
  REQUIRE(::stat("/proc", &status) == 0);
  CHECK(proc->device == status.st_dev);
  CHECK_FALSE(find_mount(table, "/proc/self/no-mountpoint"));
}

TEST_CASE("the topmost mount counts") {
  const std::vector<MountEntry> table{{"/a", "x", "first", 1, 1}, {"/a", "x", "second", 2, 2}};
  CHECK(find_mount(table, "/a")->source == "second");
}
