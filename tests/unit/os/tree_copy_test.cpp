#include "os/tree_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "support/catch.h"
#include "support/run.h"
#include "support/temp_dir.h"

using namespace wafers;
namespace fs = std::filesystem;

namespace {

void put(const fs::path& path, const std::string& content) { std::ofstream(path) << content; }

/// Everything that a copy must have, by name.
std::string listing(const fs::path& top) {
  return test::run_ok({"sh", "-euc", R"(
    find . -printf '%P|%y|%m|%U:%G|%TY%Tm%Td%TH%TM%TS|%n|%l' \( -type f -printf '|%s' -o -true \) \
      -printf '\n' | sort
    find . -type f -exec sha256sum {} + | sort)"},
                      {.cwd = top, .environment = {}, .input = {}});
}

void copy_all(const fs::path& from, const fs::path& to) {
  const PlainDir top = PlainDir::open(to, "the copy");
  const PlainDir original = PlainDir::open(from, "the original");
  TreeCopy copy(top);
  copy.copy_all(original);
  copy.finish(original);
}

struct Place {
  test::TempDir directory;
  fs::path from = directory / "from";
  fs::path to = directory / "to";

  Place() {
    fs::create_directory(from);
    fs::create_directory(to);
  }
};

/// Does `work` again and again while `meanwhile` runs.
void while_doing(const std::function<void()>& work, const std::function<void()>& meanwhile) {
  std::atomic<bool> stop = false;
  std::thread worker([&] {
    while (!stop) work();
  });
  try {
    meanwhile();
  } catch (...) {
    stop = true;
    worker.join();
    throw;
  }
  stop = true;
  worker.join();
}

std::string attribute(const fs::path& path, const char* name) {
  std::string value(100, '\0');
  const ssize_t size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
  value.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return size < 0 ? "none" : value;
}

}  // namespace

TEST_CASE("a copy of a tree has all that there is, as it is") {
  const Place place;
  test::run_ok({"sh", "-euc", R"(
    mkdir -p d/e/f closed; echo one > d/one; echo two > 'd/e/a
name'; echo run > d/e/run; chmod 750 d/e/run
    ln d/one d/e/other; ln d/one third; ln -s ../nowhere d/link; mkfifo -m 640 d/fifo
    head -c 300000 /dev/urandom > large; : > empty; truncate -s 3M holes; printf end >> holes
    echo in > closed/in; chmod 555 closed; chmod 4711 d/one; chmod 1777 d/e/f
    touch -d '2001-02-03 04:05:06.789' d/one d/e d; touch -h -d 2002-01-01 d/link; chmod 710 .)"},
               {.cwd = place.from, .environment = {}, .input = {}});
  const bool has_attributes =
      ::lsetxattr((place.from / "d").c_str(), "user.mark", "y", 1, 0) == 0 &&
      ::lsetxattr((place.from / "large").c_str(), "user.long", std::string(90, 'l').data(), 90,
                  0) == 0;
  copy_all(place.from, place.to);
  CHECK(listing(place.to) == listing(place.from));
  struct stat one {};
  struct stat other {};
  ::lstat((place.to / "d/one").c_str(), &one);
  ::lstat((place.to / "third").c_str(), &other);
  CHECK(one.st_ino == other.st_ino);
  ::lstat((place.to / "holes").c_str(), &one);
  CHECK(one.st_blocks * 512 < one.st_size);
  if (!has_attributes) return;
  CHECK(attribute(place.to / "d", "user.mark") == "y");
  CHECK(attribute(place.to / "large", "user.long") == std::string(90, 'l'));
}

TEST_CASE("what is renamed all the time while it is copied is in the copy") {
  const Place place;
  const bool directory = GENERATE(false, true);
  const fs::path a = place.from / "a";
  const fs::path b = place.from / "b";
  if (directory) fs::create_directory(a);
  put(directory ? a / "in" : a, "work");
  while_doing(
      [&] {
        ::rename(a.c_str(), b.c_str());
        ::rename(b.c_str(), a.c_str());
      },
      [&] {
        for (int i = 0; i < 300; ++i) {
          const fs::path to = place.to / std::to_string(i);
          fs::create_directory(to);
          copy_all(place.from, to);
          INFO(i);
          REQUIRE((fs::exists(to / (directory ? "a/in" : "a")) ||
                   fs::exists(to / (directory ? "b/in" : "b"))));
        }
      });
}

