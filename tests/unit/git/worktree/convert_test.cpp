#include "git/worktree/convert.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "git/repository/repository.h"
#include "git/worktree/convert_driver.h"
#include "support/catch.h"
#include "support/git_repo.h"
#include "support/temp_dir.h"

using wafers::Error;
using wafers::git::AttributeScope;
using wafers::git::Conversion;
using wafers::git::ConvertConfig;
using wafers::git::ConvertContext;
using wafers::git::DriverPool;
using wafers::git::LetterCase;
using wafers::git::Repository;
using wafers::git::TextStats;
using wafers::test::GitRepo;
using wafers::test::TempDir;

using namespace std::string_literals;

namespace {

/// What comes of one conversion: the content, or that it failed, and what was warned of.
struct Outcome {
  bool failed = false;
  std::string content;
  std::string message;
  std::vector<std::string> warnings;
};

/// A repository with one file `f`, to convert it by git and by us.
class ConvertCheckout {
 public:
  explicit ConvertCheckout(std::vector<std::string> settings = {})
      : repo_(GitRepo::init(directory_.path())) {
    for (std::size_t i = 0; i + 1 < settings.size(); i += 2) set(settings[i], settings[i + 1]);
  }

  const GitRepo& repo() const { return repo_; }
  void set(const std::string& key, const std::string& value) { repo_.git({"config", key, value}); }
  void attributes(const std::string& rules) {
    rules_ = rules;
    repo_.write(".gitattributes", rules);
  }
  /// What the index has for the file, unconverted.
  void record(const std::string& blob) {
    recorded_ = blob;
    const std::string oid =
        repo_.git({"hash-object", "-w", "--stdin"}, {.cwd = {}, .environment = {}, .input = blob});
    repo_.git(
        {"update-index", "--add", "--cacheinfo", "100644," + oid.substr(0, oid.size() - 1) + ",f"});
  }

  Outcome add_by_git(const std::string& content) const {
    repo_.write("f", content);
    if (!recorded_) repo_.git({"update-index", "--force-remove", "f"});
    const auto result = repo_.try_git({"add", "f"});
    Outcome outcome{.failed = !result.ok(), .content = {}, .message = result.err, .warnings = {}};
    if (!outcome.failed) outcome.content = repo_.git({"cat-file", "blob", ":f"});
    return outcome;
  }

  Outcome checkout_by_git(const std::string& blob) const {
    const std::string oid =
        repo_.git({"hash-object", "-w", "--stdin"}, {.cwd = {}, .environment = {}, .input = blob});
    repo_.git(
        {"update-index", "--add", "--cacheinfo", "100644," + oid.substr(0, oid.size() - 1) + ",f"});
    std::filesystem::remove(repo_ / "f");
    const auto result = repo_.try_git({"checkout-index", "-f", "f"});
    Outcome outcome{.failed = !result.ok(), .content = {}, .message = result.err, .warnings = {}};
    if (!outcome.failed) outcome.content = wafers::test::read_file(repo_ / "f");
    return outcome;
  }

  Outcome add_by_wafers(const std::string& content, DriverPool* pool = nullptr) const {
    return run(pool, [&](const Conversion& conversion, const ConvertContext& context) {
      return conversion.to_git(content, context);
    });
  }

  Outcome checkout_by_wafers(const std::string& blob, DriverPool* pool = nullptr) const {
    const std::string oid =
        repo_.git({"hash-object", "--stdin"}, {.cwd = {}, .environment = {}, .input = blob});
    return run(pool, [&](const Conversion& conversion, const ConvertContext& context) {
      return conversion.to_worktree(blob, oid.substr(0, oid.size() - 1), context);
    });
  }

  bool is_identity() const { return conversion().is_identity(); }

 private:
  Conversion conversion() const {
    const auto scope = AttributeScope::root("", "", rules_, LetterCase::sensitive);
    const ConvertConfig config = convert_config(Repository::open(repo_.path()));
    return Conversion::choose(scope->of_file("f"), config);
  }

