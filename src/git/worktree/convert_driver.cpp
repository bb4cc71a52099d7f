#include "git/worktree/convert_driver.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/worktree/filter_process.h"

namespace wafers::git {
namespace {

/// `command` with %f replaced by the path as one word of the shell, and %% by %.
std::string with_path(std::string_view command, std::string_view path) {
  std::string out;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char next = i + 1 < command.size() ? command[i + 1] : '\0';
    if (command[i] == '%' && next == 'f') {
      out += shell_quoted(path);
      ++i;
    } else if (command[i] == '%' && next == '%') {
      out += '%';
      ++i;
    } else {
      out += command[i];
    }
  }
  return out;
}

/// One command for one file: content in, content out, exit status 0.
std::optional<std::string> run_once(const std::string& command, std::string_view content,
                                    const ConvertContext& context) {
  FilterProcess process(with_path(command, context.path), context.directory, context.environment);
  // A filter need not read all of its input.
  process.write(content);
  process.close_input();
  std::string output = process.read_to_end();
  const int status = process.wait();
  if (status == 0) return output;
  context.warn("external filter '" + command + "' failed " + std::to_string(status));
  return std::nullopt;
}

/// The program at the other end does not keep to the protocol, or is gone.
class ProtocolError : public Error {
 public:
  explicit ProtocolError(std::string message) : Error(ErrorKind::failed, std::move(message)) {}
};

constexpr std::size_t kHeader = 4;
constexpr std::size_t kMaxPayload = 65516;  // pkt-line.h: LARGE_PACKET_DATA_MAX

/// The packets of gitprotocol-common(5).
class PacketStream {
 public:
  explicit PacketStream(FilterProcess& process) : process_(process) {}

  void write(std::string_view payload) {
    if (payload.size() > kMaxPayload) throw ProtocolError("packet too long");
    std::array<char, kHeader + 1> header{};
    std::snprintf(header.data(), header.size(), "%04x",
                  static_cast<unsigned>(payload.size() + kHeader));
    send(header.data() + std::string(payload));
  }
  void write_line(const std::string& line) { write(line + "\n"); }
  void flush() { send("0000"); }

  void write_content(std::string_view content) {
    while (!content.empty()) {
      write(content.substr(0, kMaxPayload));
      content.remove_prefix(std::min(content.size(), kMaxPayload));
    }
    flush();
  }

  /// nullopt for a flush packet.
  std::optional<std::string> read() {
    const std::string header = process_.read(kHeader);
    if (header.size() != kHeader ||
        header.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
      throw ProtocolError("the remote end hung up or sent a bad packet");
    }
    const std::size_t length = std::strtoul(header.c_str(), nullptr, 16);
    if (length == 0) return std::nullopt;
    if (length < kHeader) throw ProtocolError("bad packet length");
    std::string payload = process_.read(length - kHeader);
    if (payload.size() != length - kHeader) throw ProtocolError("truncated packet");
    return payload;
  }
  std::optional<std::string> read_line() {
    auto line = read();
    if (line && line->ends_with('\n')) line->pop_back();
    return line;
  }

  std::string read_content() {
    std::string content;
    while (const auto packet = read()) content += *packet;
    return content;
  }

 private:
  void send(std::string_view bytes) {
    if (!process_.write(bytes)) throw ProtocolError("the filter process no longer reads");
  }

  FilterProcess& process_;
};

std::string_view word_for(FilterDirection direction) {
  return direction == FilterDirection::clean ? "clean" : "smudge";
}

/// One running `filter.<name>.process` program.
class LongRunningFilter {
 public:
  /// Starts it and shakes hands. Throws Error(failed).
  LongRunningFilter(const std::string& command, const ConvertContext& context)
      : process_(command, context.directory, context.environment), packets_(process_) {
    packets_.write_line("git-filter-client");
    packets_.write_line("version=2");
    packets_.flush();
    expect("git-filter-server");
    expect("version=2");
    if (packets_.read_line()) throw ProtocolError("unexpected packet after the version");
    for (const std::string capability : {"clean", "smudge"}) {
      packets_.write_line("capability=" + capability);
    }
    packets_.flush();
    constexpr std::string_view kPrefix = "capability=";
    while (const auto line = packets_.read_line()) {
      if (line->starts_with(kPrefix)) capabilities_.insert(line->substr(kPrefix.size()));
    }
  }

