#include "core/state/record.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "linux/upper.h"

namespace wafers {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kDeepest = 32;  // ours are four deep

[[noreturn]] void invalid(const std::string& reason) { throw Error(ErrorKind::failed, reason); }

json text_to_json(const std::string& text) {
  if (is_utf8(text)) return text;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 0xFU];
  }
  return json{{"hex", hex}};
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

std::string bytes_from_hex(const std::string& hex, const std::string& key) {
  if (hex.size() % 2 != 0) invalid("key " + in_quotes(key) + " is no hexadecimal string");
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const auto high = hex_digit(hex[i]);
    const auto low = hex_digit(hex[i + 1]);
    if (!high || !low) invalid("key " + in_quotes(key) + " is no hexadecimal string");
    bytes += static_cast<char>(static_cast<std::uint8_t>((*high << 4U) | *low));
  }
  return bytes;
}

std::string text_from_json(const json& value, const std::string& key) {
  std::string text;
  if (value.is_string()) {
    text = value.get<std::string>();
  } else if (value.is_object() && value.contains("hex") && value["hex"].is_string()) {
    text = bytes_from_hex(value["hex"].get<std::string>(), key);
  } else {
    invalid("key " + in_quotes(key) + " is no string");
  }
  if (text.find('\0') != std::string::npos) invalid("key " + in_quotes(key) + " holds a NUL byte");
  return text;
}

template <std::integral Number>
Number number_from_json(const json& value, const std::string& key) {
  if (!value.is_number_unsigned() || !std::in_range<Number>(value.get<std::uint64_t>())) {
    invalid("key " + in_quotes(key) + " is no number in range");
  }
  return value.get<Number>();
}

/// Reads the keys of one JSON object; what is absent or has another type is told by name.
class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {
    if (!object.is_object()) invalid("it is no JSON object");
  }

  const json* optional(const std::string& key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  const json& required(const std::string& key) const {
    const json* const value = optional(key);
    if (value == nullptr) invalid("key " + in_quotes(key) + " is missing");
    return *value;
  }

  std::string text(const std::string& key) const { return text_from_json(required(key), key); }

  /// For keys that older records don't have.
  std::string text_or_empty(const std::string& key) const {
    const json* const value = optional(key);
    return value == nullptr ? std::string() : text_from_json(*value, key);
  }

  std::filesystem::path absolute_path(const std::string& key) const {
    std::filesystem::path path = text(key);
    if (!path.is_absolute()) invalid("key " + in_quotes(key) + " is no absolute path");
    return path;
  }

  bool flag(const std::string& key) const {
    const json* const value = optional(key);
    if (value == nullptr) return false;
    if (!value->is_boolean()) invalid("key " + in_quotes(key) + " is neither true nor false");
    return value->get<bool>();
  }

  template <std::integral Number>
  std::optional<Number> number(const std::string& key) const {
    const json* const value = optional(key);
    if (value == nullptr) return std::nullopt;
    return number_from_json<Number>(*value, key);
  }

  /// For keys that older records don't have.
  std::vector<std::filesystem::path> paths(const std::string& key) const {
    std::vector<std::filesystem::path> paths;
    const json* const values = optional(key);
    if (values == nullptr) return paths;
    if (!values->is_array()) invalid("key " + in_quotes(key) + " is no array");
    for (const json& value : *values) paths.emplace_back(text_from_json(value, key));
    return paths;
  }

  /// For keys that older records don't have.
  template <std::integral Number>
  std::vector<Number> numbers(const std::string& key) const {
    std::vector<Number> numbers;
    const json* const values = optional(key);
    if (values == nullptr) return numbers;
    if (!values->is_array()) invalid("key " + in_quotes(key) + " is no list");
    for (const json& value : *values) numbers.push_back(number_from_json<Number>(value, key));
    return numbers;
  }

 private:
  const json& object_;
};

template <typename Number>
json or_null(const std::optional<Number>& number) {
  return number ? json(*number) : json(nullptr);
}

json mount_to_json(const MountRecord& record) {
  json object{{"boot_id", text_to_json(record.boot_id)},
              {"process", nullptr},
              {"user_ns", or_null(record.user_ns)},
              {"mnt_ns", or_null(record.mnt_ns)},
              {"device", or_null(record.device)}};
  if (record.process) {
    object["process"] = {{"pid", static_cast<std::uint64_t>(record.process->pid)},
                         {"start_ticks", record.process->start_ticks}};
  }
  return object;
}

