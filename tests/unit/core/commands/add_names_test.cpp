#include "core/commands/add_names.h"

#include "base/error.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace wafers {
namespace {

using Catch::Matchers::Contains;

std::string refusal(const AddRequest& request) {
  try {
    plan_names(request, "/state");
    return {};
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.message();
  }
}

AddRequest request_for(std::vector<std::string> names) {
  AddRequest request;
  request.names = std::move(names);
  return request;
}

TEST_CASE("branch and mountpoint have their defaults") {
  const auto planned = plan_names(request_for({"a", "b"}), "/state");
  REQUIRE(planned.size() == 2);
  CHECK(planned[1].name == "b");
  CHECK(planned[1].branch == "wafers/b");
  CHECK(planned[1].mountpoint == "/state/b/mnt");
}

TEST_CASE("{name} is replaced wherever it stands") {
  const test::TempDir temp;
  AddRequest request = request_for({"a", "b"});
  request.branch = "{name}/x-{name}";
  request.at = (temp / "{name}-view/").native();
  const auto planned = plan_names(request, "/state");
  CHECK(planned[0].branch == "a/x-a");
  CHECK(planned[0].mountpoint == temp / "a-view");
  CHECK(planned[1].mountpoint == temp / "b-view");
}

TEST_CASE("a name is not taken for a placeholder again") {
  AddRequest request = request_for({"n"});
  request.branch = "{{name}ame}";
  CHECK(plan_names(request, "/state")[0].branch == "{name}");
}

TEST_CASE("a mountpoint is absolute and without symlinks") {
  const test::TempDir temp;
  std::filesystem::create_directory(temp / "real");
  std::filesystem::create_directory_symlink("real", temp / "link");
  AddRequest request = request_for({"a"});
  request.at = (temp / "link/../link/view").native();
  CHECK(plan_names(request, "/state")[0].mountpoint == temp / "real/view");
}

TEST_CASE("requests that can't be meant are refused") {
  CHECK_THAT(refusal(request_for({"-a"})), Contains("invalid wafer name '-a'"));
  CHECK_THAT(refusal(request_for({"a", "b", "a"})), Contains("'a' is given twice"));
  AddRequest several = request_for({"a", "b"});
  several.at = "/views";
  CHECK_THAT(refusal(several), Contains("--at must contain {name}"));
  several.at.reset();
  several.branch = "work";
  CHECK_THAT(refusal(several), Contains("--branch must contain {name}"));
  several.branch = "";
  CHECK_THAT(refusal(several), Contains("--branch is empty"));
}

}  // namespace
}  // namespace wafers
