#include "linux/holder_job.h"

#include <charconv>
#include <concepts>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

void require(bool understood) {
  if (understood) return;
  throw Error(ErrorKind::failed, "the holder and wafers do not understand each other",
              "reinstall wafers: its two programs are of different versions");
}

// Fields end in NUL: the one byte that neither a path nor a message has.

void append(std::string& out, std::string_view field) {
  out += field;
  out += '\0';
}

void append(std::string& out, std::integral auto field) { append(out, std::to_string(field)); }

/// Takes one field after the other.
class Fields {
 public:
  /// The last field ends in NUL as well: what comes after it is empty.
  explicit Fields(std::string_view text) : fields_(split(text, '\0')) {}

  std::string text() {
    require(left() > 0);
    return fields_[next_++];
  }

  template <std::integral Number>
  Number number() {
    const std::string field = text();
    Number number{};
    std::from_chars(field.data(), field.data() + field.size(), number);
    return number;
  }

  /// Of fields that follow.
  std::size_t count() {
    const auto count = number<std::size_t>();
    require(count <= left());
    return count;
  }

 private:
  std::size_t left() const { return fields_.size() - 1 - next_; }

  std::vector<std::string> fields_;
  std::size_t next_ = 0;
};

}  // namespace

std::string encode(const HolderJob& job) {
  std::string out;
  append(out, job.kind == HolderJob::Kind::adopt ? "adopt" : "mount");
  append(out, job.overlay.lowers.size());
  for (const auto& lower : job.overlay.lowers) append(out, lower.native());
  append(out, job.overlay.upper.native());
  append(out, job.overlay.work.native());
  append(out, job.overlay.mountpoint.native());
  append(out, job.overlay.source);
  append(out, job.overlay.is_volatile ? "volatile" : "");
  append(out, job.directory);
  append(out, job.mapped.newgidmap.native());
  append(out, job.mapped.groups.size());
  for (const gid_t group : job.mapped.groups) append(out, group);
  append(out, job.own_copies.size());
  for (const auto& file : job.own_copies) append(out, file.native());
  append(out, job.place.native());
  return out;
}

HolderJob decode_job(std::string_view text) {
  Fields fields(text);
  HolderJob job;
  job.kind = fields.text() == "adopt" ? HolderJob::Kind::adopt : HolderJob::Kind::mount;
  job.overlay.lowers.resize(fields.count());
  for (auto& lower : job.overlay.lowers) lower = fields.text();
  job.overlay.upper = fields.text();
  job.overlay.work = fields.text();
  job.overlay.mountpoint = fields.text();
  job.overlay.source = fields.text();
  job.overlay.is_volatile = !fields.text().empty();
  job.directory = fields.text();
  job.mapped.newgidmap = fields.text();
  job.mapped.groups.resize(fields.count());
  for (gid_t& group : job.mapped.groups) group = fields.number<gid_t>();
  job.own_copies.resize(fields.count());
  for (auto& file : job.own_copies) file = fields.text();
  job.place = fields.text();
  require(encode(job) == text);  // all of it, and nothing that means something else
  return job;
}

std::string encode(const HolderReport& report) {
  std::string out;
  append(out, report.pid);
  append(out, report.start_ticks);
  append(out, report.user_ns);
  append(out, report.mnt_ns);
  append(out, report.device);
  append(out, report.failure ? report.failure->errnum : 0);
  append(out, report.failure ? report.failure->doing : "");
  return out;
}

HolderReport decode_report(std::string_view text) {
  Fields fields(text);
  HolderReport report;
  report.pid = fields.number<pid_t>();
  report.start_ticks = fields.number<std::uint64_t>();
  report.user_ns = fields.number<std::uint64_t>();
  report.mnt_ns = fields.number<std::uint64_t>();
  report.device = fields.number<std::uint64_t>();
  const int errnum = fields.number<int>();
  const std::string doing = fields.text();
  if (!doing.empty()) report.failure = Failure{doing, errnum};
  require(encode(report) == text);
  return report;
}

}  // namespace wafers
