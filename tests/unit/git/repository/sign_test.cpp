#include "git/repository/sign.h"

#include "support/catch.h"

namespace wafers::git {
namespace {

TEST_CASE("a signature is a header of many lines, the last one", "[program]") {
  CHECK(with_signature("tree t\nauthor a\n\nmessage\n\nbody\n", "one\ntwo\n") ==
        "tree t\nauthor a\ngpgsig one\n two\n\nmessage\n\nbody\n");
  CHECK(with_signature("tree t\n\n", "one\n\ntwo\n") == "tree t\ngpgsig one\n \n two\n\n");
}

}  // namespace
}  // namespace wafers::git
