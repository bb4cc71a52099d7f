#include "linux/holder_job.h"

#include <cerrno>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "support/catch.h"

using namespace wafers;

TEST_CASE("a job comes out as it went in") {
  HolderJob job;
  job.kind = GENERATE(HolderJob::Kind::mount, HolderJob::Kind::adopt);
  job.overlay.lowers = {"/delta", "/b a\ns,e:\\"};
  job.overlay.upper = "/\xff";
  job.overlay.work = "/" + std::string(4000, 'w');
  job.overlay.mountpoint = "/m";
  job.overlay.source = "wafers:a1:1";
  job.overlay.is_volatile = GENERATE(false, true);
  job.directory = "/state dir\xff";
  job.mapped = {{0, 2055, 4294967294}, "/usr/bin/new gid map"};
  job.place = "/place\nof the base";
  job.own_copies = {"/etc/ssh/ssh_config.d/50 \n.conf", "/b"};
  const HolderJob read = decode_job(encode(job));
  CHECK(read.kind == job.kind);
  CHECK(read.overlay.lowers == job.overlay.lowers);
  CHECK(read.overlay.upper == job.overlay.upper);
  CHECK(read.overlay.work == job.overlay.work);
  CHECK(read.overlay.mountpoint == job.overlay.mountpoint);
  CHECK(read.overlay.source == job.overlay.source);
  CHECK(read.overlay.is_volatile == job.overlay.is_volatile);
  CHECK(read.directory == job.directory);
  CHECK(read.mapped.groups == job.mapped.groups);
  CHECK(read.mapped.newgidmap == job.mapped.newgidmap);
  CHECK(read.own_copies == job.own_copies);
  CHECK(read.place == job.place);
}

TEST_CASE("a report comes out as it went in") {
  HolderReport report;
  report.pid = 4194304;
  report.start_ticks = std::numeric_limits<std::uint64_t>::max();
  report.user_ns = 4026531837;
  report.mnt_ns = 1;
  report.device = 39;
  CHECK(decode_report(encode(report)).start_ticks == report.start_ticks);
  CHECK(decode_report(encode(report)).pid == report.pid);
  CHECK(decode_report(encode(report)).device == report.device);
  CHECK_FALSE(decode_report(encode(report)).failure);
}

TEST_CASE("a failed step is reported with its errno") {
  HolderReport report;
  report.failure = Failure{"cannot mount an overlay on '/a b\n'", EBUSY};
  const HolderReport read = decode_report(encode(report));
  REQUIRE(read.failure);
  CHECK(read.failure->doing == report.failure->doing);
  CHECK(read.failure->errnum == EBUSY);
}

TEST_CASE("half a message is refused") {
  const std::string job = encode(HolderJob{});
  CHECK_THROWS_AS(decode_job(""), Error);
  CHECK_THROWS_AS(decode_job(job.substr(0, job.size() - 1)), Error);
  CHECK_THROWS_AS(decode_job(job + '\0'), Error);
  CHECK_THROWS_AS(decode_report("1"), Error);
}

TEST_CASE("a field that isn't what it should be is refused") {
  HolderReport report;
  report.pid = 42;
  const std::string good = encode(report);
  for (const std::string& pid :
       std::vector<std::string>{"", "x", "042", "42x", " 42", "99999999999999999999"}) {
    INFO(pid);
    CHECK_THROWS_AS(decode_report(pid + good.substr(2)), Error);
  }
  const std::string job = encode(HolderJob{});
  CHECK_THROWS_AS(decode_job("other" + job.substr(5)), Error);
}
