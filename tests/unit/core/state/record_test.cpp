#include "core/state/record.h"

#include "base/error.h"
#include "linux/upper.h"
#include "support/catch.h"

namespace wafers {
namespace {

using Catch::Matchers::Contains;

Wafer full_record() {
  Wafer wafer;
  wafer.name = "a1";
  wafer.stage = WaferStage::ready;
  wafer.branch = "wafers/a1";
  wafer.checkout = "/src/base";
  wafer.main_checkout = "/src/main";
  wafer.base_kind = BaseKind::frozen;
  wafer.base_commit = std::string(40, 'a');
  wafer.base_ref = "main";
  wafer.layers = {"/state/.bases/2", "/state/.bases/1"};
  wafer.checkout_commit = std::string(40, 'f');
  wafer.moves = {{std::string(40, '1'), {"a", "b/\xFF"}}, {std::string(40, '2'), {}}};
  wafer.last_commit = std::string(40, 'b');
  wafer.pending_commit = std::string(40, 'c');
  wafer.staged_tree = std::string(40, 'd');
  wafer.pending_staged_tree = std::string(40, 'e');
  wafer.backend = BackendKind::fuse;
  wafer.dialect = UpperDialect::fuse;
  wafer.mountpoint = "/views/a1";
  wafer.mountpoint_made = true;
  wafer.mountpoint_parents = {"/views"};
  wafer.mountpoint_mode = 0755;
  wafer.groups = {2055, 4294967294};
  wafer.place = "/src/caf\xE9";
  wafer.durable = true;
  wafer.volatile_boot = "earlier-boot";
  wafer.created_at = "2026-01-02T03:04:05Z";
  wafer.mount = MountRecord{"boot", ProcessId{4242, 99}, 4026531837, 4026531840, 57};
  return wafer;
}

/// Why decode_metadata() refuses `document`; empty if it doesn't.
std::string refusal(const std::string& document) {
  try {
    decode_metadata(document);
    return {};
  } catch (const Error& error) {
    return error.message();
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("every field of a wafer survives its record") {
  const Wafer before = full_record();
  const Wafer after = decode_metadata(encode_metadata(before));
  CHECK(after.name == before.name);
  CHECK(after.stage == before.stage);
  CHECK(after.groups == before.groups);
  CHECK(after.place == before.place);
  CHECK(after.branch == before.branch);
  CHECK(after.checkout == before.checkout);
  CHECK(after.main_checkout == before.main_checkout);
  CHECK(after.base_kind == before.base_kind);
  CHECK(after.base_commit == before.base_commit);
  CHECK(after.base_ref == before.base_ref);
  CHECK(after.layers == before.layers);
  CHECK(after.checkout_commit == before.checkout_commit);
  CHECK(after.moves == before.moves);
  CHECK(after.last_commit == before.last_commit);
  CHECK(after.pending_commit == before.pending_commit);
  CHECK(after.staged_tree == before.staged_tree);
  CHECK(after.pending_staged_tree == before.pending_staged_tree);
  CHECK(after.backend == before.backend);
  CHECK(after.dialect == before.dialect);
  CHECK(after.mountpoint == before.mountpoint);
  CHECK(after.mountpoint_made == before.mountpoint_made);
  CHECK(after.mountpoint_parents == before.mountpoint_parents);
  CHECK(after.mountpoint_mode == before.mountpoint_mode);
  CHECK(after.durable == before.durable);
  CHECK(after.volatile_boot == before.volatile_boot);
  CHECK(after.created_at == before.created_at);
  REQUIRE(after.mount);
  CHECK(after.mount->boot_id == before.mount->boot_id);
  CHECK(after.mount->process == before.mount->process);
  CHECK(after.mount->user_ns == before.mount->user_ns);
  CHECK(after.mount->mnt_ns == before.mount->mnt_ns);
  CHECK(after.mount->device == before.mount->device);
}

TEST_CASE("a record of version 0.1.0 has the checkout alone for its base") {
  std::string document = encode_metadata(full_record());
  for (const char* key : {"base_kind", "base_ref", "base_layers", "checkout_commit"}) {
    document =
        replaced(document, "\"" + std::string(key) + "\"", "\"once_" + std::string(key) + "\"");
  }
  const Wafer wafer = decode_metadata(document);
  CHECK(wafer.base_kind == BaseKind::live);
  CHECK(wafer.layers == std::vector{wafer.checkout});
  CHECK(wafer.checkout_commit == wafer.base_commit);
}

TEST_CASE("what is absent stays absent") {
  Wafer wafer = full_record();
  wafer.mount = MountRecord{"boot", {}, {}, {}, {}};
  wafer.mountpoint_mode.reset();
  const Wafer with_record = decode_metadata(encode_metadata(wafer));
  REQUIRE(with_record.mount);
  CHECK_FALSE(with_record.mount->process);
  CHECK_FALSE(with_record.mount->user_ns);
  CHECK_FALSE(with_record.mountpoint_mode);
  wafer.mount.reset();
  CHECK_FALSE(decode_metadata(encode_metadata(wafer)).mount);
}

TEST_CASE("paths and branches that are not UTF-8 survive") {
  Wafer wafer = full_record();
  wafer.branch = "wafers/\xE9t\xE9";
  wafer.checkout = "/src/\xFF\xFE \n'\"";
  wafer.mountpoint_parents = {"/\x80"};
  const Wafer after = decode_metadata(encode_metadata(wafer));
  CHECK(after.branch == wafer.branch);
  CHECK(after.checkout == wafer.checkout);
  CHECK(after.mountpoint_parents == wafer.mountpoint_parents);
}

TEST_CASE("keys of a newer version are kept when a record is replaced") {
  const std::string good = encode_metadata(full_record());
  const Wafer wafer = decode_metadata(replaced(good, "{", R"({"later": [1, "2"],)"));
  CHECK(wafer.unknown_keys == R"({"later":[1,"2"]})");
  CHECK(decode_metadata(encode_metadata(wafer)).unknown_keys == wafer.unknown_keys);
  CHECK(decode_metadata(good).unknown_keys.empty());
}

TEST_CASE("what is unknown takes the place of nothing that is known") {
  Wafer wafer = full_record();
  wafer.unknown_keys = R"({"later": 1, "name": "old"})";
  const Wafer after = decode_metadata(encode_metadata(wafer));
  CHECK(after.name == "a1");
  CHECK(after.unknown_keys == R"({"later":1})");
}

TEST_CASE("a damaged record is refused with its reason") {
  const std::string good = encode_metadata(full_record());
  CHECK_THAT(refusal(""), Contains("no JSON"));
  CHECK_THAT(refusal(good.substr(0, good.size() / 2)), Contains("no JSON"));
  CHECK_THAT(refusal("[]"), Contains("no JSON object"));
  CHECK_THAT(refusal("{}"), Contains("'version' is missing"));
  CHECK_THAT(refusal(replaced(good, "\"version\": 1", "\"version\": 2")), Contains("newer wafers"));
  CHECK_THAT(refusal(replaced(good, "\"branch\"", "\"bronch\"")), Contains("'branch' is missing"));
  CHECK_THAT(refusal(replaced(good, "\"fuse\"", "\"floppy\"")), Contains("'floppy'"));
  CHECK_THAT(refusal(replaced(good, "\"/src/base\"", "\"src\"")), Contains("no absolute path"));
  CHECK_THAT(refusal(replaced(good, "\"/src/base\"", "7")), Contains("no string"));
  CHECK_THAT(refusal(replaced(good, "\"/src/base\"", R"({"hex": "2f6"})")),
             Contains("hexadecimal"));
  CHECK_THAT(refusal(replaced(good, "\"/src/base\"", R"({"hex": "2f00"})")), Contains("NUL"));
  CHECK_THAT(refusal(replaced(good, "4242", "-4242")), Contains("'pid'"));
  CHECK_THAT(refusal(replaced(good, "4242", "99999999999")), Contains("'pid'"));
}

TEST_CASE("a document that would take memory or stack is refused") {
  const auto nested = [](std::size_t depth) {
    return R"({"version": 1, "later": )" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  CHECK_THAT(refusal(nested(20)), Contains("'name' is missing"));
  CHECK_THAT(refusal(nested(100)), Contains("nested too deeply"));
  CHECK_THAT(refusal(nested(500'000)), Contains("nested too deeply"));
  CHECK_THAT(refusal(std::string(500'000, '[')), Contains("nested too deeply"));
  CHECK_THAT(refusal(std::string(2'000'000, ' ')), Contains("larger than 1 MiB"));
  CHECK_THAT(refusal(R"({"version": 1e999})"), Contains("no JSON that can be read"));
  const std::string brackets = "{\"version\": 1, \"later\": \"" + std::string(100, '[') + "\\\"" +
                               std::string(100, '{') + "\"}";
  CHECK_THAT(refusal(brackets), Contains("'name' is missing"));
}

TEST_CASE("no more is kept of a record than can be read again") {
  Wafer wafer = full_record();
  wafer.unknown_keys = R"({"later": [0)";
  for (int i = 0; i < 300'000; ++i) wafer.unknown_keys += ",0";
  wafer.unknown_keys += "]}";
  const Wafer after = decode_metadata(encode_metadata(wafer));
  CHECK(after.name == "a1");
  CHECK(after.unknown_keys.empty());
}

}  // namespace
}  // namespace wafers