MountRecord mount_from_json(const json& object) {
  const Reader reader(object);
  MountRecord record;
  record.boot_id = reader.text("boot_id");
  record.user_ns = reader.number<std::uint64_t>("user_ns");
  record.mnt_ns = reader.number<std::uint64_t>("mnt_ns");
  record.device = reader.number<std::uint64_t>("device");
  if (const json* const process = reader.optional("process")) {
    const Reader part(*process);
    const auto pid = part.number<pid_t>("pid");
    const auto start_ticks = part.number<std::uint64_t>("start_ticks");
    if (!pid || *pid <= 0 || !start_ticks) invalid("key 'process' is incomplete");
    record.process = ProcessId{*pid, *start_ticks};
  }
  return record;
}

[[noreturn]] void unknown_value(const std::string& key, const std::string& text) {
  invalid("key " + in_quotes(key) + " has the unknown value " + in_quotes(text));
}

template <typename Enum, std::size_t Count>
Enum enum_from_text(const std::string& text, const std::string& key,
                    const std::array<Enum, Count>& values) {
  for (const Enum value : values) {
    if (to_string(value) == text) return value;
  }
  unknown_value(key, text);
}

constexpr std::array kStages{WaferStage::adding, WaferStage::ready, WaferStage::removing};
constexpr std::array kBaseKinds{BaseKind::live, BaseKind::frozen};
constexpr std::array kDialects{UpperDialect::kernel_user, UpperDialect::kernel_trusted,
                               UpperDialect::fuse};

BackendKind backend_from_text(const std::string& text) {
  if (const auto kind = parse_backend(text)) return *kind;
  unknown_value("backend", text);
}

void check_version(const Reader& reader) {
  const auto version = reader.number<int>("version");
  if (!version) invalid("key 'version' is missing");
  if (*version > kVersion) {
    invalid("it was written by a newer wafers (format " + std::to_string(*version) + ")");
  }
}