  Outcome run(
      DriverPool* pool,
      const std::function<std::string(const Conversion&, const ConvertContext&)>& work) const {
    Outcome outcome;
    ConvertContext context;
    context.path = "f";
    context.directory = repo_.path();
    context.drivers = pool;
    context.warnings = &outcome.warnings;
    context.recorded = [this] {
      return recorded_ ? std::optional(TextStats::of(*recorded_)) : std::nullopt;
    };
    try {
      outcome.content = work(conversion(), context);
    } catch (const Error& error) {
      outcome.failed = true;
      outcome.message = error.message();
    }
    return outcome;
  }

  TempDir directory_;
  GitRepo repo_;
  std::string rules_;
  std::optional<std::string> recorded_;
};

/// Both ways, by git and by us.
void compare(ConvertCheckout& checkout, const std::string& content) {
  INFO("content " << Catch::StringMaker<std::string>::convert(content));
  const Outcome ours = checkout.add_by_wafers(content);
  const Outcome gits = checkout.add_by_git(content);
  INFO("git says: " << gits.message << "we say: " << ours.message);
  CHECK(ours.failed == gits.failed);
  CHECK(ours.content == gits.content);
  for (const std::string& warning : ours.warnings) {
    CHECK(gits.message.find(warning) != std::string::npos);
  }
  CHECK((gits.message.find("the next time Git touches it") == std::string::npos || ours.failed ||
         !ours.warnings.empty()));
  if (ours.failed) CHECK(gits.message.find(ours.message) != std::string::npos);

  const Outcome written = checkout.checkout_by_wafers(content);
  const Outcome written_by_git = checkout.checkout_by_git(content);
  INFO("git says: " << written_by_git.message);
  CHECK(written.failed == written_by_git.failed);
  if (!written_by_git.failed) CHECK(written.content == written_by_git.content);
}

const std::vector<std::string>& texts() {
  static const std::vector<std::string> all{"",
                                            "a",
                                            "a\n",
                                            "a\r\n",
                                            "a\nb\r\n",
                                            "a\rb\r\n",
                                            "a\r",
                                            "a\0b\r\n"s,
                                            "\r\r\n",
                                            "\n\n",
                                            "a\r\nb\032",
                                            "\032",
                                            "\x01\r\n",
                                            std::string(200, 'x') + "\x01\r\n",
                                            std::string(100, 'x') + "\x7F\n",
                                            "\b\t\033\f\r\n",
                                            "\xC3\xA4\r\n",
                                            "a\r\n\r\nb\r\n"};
  return all;
}

}  // namespace

TEST_CASE("line ends under every attribute and setting", "[convert]") {
  for (const std::string rules :
       {"", "f text\n", "f -text\n", "f text=auto\n", "f text eol=crlf\n", "f text eol=lf\n",
        "f text=auto eol=crlf\n", "f text=auto eol=lf\n", "f eol=crlf\n", "f eol=lf\n",
        "f -text eol=crlf\n", "f text=input\n", "f text=other\n", "f crlf\n", "f -crlf\n",
        "f crlf=input\n", "f crlf=auto\n", "f text=auto crlf\n", "f binary\n"}) {
    for (const std::vector<std::string>& settings : std::vector<std::vector<std::string>>{
             {}, {"core.autocrlf", "true"}, {"core.autocrlf", "input"}, {"core.eol", "crlf"}}) {
      // The whole table once takes seconds: each cell gets some of the texts.
      ConvertCheckout checkout(settings);
      checkout.attributes(rules);
      INFO("attributes " << rules << " settings " << (settings.empty() ? "" : settings.back()));
      static std::size_t next = 0;
      for (int i = 0; i < 2; ++i) compare(checkout, texts()[next++ % texts().size()]);
    }
  }
}