  bool can(FilterDirection direction) const {
    return capabilities_.contains(std::string(word_for(direction)));
  }

  /// nullopt where the program says that it can't filter this file ("error") or any more at all in
  /// this direction ("abort"). Throws ProtocolError, and is of no use then.
  std::optional<std::string> filter(FilterDirection direction, std::string_view content,
                                    std::string_view blob_hex, const std::string& path) {
    packets_.write_line("command=" + std::string(word_for(direction)));
    packets_.write_line("pathname=" + path);
    if (!blob_hex.empty()) packets_.write_line("blob=" + std::string(blob_hex));
    packets_.flush();
    packets_.write_content(content);

    std::string status;
    read_status(status);
    if (!is_success(status, direction)) return std::nullopt;
    std::string filtered = packets_.read_content();
    // A second status, after the content, can take the first one back.
    read_status(status);
    if (!is_success(status, direction)) return std::nullopt;
    return filtered;
  }

 private:
  void expect(const std::string& wanted) {
    const auto line = packets_.read_line();
    if (line != wanted) throw ProtocolError("expected " + wanted);
  }

  void read_status(std::string& status) {
    constexpr std::string_view kPrefix = "status=";
    while (const auto line = packets_.read_line()) {
      if (line->starts_with(kPrefix)) status = line->substr(kPrefix.size());
    }
  }

  bool is_success(const std::string& status, FilterDirection direction) {
    if (status == "success") return true;
    if (status == "abort") {
      capabilities_.erase(std::string(word_for(direction)));
    } else if (status != "error") {
      throw ProtocolError("unknown status " + in_quotes(status));
    }
    return false;
  }

  FilterProcess process_;
  PacketStream packets_;
  std::set<std::string, std::less<>> capabilities_;
};

}  // namespace

struct DriverPool::Impl {
  std::map<std::string, std::unique_ptr<LongRunningFilter>, std::less<>> running;
};

DriverPool::DriverPool() : impl_(std::make_unique<Impl>()) {}
DriverPool::~DriverPool() = default;

std::optional<std::string> DriverPool::filter(const std::string& command, FilterDirection direction,
                                              std::string_view content, std::string_view blob_hex,
                                              const ConvertContext& context) {
  auto& filter = impl_->running[command];
  try {
    if (!filter) filter = std::make_unique<LongRunningFilter>(command, context);
    if (!filter->can(direction)) return std::nullopt;
    return filter->filter(direction, content, blob_hex, context.path);
  } catch (const Error& error) {
    // As git does: this file goes unfiltered, the next one gets a new process.
    context.warn("external filter '" + command + "' failed: " + error.message());
    filter.reset();
    return std::nullopt;
  }
}

std::optional<std::string> run_driver(const ConvertConfig::Driver& driver,
                                      FilterDirection direction, std::string_view content,
                                      std::string_view blob_hex, const ConvertContext& context) {
  if (!driver.process.empty()) {
    if (context.drivers != nullptr) {
      return context.drivers->filter(driver.process, direction, content, blob_hex, context);
    }
    DriverPool pool;
    return pool.filter(driver.process, direction, content, blob_hex, context);
  }
  const std::string& command = direction == FilterDirection::clean ? driver.clean : driver.smudge;
  if (command.empty()) return std::nullopt;
  try {
    return run_once(command, content, context);
  } catch (const Error& error) {
    context.warn(error.message());
    return std::nullopt;
  }
}

}  // namespace wafers::git
