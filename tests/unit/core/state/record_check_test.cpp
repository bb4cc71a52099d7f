#include "core/state/record_check.h"

#include <functional>

#include "base/error.h"
#include "linux/upper.h"
#include "support/catch.h"

namespace wafers {
namespace {

Wafer believable_record() {
  Wafer wafer;
  wafer.name = "a1";
  wafer.branch = "wafers/a1";
  wafer.checkout = "/src/base";
  wafer.layers = {wafer.checkout};
  wafer.base_commit = wafer.checkout_commit = std::string(40, 'a');
  wafer.last_commit = std::string(40, 'b');
  wafer.mountpoint = "/state/a1/mnt";
  wafer.created_at = "2026-01-02T03:04:05Z";
  wafer.volatile_boot = "5a2b0f9c-3c5e-4a3e-9a53-5a2b0f9c3c5e";
  wafer.mount = MountRecord{wafer.volatile_boot, ProcessId{4242, 99}, 1, 2, 3};
  return wafer;
}

/// The key that a record with this change is refused for; empty where it isn't.
std::string refused_key(const std::function<void(Wafer&)>& change) {
  Wafer wafer = believable_record();
  change(wafer);
  try {
    require_believable(wafer, "/state");
    return {};
  } catch (const Error& error) {
    const std::string& message = error.message();
    const std::size_t start = message.find('\'') + 1;
    return message.substr(start, message.find('\'', start) - start);
  }
}

TEST_CASE("what add writes is believed") {
  CHECK(refused_key([](Wafer&) {}).empty());
  CHECK(refused_key([](Wafer& wafer) { wafer.branch = "topic/caf\xE9"; }).empty());
  CHECK(refused_key([](Wafer& wafer) { wafer.layers = {wafer.checkout = "/"}; }).empty());
  CHECK(refused_key([](Wafer& wafer) {
          wafer.layers = {"/state/.bases/delta/1", wafer.checkout};
        }).empty());
  CHECK(refused_key([](Wafer& wafer) {
          wafer.base_kind = BaseKind::frozen;
          wafer.layers = {"/state/.bases/1/tree"};
          wafer.checkout_commit.clear();
        }).empty());
  CHECK(refused_key([](Wafer& wafer) { wafer.staged_tree = std::string(40, '0'); }).empty());
  CHECK(refused_key([](Wafer& wafer) { wafer.main_checkout = "/src/main"; }).empty());
  for (const char* place : {"/", "main", "/src/../main", "/state/a1/upper"}) {
    CHECK(refused_key([&](Wafer& wafer) { wafer.main_checkout = place; }) == "main_checkout");
  }
  CHECK(refused_key([](Wafer& wafer) { wafer.place = wafer.checkout; }).empty());
  for (const char* place : {"/", "base", "/src", "/src/../src/base", "/state", "/state/a1/upper"}) {
    CHECK(refused_key([&](Wafer& wafer) { wafer.place = place; }) == "in_place");
  }
  CHECK(refused_key([](Wafer& wafer) {
          wafer.place = wafer.checkout;
          wafer.backend = BackendKind::host;
          wafer.dialect = UpperDialect::kernel_trusted;
        }) == "in_place");
  CHECK(refused_key([](Wafer& wafer) { wafer.mountpoint_mode = 02755; }).empty());
  CHECK(refused_key([](Wafer& wafer) { wafer.mount.reset(); }).empty());
  CHECK(refused_key([](Wafer& wafer) {
          wafer.mountpoint = "/views/x/a1";
          wafer.mountpoint_parents = {"/views", "/views/x"};
        }).empty());
  CHECK(refused_key([](Wafer& wafer) {
          wafer.backend = BackendKind::host;
          wafer.dialect = UpperDialect::kernel_trusted;
        }).empty());
}

TEST_CASE("a base is made of the checkout and of what lies among the bases of the state") {
  using Layers = std::vector<std::filesystem::path>;
  for (const Layers& layers :
       {Layers{}, Layers{"/src/other"}, Layers{"/src/base", "/src/base"},
        Layers{"/state/a1/upper", "/src/base"}, Layers{"/state/.bases", "/src/base"},
        Layers{"/state/.bases/../b1/upper", "/src/base"}, Layers{"/state/.bases/1"},
        Layers(9, "/src/base")}) {
    CHECK(refused_key([&](Wafer& wafer) { wafer.layers = layers; }) == "base_layers");
  }
  for (const Layers& layers : {Layers{"/src/base"}, Layers{"/state/.bases/1", "/src/base"}}) {
    CHECK(refused_key([&](Wafer& wafer) {
            wafer.base_kind = BaseKind::frozen;
            wafer.layers = layers;
          }) == "base_layers");
  }
  CHECK(refused_key([](Wafer& wafer) { wafer.checkout_commit.clear(); }) == "base_layers");
  CHECK(refused_key([](Wafer& wafer) { wafer.checkout_commit = "HEAD"; }) == "checkout_commit");
  CHECK(refused_key([](Wafer& wafer) { wafer.moves = {{"HEAD", {}}}; }) == "base_moves");
}

TEST_CASE("a branch that git would not make leads out of the branches") {
  for (const char* branch :
       {"", "../../../../outside", "../../HEAD", "../tags/v1", "a/../../b", "/etc/passwd", "a//b",
        "a/", ".a", "a/.b", "a.lock", "-f", "HEAD", "a b", "a\nb", "a..b", "a@{1}", "a."}) {
    CAPTURE(branch);
    CHECK(refused_key([&](Wafer& wafer) { wafer.branch = branch; }) == "branch");
  }
}

TEST_CASE("what is no object name is refused") {
  for (const std::string& name :
       {std::string("HEAD"), std::string(39, 'a'), std::string(41, 'a'), std::string(40, 'A'),
        std::string(39, 'a') + "\n", std::string("--exec=") + std::string(33, 'a')}) {
    CAPTURE(name);
    CHECK(refused_key([&](Wafer& wafer) { wafer.base_commit = name; }) == "base_commit");
    CHECK(refused_key([&](Wafer& wafer) { wafer.last_commit = name; }) == "last_commit");
    CHECK(refused_key([&](Wafer& wafer) { wafer.pending_commit = name; }) == "pending_commit");
    CHECK(refused_key([&](Wafer& wafer) { wafer.staged_tree = name; }) == "staged_tree");
    CHECK(refused_key([&](Wafer& wafer) { wafer.pending_staged_tree = name; }) ==
          "pending_staged_tree");
  }
  CHECK(refused_key([](Wafer& wafer) { wafer.last_commit.clear(); }) == "last_commit");
}

TEST_CASE("a mountpoint is the default one or has nothing to do with the state") {
  for (const std::string& place :
       {std::string("/"), std::string("/state"), std::string("/state/a1"),
        std::string("/state/a2/mnt"), std::string("/state/a1/upper"), std::string("/state/.lock"),
        std::string("/views/../etc"), std::string("/views/./a"), std::string("/views//a"),
        std::string("/views/a/"), "/" + std::string(5000, 'a')}) {
    CAPTURE(place);
    CHECK(refused_key([&](Wafer& wafer) { wafer.mountpoint = place; }) == "mountpoint");
  }
}

TEST_CASE("parents are parents") {
  for (const char* parent : {"views", "/other", "/views/a1", "/views/a1/x", "/views/../x", "/x/"}) {
    CAPTURE(parent);
    CHECK(refused_key([&](Wafer& wafer) {
            wafer.mountpoint = "/views/a1";
            wafer.mountpoint_parents = {parent};
          }) == "mountpoint_parents");
  }
}

TEST_CASE("the other fields are what they may be") {
  CHECK(refused_key([](Wafer& wafer) { wafer.checkout = "/src/../etc"; }) == "base_repo");
  CHECK(refused_key([](Wafer& wafer) { wafer.checkout = "/state/a1/upper"; }) == "base_repo");
  CHECK(refused_key([](Wafer& wafer) { wafer.mountpoint_mode = 0100777; }) == "mountpoint_mode");
  CHECK(refused_key([](Wafer& wafer) { wafer.volatile_boot = "\x1b[2J"; }) == "volatile_boot");
  CHECK(refused_key([](Wafer& wafer) { wafer.created_at = std::string(65, '1'); }) == "created_at");
  CHECK(refused_key([](Wafer& wafer) { wafer.mount->boot_id = "a b"; }) == "mount");
  CHECK(refused_key([](Wafer& wafer) { wafer.dialect = UpperDialect::fuse; }) == "dialect");
  CHECK(refused_key([](Wafer& wafer) { wafer.backend = BackendKind::fuse; }) == "dialect");
}

}  // namespace
}  // namespace wafers