TEST_CASE("what was recorded with CR LF stays so where git guesses", "[convert]") {
  for (const std::string& blob : {"x\r\n"s, "x\n"s, "x\r\ny\n"s, "x\ry\r\n"s, "\0\r\n"s}) {
    ConvertCheckout checkout;
    checkout.attributes("f text=auto\n");
    checkout.record(blob);
    INFO("recorded " << Catch::StringMaker<std::string>::convert(blob));
    const Outcome ours = checkout.add_by_wafers("new\r\n");
    CHECK(ours.content == checkout.add_by_git("new\r\n").content);
  }
}

TEST_CASE("core.safecrlf", "[convert]") {
  for (const std::string setting : {"true", "false", "warn"}) {
    for (const std::string rules : {"f text\n", "f text eol=crlf\n", "f text=auto eol=crlf\n"}) {
      ConvertCheckout checkout({"core.safecrlf", setting});
      checkout.attributes(rules);
      for (const std::string content : {"a\r\n", "a\n", "a\r\nb\n", ""}) compare(checkout, content);
    }
  }
}

TEST_CASE("ident", "[convert]") {
  ConvertCheckout checkout;
  checkout.attributes("f ident\n");
  for (const std::string content : {"$Id$",        "x $Id$ y $Id$\n",
                                    "$Id: 1234 $", "$Id:$",
                                    "$Id: $",      "$Id:x$",
                                    "$Id: a b $",  "$Id: a\nb $ $Id$",
                                    "$Id: open",   "$Idx$ $Id$",
                                    "$Id$Id: x$",  "$Id: x y$ $Id$",
                                    "$Id:  x $",   "$Id: x  $",
                                    "no",          "$",
                                    "$I",          "$Id",
                                    "$Id:",        "$Id: \n$Id: z $"}) {
    compare(checkout, content);
  }
  checkout.attributes("f ident text eol=crlf\n");
  compare(checkout, "$Id$\r\nx\n");
  CHECK(checkout.add_by_wafers("$$Id: x$$").content == "$$Id$$");
}

TEST_CASE("working-tree-encoding", "[convert]") {
  const std::string le = "\xFF\xFE"s;
  const std::string be = "\xFE\xFF"s;
  for (const std::string encoding :
       {"UTF-16", "utf-16", "UTF16", "UTF-16LE", "UTF-16BE", "UTF-16LE-BOM", "UTF-16BE-BOM",
        "UTF-8", "utf8", "ISO-8859-1", "latin-1", "SHIFT-JIS", "UTF-32", "nonsense"}) {
    ConvertCheckout checkout;
    checkout.attributes("f working-tree-encoding=" + encoding + "\n");
    INFO("encoding " << encoding);
    for (const std::string& content :
         {""s, "a\0b\0"s, "\0a\0b"s, le + "a\0"s, be + "\0a"s, "abc"s, "\xE4\xF6"s, "\xC3\xA4"s,
          "\x82\xA0"s, "\xFF\xFE\0\0a\0\0\0"s, "a\0b"s}) {
      compare(checkout, content);
    }
  }
  ConvertCheckout checkout;
  checkout.attributes("f text eol=crlf working-tree-encoding=UTF-16LE\n");
  compare(checkout, "a\0\r\0\n\0"s);
  CHECK(checkout.checkout_by_wafers("a\n").content == "a\0\r\0\n\0"s);
  checkout.attributes("f working-tree-encoding\n");
  CHECK(checkout.add_by_wafers("x").failed);
  CHECK(checkout.add_by_git("x").failed);
  checkout.attributes("f -working-tree-encoding\n");
  compare(checkout, "x");
}