TEST_CASE("what comes and goes while it is copied is whole or not there, and nothing outside is") {
  const Place place;
  put(place.directory / "secret", "outside");
  put(place.from / "stays", "kept");
  const fs::path name = place.from / "x";
  const std::string whole(100'000, 'w');
  int kind = 0;
  while_doing(
      [&] {
        switch (kind++ % 4) {
          case 0:
            put(place.from / "new", whole);
            fs::rename(place.from / "new", name);
            break;
          case 1:
            fs::create_symlink("../secret", name);
            break;
          case 2:
            ::mkfifo(name.c_str(), 0600);
            break;
          default:
            fs::create_directory(name);
        }
        fs::remove_all(name);
      },
      [&] {
        for (int i = 0; i < 300; ++i) {
          const fs::path to = place.to / std::to_string(i);
          fs::create_directory(to);
          copy_all(place.from, to);
          REQUIRE(fs::exists(to / "stays"));
          const fs::path copied = to / "x";
          if (fs::is_symlink(fs::symlink_status(copied))) {
            CHECK(fs::read_symlink(copied) == "../secret");
          } else if (fs::is_regular_file(copied)) {
            CHECK(fs::file_size(copied) == whole.size());
          }
        }
      });
}

TEST_CASE("one entry is copied, and of what isn't there nothing") {
  const Place place;
  put(place.from / "file", "content");
  const PlainDir from = PlainDir::open(place.from, "the original");
  const PlainDir to = PlainDir::open(place.to, "the copy");
  TreeCopy copy(to);
  const auto st = copy.copy(from, "file", to);
  copy.finish(from);
  REQUIRE(st);
  CHECK(S_ISREG(st->st_mode));
  CHECK(fs::file_size(place.to / "file") == 7);
  CHECK_FALSE(copy.copy(from, "none", to));
  CHECK_FALSE(fs::exists(place.to / "none"));
}

TEST_CASE("what may not be read fails by name") {
  if (::geteuid() == 0) return;  // root may
  const Place place;
  put(place.from / "closed", "content");
  fs::permissions(place.from / "closed", fs::perms::none);
  CHECK_THROWS_WITH(copy_all(place.from, place.to), Catch::Matchers::Contains("'closed'"));
}

TEST_CASE("paths are copied with the directories on the way, and hard links among them") {
  const Place place;
  test::run_ok({"sh", "-euc", R"(
    mkdir -p a/b/c there/in; echo one > a/b/c/one; echo two > a/b/two; echo no > a/b/not
    ln a/b/c/one there/in/other; ln -s b a/link; chmod 750 a; chmod 555 a/b
    touch -d 2001-02-03 a/b a; mkdir ../to/there; touch -d 2000-01-01 ../to/there)"},
               {.cwd = place.from, .environment = {}, .input = {}});
  const PlainDir from = PlainDir::open(place.from, "the original");
  const PlainDir to = PlainDir::open(place.to, "the copy");
  TreeCopy copy(to);
  for (const char* path : {"a/b/c", "a/b/two", "a/link", "there/in/other", "a/none"}) {
    copy.copy_path(from, path);
  }
  copy.finish(from);
  const std::string there = test::run_ok({"stat", "-c", "%y", place.to / "there"});
  // Of what nobody asked for there is nothing, and what was there already stays as it is.
  test::run_ok({"sh", "-euc", "chmod 755 a/b; rm a/b/not; touch -d 2001-02-03 a/b; chmod 555 a/b"},
               {.cwd = place.from, .environment = {}, .input = {}});
  CHECK(listing(place.to / "a") == listing(place.from / "a"));
  CHECK(fs::hard_link_count(place.to / "there/in/other") == 2);
  CHECK(test::run_ok({"stat", "-c", "%y", place.to / "there"}) == there);
}

TEST_CASE("nothing comes in the place of what is there, nor through a symlink") {
  const Place place;
  test::run_ok({"sh", "-euc", R"(
    mkdir -p dir link outside; echo new > dir/f; echo new > link/f; echo new > file; mkdir ../out
    cd ../to; mkdir dir; echo old > dir/f; ln -s ../out link; mkdir file)"},
               {.cwd = place.from, .environment = {}, .input = {}});
  const PlainDir from = PlainDir::open(place.from, "the original");
  const PlainDir to = PlainDir::open(place.to, "the copy");
  const std::string before = listing(place.to);
  int told = 0;
  TreeCopy copy(to);
  CHECK_THROWS_AS(copy.copy_path(from, "dir/f"), ChangedMeanwhile);
  copy.leave_out([&](const Error&) { ++told; });
  for (const char* path : {"dir/f", "link/f", "file"}) copy.copy_path(from, path);
  copy.finish(from);
  CHECK(told == 3);
  CHECK(listing(place.to) == before);
  CHECK(fs::is_empty(place.directory / "out"));
}

TEST_CASE("what may not be read is left out where that is wanted") {
  if (::geteuid() == 0) return;  // root may
  const Place place;
  test::run_ok(
      {"sh", "-euc",
       "mkdir -p d/closed d/open; echo c > d/closed/f; echo f > d/open/f; echo n > d/open/n\n"
       "chmod 0 d/open/n d/closed"},
      {.cwd = place.from, .environment = {}, .input = {}});
  const PlainDir from = PlainDir::open(place.from, "the original");
  const PlainDir to = PlainDir::open(place.to, "the copy");
  std::string told;
  TreeCopy copy(to);
  copy.leave_out([&](const Error& error) { told += error.message() + "\n"; });
  copy.copy_path(from, "d");
  copy.finish(from);
  fs::permissions(place.from / "d/closed", fs::perms::owner_all);
  CHECK_THAT(told,
             Catch::Matchers::Contains("'d/closed'") && Catch::Matchers::Contains("'d/open/n'"));
  CHECK(fs::exists(place.to / "d/open/f"));
  CHECK_FALSE(fs::exists(place.to / "d/open/n"));
  CHECK_FALSE(fs::exists(place.to / "d/closed"));
}

TEST_CASE("more files than wait to be written at once are all written") {
  const Place place;
  test::run_ok(
      {"sh", "-euc",
       "for d in 1 2 3 4; do mkdir $d; for i in $(seq 100); do echo $d.$i > $d/$i; done; done"},
      {.cwd = place.from, .environment = {}, .input = {}});
  copy_all(place.from, place.to);
  CHECK(listing(place.to) == listing(place.from));
}
