// Stores through a shared mapping: the kernel changes a file's times at the first store to a clean
// page, and on a tmpfs not even then. What nobody can see by stat data is not lost for that.

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "cli/world.h"
#include "support/catch.h"

namespace wafers::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 4096;

/// A file's first page, in memory, with its descriptor closed.
class Mapped {
 public:
  explicit Mapped(const fs::path& file) {
    const UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    page_ = static_cast<volatile char*>(
        ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
    REQUIRE(page_ != MAP_FAILED);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  ~Mapped() { ::munmap(const_cast<char*>(page_), kPage); }

  char read() const { return page_[0]; }
  void store(std::string_view text) const {
    for (std::size_t i = 0; i < text.size(); ++i) page_[i] = text[i];
  }

 private:
  volatile char* page_ = nullptr;
};

/// Where temporary directories are made, until the end of this.
class TemporariesIn {
 public:
  explicit TemporariesIn(const std::string& directory) {
    if (const char* const before = std::getenv("TMPDIR")) before_ = before;
    if (!directory.empty()) ::setenv("TMPDIR", directory.c_str(), 1);
  }
  TemporariesIn(const TemporariesIn&) = delete;
  TemporariesIn& operator=(const TemporariesIn&) = delete;
  ~TemporariesIn() {
    before_.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", before_.c_str(), 1);
  }

 private:
  std::string before_;
};

bool is_tmpfs(const fs::path& path) {
  struct statfs info {};
  return ::statfs(path.c_str(), &info) == 0 && info.f_type == TMPFS_MAGIC;
}

/// Past the tick of the clock in which the file was changed: from then on stat data can prove
/// something.
void let_stat_data_settle() { ::usleep(20'000); }

TEST_CASE("a store through a mapping after a commit is work") {
  const std::string backend = GENERATE(from_range(working_backends()));
  const std::string place = GENERATE("", "/dev/shm");
  CAPTURE(backend, place);
  if (!place.empty() && (!is_tmpfs(place) || ::access(place.c_str(), W_OK) != 0)) return;
  const TemporariesIn temporaries(place);
  const World world;
  // A tmpfs has no room for the marks of such a backend before Linux 6.6.
  if (!world.wafers({"add", "a1", "--backend", backend}).ok() && !place.empty()) return;
  world.inside("a1", "head -c 4096 /dev/zero > data");
  const fs::path data = fs::path(world.listed("a1").at("host_path").get<std::string>()) / "data";
  SECTION("that was there when the commit was made") {
    const Mapped mapped(data);
    mapped.store("AAAA");
    let_stat_data_settle();
    world.wafers_ok({"git-commit", "a1", "-m", "A"});
    let_stat_data_settle();
    mapped.store("BBBB");
  }
  SECTION("that was there when a status was asked for") {
    world.wafers_ok({"git-commit", "a1", "-m", "empty"});
    const Mapped mapped(data);
    mapped.store("AAAA");
    let_stat_data_settle();
    world.wafers_ok({"git-status", "a1"});
    world.wafers_ok({"git-commit", "a1", "-m", "A"});
    let_stat_data_settle();
    mapped.store("BBBB");
  }
  SECTION("that was made later, and read first") {
    let_stat_data_settle();
    world.wafers_ok({"git-commit", "a1", "-m", "A"});
    let_stat_data_settle();
    const Mapped mapped(data);
    CHECK(mapped.read() == 0);
    mapped.store("BBBB");
  }
  const bool by_stat_data = backend == "fuse" || !is_tmpfs(world.state());
  if (by_stat_data) {
    CHECK(world.wafers_ok({"git-status", "a1", "--porcelain"}) == " M data\n");
  }
  const RunResult refused = world.wafers({"rm", "a1"});
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, Catch::Matchers::Contains(" M data"));
  world.wafers_ok({"git-commit", "a1", "-m", "B"});
  world.wafers_ok({"rm", "a1"});
  CHECK(world.base().git({"show", "wafers/a1:data"}).substr(0, 4) == "BBBB");
}

}  // namespace
}  // namespace wafers::test