TEST_CASE("external filters", "[convert]") {
  ConvertCheckout checkout({"filter.up.clean", "tr a-z A-Z", "filter.up.smudge", "tr A-Z a-z",
                            "filter.path.clean", "cat; printf %%s %f", "filter.bad.clean", "exit 3",
                            "filter.deaf.clean", "exec <&-; echo deaf", "filter.no.required",
                            "true", "filter.must.clean", "cat >/dev/null; exit 1",
                            "filter.must.required", "true", "filter.missing.clean",
                            "/nonexistent/program 2>/dev/null"});
  for (const std::string rules :
       {"f filter=up\n", "f filter=path\n", "f filter=bad\n", "f filter=no\n", "f filter=must\n",
        "f filter=missing\n", "f filter=unknown\n", "f filter\n", "f filter=up text eol=crlf\n"}) {
    checkout.attributes(rules);
    INFO("attributes " << rules);
    const std::string content = "Hello\r\nWorld";
    const Outcome ours = checkout.add_by_wafers(content);
    const Outcome gits = checkout.add_by_git(content);
    INFO("git says: " << gits.message << "we say: " << ours.message);
    CHECK(ours.failed == gits.failed);
    CHECK(ours.content == gits.content);
    if (ours.failed) CHECK(gits.message.find(ours.message) != std::string::npos);
    const Outcome written = checkout.checkout_by_wafers(content);
    const Outcome written_by_git = checkout.checkout_by_git(content);
    CHECK(written.failed == written_by_git.failed);
    if (!written_by_git.failed) CHECK(written.content == written_by_git.content);
  }
}

TEST_CASE("a filter that prints while it reads, or does not read, never hangs", "[convert]") {
  ConvertCheckout checkout({"filter.cat.clean", "cat", "filter.deaf.clean", "echo deaf",
                            "filter.flood.clean", "head -c 3000000 /dev/zero; cat"});
  const std::string big(4U << 20U, 'x');
  checkout.attributes("f filter=cat\n");
  CHECK(checkout.add_by_wafers(big).content == big);
  checkout.attributes("f filter=deaf\n");
  CHECK(checkout.add_by_wafers(big).content == "deaf\n");
  checkout.attributes("f filter=flood\n");
  CHECK(checkout.add_by_wafers(big).content == std::string(3000000, '\0') + big);
  // The action for SIGPIPE is as it was.
  struct sigaction action {};
  ::sigaction(SIGPIPE, nullptr, &action);
  CHECK(action.sa_handler == SIG_DFL);
}

namespace {

/// A filter in the long-running protocol, in Python: turns letters round and counts its files in
/// `$PWD/.git/count`; does as the file's name and content ask.
constexpr const char* kProcessFilter = R"(
import sys
i, o = sys.stdin.buffer, sys.stdout.buffer
def read():
    h = i.read(4)
    if len(h) < 4: sys.exit(0)
    n = int(h, 16)
    return None if n == 0 else i.read(n - 4)
def lines():
    out = []
    while True:
        p = read()
        if p is None: return out
        out.append(p.decode().rstrip('\n'))
def send(b): o.write(b'%04x' % (len(b) + 4) + b)
def flush():
    o.write(b'0000'); o.flush()
def status(s):
    send(b'status=' + s + b'\n'); flush()
assert lines() == ['git-filter-client', 'version=2']
send(b'git-filter-server\n'); send(b'version=2\n'); flush()
offered = lines()
for c in offered:
    if c in ('capability=clean', 'capability=smudge'): send(c.encode() + b'\n')
flush()
open('.git/starts', 'a').write('x')
while True:
    head = dict(l.split('=', 1) for l in lines())
    data = b''
    while True:
        p = read()
        if p is None: break
        data += p
    open('.git/requests', 'a').write(head['command'] + ' ' + head['pathname'] + '\n')
    if data.startswith(b'error'): status(b'error'); continue
    if data.startswith(b'abort'): status(b'abort'); continue
    if data.startswith(b'die'): sys.exit(1)
    if data.startswith(b'odd'): status(b'odd'); continue
    if data.startswith(b'late'):
        status(b'success'); send(b'half'); flush(); status(b'error'); continue
    data = data.swapcase()
    status(b'success')
    for k in range(0, len(data), 65516): send(data[k:k+65516])
    flush(); flush()
)";

}  // namespace

