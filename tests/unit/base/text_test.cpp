#include "base/text.h"

#include "support/catch.h"

TEST_CASE("quoted() lets no control character or stray byte through", "[text]") {
  CHECK(wafers::quoted("a1") == "'a1'");
  CHECK(wafers::quoted("it's\n\x1b[31m") == "'it\\'s\\n\\033[31m'");
  CHECK(wafers::quoted("caf\xc3\xa9") == "'caf\xc3\xa9'");
  CHECK(wafers::quoted("caf\xe9") == "'caf\\351'");
}

TEST_CASE("is_utf8() refuses overlong forms, surrogates and cut sequences", "[text]") {
  CHECK(wafers::is_utf8("plain \xe2\x82\xac \xf0\x9f\x98\x80"));
  CHECK_FALSE(wafers::is_utf8("\xc0\xaf"));
  CHECK_FALSE(wafers::is_utf8("\xed\xa0\x80"));
  CHECK_FALSE(wafers::is_utf8("\xe2\x82"));
  CHECK_FALSE(wafers::is_utf8("\xf4\x90\x80\x80"));
}

TEST_CASE("split() keeps empty pieces", "[text]") {
  CHECK(wafers::split("a::b", ':') == std::vector<std::string>{"a", "", "b"});
  CHECK(wafers::split("", ':') == std::vector<std::string>{""});
}

TEST_CASE("trimmed() removes white space at both ends only", "[text]") {
  CHECK(wafers::trimmed(" \t a b \r\n") == "a b");
  CHECK(wafers::trimmed(" \n").empty());
}

TEST_CASE("shell_quoted() gives one shell word", "[text]") {
  CHECK(wafers::shell_quoted("plain/path-1.c") == "plain/path-1.c");
  CHECK(wafers::shell_quoted("") == "''");
  CHECK(wafers::shell_quoted("it's $HOME") == "'it'\\''s $HOME'");
}
