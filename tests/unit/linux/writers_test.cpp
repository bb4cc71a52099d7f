#include "linux/writers.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/fd.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace wafers;

TEST_CASE("who can write a file without opening it") {
  const test::TempDir temp;
  const auto path = temp / "file";
  std::ofstream(path) << "content";
  const UniqueFd reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto nobody = [&] { return has_no_writer(reader.get()); };
  CHECK(nobody());
  CHECK(nobody());  // nothing is left of the first question

  UniqueFd writer(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  CHECK_FALSE(nobody());
  void* const shared = ::mmap(nullptr, 1, PROT_READ | PROT_WRITE, MAP_SHARED, writer.get(), 0);
  REQUIRE(shared != MAP_FAILED);
  writer.reset();
  CHECK_FALSE(nobody());  // the mapping keeps it
  ::munmap(shared, 1);
  CHECK(nobody());

  void* const own = ::mmap(nullptr, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader.get(), 0);
  REQUIRE(own != MAP_FAILED);
  CHECK(nobody());
  ::munmap(own, 1);
}

TEST_CASE("who opens the file for writing meanwhile is let in, and hurts nobody") {
  const test::TempDir temp;
  const auto path = temp / "file";
  std::ofstream(path) << "content";
  const UniqueFd reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const pid_t writer = ::fork();
  if (writer == 0) {
    for (int i = 0; i < 20'000; ++i) {
      const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
      if (!fd) ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(writer, &status, WNOHANG) == 0) has_no_writer(reader.get());
  CHECK(status == 0);
  CHECK(has_no_writer(reader.get()));
}

TEST_CASE("a tmpfs is known") {
  CHECK_FALSE(hides_stores("/proc"));
  CHECK_FALSE(hides_stores("/nowhere"));
}