TEST_CASE("filter programs that keep running", "[convert]") {
  ConvertCheckout checkout;
  checkout.repo().write(".git/filter.py", kProcessFilter);
  checkout.set("filter.p.process", "python3 .git/filter.py");
  checkout.attributes("f filter=p\n");
  const std::string big(300000, 'x');
  {
    DriverPool pool;
    for (const std::string& content : {"Hello"s, ""s, big, "error"s, "late"s, "Again"s}) {
      CHECK(checkout.add_by_wafers(content, &pool).content == checkout.add_by_git(content).content);
      CHECK(checkout.checkout_by_wafers(content, &pool).content ==
            checkout.checkout_by_git(content).content);
    }
  }
  std::filesystem::remove(checkout.repo() / ".git/starts");
  {
    DriverPool pool;
    CHECK(checkout.add_by_wafers("one", &pool).content == "ONE");
    CHECK(checkout.add_by_wafers("two", &pool).content == "TWO");
    CHECK(wafers::test::read_file(checkout.repo() / ".git/starts") == "x");
    // It says that it can't any more: nothing is asked of it again in that direction.
    CHECK(checkout.add_by_wafers("abort", &pool).content == "abort");
    CHECK(checkout.add_by_wafers("three", &pool).content == "three");
    CHECK(checkout.checkout_by_wafers("three", &pool).content == "THREE");
    CHECK(wafers::test::read_file(checkout.repo() / ".git/starts") == "x");
  }
  {
    // A program that breaks the protocol or dies is started anew for the next file.
    DriverPool pool;
    CHECK(checkout.add_by_wafers("die", &pool).content == "die");
    CHECK(checkout.add_by_wafers("odd", &pool).content == "odd");
    const Outcome fine = checkout.add_by_wafers("fine", &pool);
    CHECK(fine.content == "FINE");
    CHECK(fine.warnings.empty());
    CHECK(wafers::test::read_file(checkout.repo() / ".git/starts") == "xxxx");
  }
  checkout.set("filter.p.required", "true");
  const Outcome ours = checkout.add_by_wafers("error");
  CHECK(ours.failed);
  CHECK(checkout.add_by_git("error").message.find(ours.message) != std::string::npos);
}

TEST_CASE("status warns where a commit fails", "[convert]") {
  const TempDir directory;
  const auto scope = AttributeScope::root("", "", "f working-tree-encoding=UTF-16\n* text\n",
                                          LetterCase::sensitive);
  ConvertConfig config;
  config.safecrlf = ConvertConfig::SafeCrlf::fail;
  std::vector<std::string> warnings;
  ConvertContext context;
  context.path = "f";
  context.warnings = &warnings;
  context.writes = false;
  CHECK(Conversion::choose(scope->of_file("f"), config).to_git("ab", context) == "ab");
  CHECK(warnings == std::vector<std::string>{"BOM is required in 'f' if encoded as UTF-16"});
  CHECK(Conversion::choose(scope->of_file("g"), config).to_git("a\r\n", context) == "a\n");
  context.writes = true;
  CHECK_THROWS_AS(Conversion::choose(scope->of_file("g"), config).to_git("a\r\n", context), Error);
}

TEST_CASE("a file that needs nothing done can be streamed", "[convert]") {
  ConvertCheckout checkout;
  CHECK(checkout.is_identity());
  checkout.attributes("f -text\n");
  CHECK(checkout.is_identity());
  checkout.attributes("f text\n");
  CHECK_FALSE(checkout.is_identity());
  checkout.attributes("f filter=unknown diff\n");
  CHECK(checkout.is_identity());
  checkout.attributes("f working-tree-encoding=utf8\n");
  CHECK(checkout.is_identity());
  checkout.attributes("f ident\n");
  CHECK_FALSE(checkout.is_identity());
}