/// How deep arrays and objects lie in each other. Writing and destroying them takes stack by it.
std::size_t nesting_of(std::string_view document) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < document.size(); ++i) {
    const char c = document[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '{' || c == '[')) {
      deepest = std::max(deepest, ++depth);
    } else if (!in_string && (c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

json parse(std::string_view document) {
  if (document.size() > kLargestMetadata) invalid("it is larger than 1 MiB");
  if (nesting_of(document) > kDeepest) invalid("it is nested too deeply");
  try {
    return json::parse(document);
  } catch (const json::parse_error& error) {
    invalid("it is no JSON (at byte " + std::to_string(error.byte) + ")");
  } catch (const json::exception&) {
    invalid("it is no JSON that can be read");  // a number that is too large
  }
}

json paths_to_json(const std::vector<std::filesystem::path>& paths) {
  json list = json::array();
  for (const auto& path : paths) list.push_back(text_to_json(path.native()));
  return list;
}

json moves_to_json(const std::vector<BaseMove>& moves) {
  json list = json::array();
  for (const BaseMove& move : moves) {
    json paths = json::array();
    for (const std::string& path : move.paths) paths.push_back(text_to_json(path));
    list.push_back({{"commit", move.commit}, {"paths", std::move(paths)}});
  }
  return list;
}

std::vector<BaseMove> moves_from_json(const json& list) {
  if (!list.is_array()) invalid("key 'base_moves' is no array");
  std::vector<BaseMove> moves;
  for (const json& entry : list) {
    const Reader reader(entry);
    BaseMove& move = moves.emplace_back();
    move.commit = reader.text("commit");
    for (const auto& path : reader.paths("paths")) move.paths.push_back(path.native());
  }
  return moves;
}

json known_keys_of(const Wafer& wafer) {
  return {
      {"version", kVersion},
      {"name", text_to_json(wafer.name)},
      {"renamed_to", text_to_json(wafer.renamed_to)},
      {"stage", to_string(wafer.stage)},
      {"branch", text_to_json(wafer.branch)},
      {"base_repo", text_to_json(wafer.checkout.native())},
      {"base_kind", to_string(wafer.base_kind)},
      {"base_commit", wafer.base_commit},
      {"base_ref", text_to_json(wafer.base_ref)},
      {"main_checkout", text_to_json(wafer.main_checkout.native())},
      {"base_layers", paths_to_json(wafer.layers)},
      {"checkout_commit", wafer.checkout_commit},
      {"base_moves", moves_to_json(wafer.moves)},
      {"last_commit", wafer.last_commit},
      {"pending_commit", wafer.pending_commit},
      {"branch_was", wafer.branch_was},
      {"staged_tree", wafer.staged_tree},
      {"pending_staged_tree", wafer.pending_staged_tree},
      {"backend", to_string(wafer.backend)},
      {"dialect", to_string(wafer.dialect)},
      {"git_dir", text_to_json(wafer.git_dir.native())},
      {"mountpoint", text_to_json(wafer.mountpoint.native())},
      {"mountpoint_made", wafer.mountpoint_made},
      {"mountpoint_parents", paths_to_json(wafer.mountpoint_parents)},
      {"mountpoint_mode", or_null(wafer.mountpoint_mode)},
      {"in_place", text_to_json(wafer.place.native())},
      {"groups", wafer.groups},
      {"durable", wafer.durable},
      {"volatile_boot", wafer.volatile_boot},
      {"created_at", wafer.created_at},
      {"mount", wafer.mount ? mount_to_json(*wafer.mount) : json(nullptr)},
  };
}

/// As Wafer::unknown_keys has them.
std::string unknown_keys_of(json document) {
  static const json known = known_keys_of(Wafer());
  for (const auto& entry : known.items()) document.erase(entry.key());
  return document.empty() ? std::string() : document.dump();
}

/// What records of version 0.1.0 don't have: their base is the checkout alone.
void read_base(const Reader& reader, Wafer& wafer) {
  wafer.base_ref = reader.text_or_empty("base_ref");
  wafer.layers = reader.paths("base_layers");
  if (wafer.layers.empty()) {
    wafer.layers = {wafer.checkout};
    wafer.checkout_commit = wafer.base_commit;
    return;
  }
  wafer.base_kind = enum_from_text(reader.text("base_kind"), "base_kind", kBaseKinds);
  wafer.checkout_commit = reader.text_or_empty("checkout_commit");
  if (const json* const moves = reader.optional("base_moves")) {
    wafer.moves = moves_from_json(*moves);
  }
}

}  // namespace

std::string encode_metadata(const Wafer& wafer) {
  const json known = known_keys_of(wafer);
  json document = wafer.unknown_keys.empty() ? json::object() : parse(wafer.unknown_keys);
  document.update(known);
  std::string text = document.dump(2) + "\n";
  // Indented, what was kept may have outgrown what is read again.
  return text.size() <= kLargestMetadata ? text : known.dump(2) + "\n";
}

Wafer decode_metadata(std::string_view document) {
  json object = parse(document);
  const Reader reader(object);
  check_version(reader);
  Wafer wafer;
  wafer.name = reader.text("name");
  wafer.renamed_to = reader.text_or_empty("renamed_to");
  wafer.stage = enum_from_text(reader.text("stage"), "stage", kStages);
  wafer.branch = reader.text("branch");
  wafer.checkout = reader.absolute_path("base_repo");
  wafer.main_checkout = reader.text_or_empty("main_checkout");
  wafer.base_commit = reader.text("base_commit");
  read_base(reader, wafer);
  wafer.last_commit = reader.text("last_commit");
  wafer.pending_commit = reader.text("pending_commit");
  wafer.branch_was = reader.text_or_empty("branch_was");
  wafer.staged_tree = reader.text_or_empty("staged_tree");
  wafer.pending_staged_tree = reader.text_or_empty("pending_staged_tree");
  wafer.backend = backend_from_text(reader.text("backend"));
  wafer.dialect = enum_from_text(reader.text("dialect"), "dialect", kDialects);
  wafer.git_dir = reader.text_or_empty("git_dir");
  wafer.mountpoint = reader.absolute_path("mountpoint");
  wafer.mountpoint_made = reader.flag("mountpoint_made");
  wafer.mountpoint_parents = reader.paths("mountpoint_parents");
  wafer.mountpoint_mode = reader.number<std::uint32_t>("mountpoint_mode");
  wafer.place = reader.text_or_empty("in_place");
  wafer.groups = reader.numbers<std::uint32_t>("groups");
  wafer.durable = reader.flag("durable");
  wafer.volatile_boot = reader.text_or_empty("volatile_boot");
  wafer.created_at = reader.text("created_at");
  if (const json* const mount = reader.optional("mount")) wafer.mount = mount_from_json(*mount);
  wafer.unknown_keys = unknown_keys_of(std::move(object));
  return wafer;
}

}  // namespace wafers
