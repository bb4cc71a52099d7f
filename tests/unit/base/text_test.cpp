#include "base/text.h"

#include "support/catch.h"

TEST_CASE("in_quotes() lets no control character or stray byte through", "[text]") {
  CHECK(wafers::in_quotes("a1") == "'a1'");
  CHECK(wafers::in_quotes("it's\n\x1b[31m") == "'it\\'s\\n\\033[31m'");
  CHECK(wafers::in_quotes("caf\xc3\xa9") == "'caf\xc3\xa9'");
  CHECK(wafers::in_quotes("caf\xe9") == "'caf\\351'");
  CHECK(wafers::in_quotes("\\033") == "'\\\\033'");
}

TEST_CASE("printable() escapes what a terminal obeys or a reader can't see", "[text]") {
  CHECK(wafers::printable("\xc2\x9b"
                          "31m") == "\\302\\23331m");                    // CSI
  CHECK(wafers::printable("\xc2\x80\xc2\xa0") == "\\302\\200\xc2\xa0");  // C1 ends at U+009F
  CHECK(wafers::printable("a\xe2\x80\xae"
                          "b") == "a\\342\\200\\256b");  // right-to-left override
  CHECK(wafers::printable("\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c") ==
        "\\342\\201\\246\\342\\201\\251\\330\\234");              // isolates, Arabic letter mark
  CHECK(wafers::printable("\xe2\x80\xa8") == "\\342\\200\\250");  // line separator
  CHECK(wafers::printable("\xd7\x90\xd7\x91 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb") ==
        "\xd7\x90\xd7\x91 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb");  // Hebrew; an emoji with
                                                                           // a joiner
}

TEST_CASE("printable_lines() keeps the lines of a text, and nothing else", "[text]") {
  CHECK(wafers::printable_lines("a\n\tb\x1b[0m\r") == "a\n\tb\\033[0m\\015");
}

TEST_CASE("printable_json() changes the document's bytes and not its values", "[text]") {
  CHECK(wafers::printable_json("{\n \"a\": \"\xc2\x9b\xe2\x80\xae\xc3\xa9\"\n}") ==
        "{\n \"a\": \"\\u009b\\u202e\xc3\xa9\"\n}");
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

TEST_CASE("joined() is the way back", "[text]") {
  CHECK(wafers::joined({"a", "", "b"}, ", ") == "a, , b");
  CHECK(wafers::joined({}, ", ").empty());
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

TEST_CASE("shortened() counts characters and cuts none in half", "[text]") {
  CHECK(wafers::shortened("abcdef", 6) == "abcdef");
  CHECK(wafers::shortened("abcdefg", 6) == "abc...");
  CHECK(wafers::shortened("\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc", 6) ==
        "\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc");
  CHECK(wafers::shortened("\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u20ac", 6) ==
        "\u00e4\u00f6\u00fc...");
  CHECK(wafers::shortened("", 6).empty());
}

TEST_CASE("paths lie within directories by whole names") {
  CHECK(wafers::is_within("/a/b", "/a/b"));
  CHECK(wafers::is_within("/a/b/c", "/a/b"));
  CHECK_FALSE(wafers::is_within("/a/bc", "/a/b"));
  CHECK_FALSE(wafers::is_within("/a", "/a/b"));
  CHECK(wafers::is_within("/a", "/"));
}
