#include "linux/holder_job.h"

#include <charconv>
#include <concepts>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

// Fields end in NUL: the one byte that neither a path nor a message has.

void append(std::string& out, std::string_view field) {
  out += field;
  out += '\0';
}

void append(std::string& out, std::integral auto field) { append(out, std::to_string(field)); }

/// Takes one field after the other.
class Fields {
 public:
  Fields(std::string_view text, std::size_t expected) : fields_(split(text, '\0')) {
    // One more, which is empty: what comes after the last NUL.
    if (fields_.size() != expected + 1 || !fields_.back().empty()) {
      throw Error(ErrorKind::failed, "the holder and wafers do not understand each other",
                  "reinstall wafers: its two programs are of different versions");
    }
  }

  std::string text() { return fields_[next_++]; }

  template <std::integral Number>
  Number number() {
    const std::string field = text();
    Number number{};
    std::from_chars(field.data(), field.data() + field.size(), number);
    return number;
  }

 private:
  std::vector<std::string> fields_;
  std::size_t next_ = 0;
};

}  // namespace

std::string encode(const HolderJob& job) {
  std::string out;
  append(out, job.kind == HolderJob::Kind::adopt ? "adopt" : "mount");
  append(out, job.overlay.lower.native());
  append(out, job.overlay.upper.native());
  append(out, job.overlay.work.native());
  append(out, job.overlay.mountpoint.native());
  append(out, job.overlay.source);
  append(out, job.overlay.is_volatile ? "volatile" : "");
  return out;
}

HolderJob decode_job(std::string_view text) {
  Fields fields(text, 7);
  HolderJob job;
  job.kind = fields.text() == "adopt" ? HolderJob::Kind::adopt : HolderJob::Kind::mount;
  job.overlay.lower = fields.text();
  job.overlay.upper = fields.text();
  job.overlay.work = fields.text();
  job.overlay.mountpoint = fields.text();
  job.overlay.source = fields.text();
  job.overlay.is_volatile = !fields.text().empty();
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
  Fields fields(text, 7);
  HolderReport report;
  report.pid = fields.number<pid_t>();
  report.start_ticks = fields.number<std::uint64_t>();
  report.user_ns = fields.number<std::uint64_t>();
  report.mnt_ns = fields.number<std::uint64_t>();
  report.device = fields.number<std::uint64_t>();
  const int errnum = fields.number<int>();
  const std::string doing = fields.text();
  if (!doing.empty()) report.failure = Failure{doing, errnum};
  return report;
}

}  // namespace wafers
