#include "linux/process_scan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <limits>

#include "base/fd.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

namespace wafers::test {
namespace {

TEST_CASE("a mapping with a path of the view uses it, whatever device the kernel says it is on") {
  const TempDir temp;
  const auto file = temp / "view/odd \n name";
  write_file(file, "mapped");
  constexpr auto kNone = std::numeric_limits<std::uint64_t>::max();
  const ViewIdentity nobodys{kNone, kNone};
  const auto used = [&](const char* mountpoint) {
    return uses_view(::getpid(), nobodys, temp / mountpoint);
  };
  CHECK_FALSE(used("view"));
  void* mapped = nullptr;
  {
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    mapped = ::mmap(nullptr, 1, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  }
  REQUIRE(mapped != MAP_FAILED);
  CHECK(used("view"));
  CHECK_FALSE(used("vie"));
  CHECK_FALSE(used("other"));
  std::filesystem::remove(file);  // the kernel marks the path then
  CHECK(used("view"));
  ::munmap(mapped, 1);
  CHECK_FALSE(used("view"));
}

}  // namespace
}  // namespace wafers::test
