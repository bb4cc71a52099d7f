#include "base/similar.h"

#include "support/catch.h"

using namespace wafers;
using Words = std::vector<std::string>;

TEST_CASE("edit distance") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("commit", "comit") == 1);
  CHECK(edit_distance("commit", "commmit") == 1);
  CHECK(edit_distance("commit", "conmit") == 1);
  CHECK(edit_distance("commit", "comimt") == 1);
  CHECK(edit_distance("ca", "abc") == 3);  // no letter twice
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("what a word may be a mistyping of") {
  const Words words{"add", "git-add", "git-status", "ls", "rm", "mount", "umount"};
  CHECK(similar_to("ad", words) == Words{"add"});
  CHECK(similar_to("git-statsu", words) == Words{"git-status"});
  CHECK(similar_to("mout", words) == Words{"mount"});
  CHECK(similar_to("sl", words) == Words{"ls"});
  CHECK(similar_to("frob", words).empty());
  CHECK(similar_to("add", {"add"}).empty());  // it is none
  CHECK(similar_to("a3", {"a1", "a2", "b"}) == Words{"a1", "a2"});
  CHECK(similar_to(std::string(1 << 20, 'a'), words).empty());
  CHECK(similar_to("", words).empty());
}

TEST_CASE("the question") {
  CHECK(did_you_mean({}, "see x") == "see x");
  CHECK(did_you_mean({"a"}, "see x") == "did you mean 'a'? see x");
  CHECK(did_you_mean({"a", "b", "c", "d"}, "x") == "did you mean 'a' or 'b' or 'c'? x");
}
