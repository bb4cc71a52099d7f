#include "core/state/backend_traits.h"

#include <set>

#include "core/view/backends.h"
#include "support/catch.h"

namespace wafers {
namespace {

TEST_CASE("each backend is in the table once, by its own name, and can be made") {
  std::set<std::string_view> names;
  for (const BackendTraits& traits : all_backends()) {
    INFO(traits.name);
    CHECK(names.insert(traits.name).second);
    CHECK(traits_of(traits.kind).name == traits.name);
    CHECK(parse_backend(traits.name) == traits.kind);
    CHECK(make_backend(traits.kind)->kind() == traits.kind);
    CHECK_FALSE(traits.dialects.empty());
  }
  CHECK(names == std::set<std::string_view>{"fuse", "host", "namespace"});
  CHECK_FALSE(parse_backend("floppy"));
}

TEST_CASE("views that show here come before those that show in a namespace") {
  bool own_namespaces = false;
  for (const BackendTraits& traits : all_backends()) {
    CHECK_FALSE((own_namespaces && !traits.has_own_namespaces));
    own_namespaces = traits.has_own_namespaces;
  }
}

}  // namespace
}  // namespace wafers
