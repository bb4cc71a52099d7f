// Signed commits, by the real gpg, gpgsm and ssh-keygen; git is the one to verify them.

#include <array>
#include <thread>

#include "cli/world.h"
#include "support/catch.h"
#include "support/needs.h"

namespace wafers::test {
namespace {

std::optional<std::string> missing_program() {
  for (const char* program : {"gpg", "gpgsm", "gpgconf", "ssh-keygen", "ssh-agent"}) {
    const std::string script = std::string("command -v ") + program;
    if (!run_script(script).ok()) return std::string("there is no ") + program;
  }
  return std::nullopt;
}
const Need kNeedsSigners("gpg, gpgsm and ssh-keygen", missing_program);

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

/// A key ring of its own, for A U Thor's committer. One for all cases: making a key takes a moment.
class KeyRing {
 public:
  KeyRing() {
    std::filesystem::permissions(home_.path(), std::filesystem::perms::owner_all);
    run_ok({"gpg", "--batch", "-q", "--passphrase", "", "--quick-generate-key",
            "C O Mitter <committer@example.com>", "ed25519", "sign", "never"},
           {.cwd = {}, .environment = {variable()}, .input = {}});
    run_ok({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", ssh_key()});
    write_file(home_ / "allowed", "committer@example.com " + read_file(ssh_key() + ".pub"));
  }
  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;
  ~KeyRing() {
    run({"gpgconf", "--kill", "all"}, {.cwd = {}, .environment = {variable()}, .input = {}});
  }

  /// Makes a certificate that signs itself, and trusts it.
  void add_certificate() const {
    const RunResult result = run_script(R"sh(
      cd "$GNUPGHOME"
      echo disable-crl-checks > gpgsm.conf
      printf '%s\n' 'Key-Type: RSA' 'Key-Length: 2048' 'Key-Usage: sign' 'Serial: random' \
        'Name-DN: CN=C O Mitter' 'Name-Email: committer@example.com' > parameters
      gpgsm --batch --pinentry-mode loopback --passphrase-fd 0 --output certificate \
        --generate-key parameters < /dev/null
      gpgsm --batch --import certificate
      gpgsm --list-keys --with-colons | sed -n 's/^fpr:*\([0-9A-F]*\):.*/\1 S relax/p' > trustlist.txt
      gpgconf --kill gpg-agent
    )sh",
                                        {.cwd = {}, .environment = {variable()}, .input = {}});
    INFO(result.err);
    REQUIRE(result.ok());
  }

  std::string variable() const { return "GNUPGHOME=" + home_.path().native(); }
  std::string ssh_key() const { return (home_ / "ssh_key").native(); }
  std::string allowed_signers() const { return (home_ / "allowed").native(); }

 private:
  TempDir home_;
};

const KeyRing& keys() {
  static const KeyRing ring;
  return ring;
}

/// A world with changes to commit in the wafer `a`.
class Signing {
 public:
  Signing() {
    world_.add("a", any_backend());
    world_.inside("a", "echo 2 > README");
  }
  const World& world() const { return world_; }
  void configure(const std::string& key, const std::string& value) const {
    world_.base().git({"config", key, value});
  }
  void use_ssh() const {
    configure("gpg.format", "ssh");
    configure("user.signingKey", keys().ssh_key());
    configure("gpg.ssh.allowedSignersFile", keys().allowed_signers());
  }
  RunResult commit(Words options = {}, Words environment = {}) const {
    options.insert(options.begin(), {"git-commit", "a", "-m", "signed", "--allow-empty"});
    environment.push_back(keys().variable());
    return world_.wafers(options, {.cwd = {}, .environment = environment, .input = {}});
  }
  RunResult verify() const {
    return world_.base().try_git({"verify-commit", "wafers/a"},
                                 {.cwd = {}, .environment = {keys().variable()}, .input = {}});
  }
  std::string raw() const { return world_.base().git({"cat-file", "commit", "wafers/a"}); }
  bool is_signed() const { return raw().find("\ngpgsig ") != std::string::npos; }

 private:
  World world_;
};

TEST_CASE("commit.gpgSign makes commits that git verifies") {
  const Signing signing;
  signing.configure("commit.gpgSign", "true");
  const RunResult result = signing.commit();
  CHECK(result.err.empty());
  REQUIRE(result.status == 0);
  CHECK(signing.verify().status == 0);
  CHECK(signing.commit({"--no-gpg-sign"}).status == 0);
  CHECK_FALSE(signing.is_signed());
}

TEST_CASE("-S signs in every form that git has") {
  const Signing signing;
  for (const Words& option : std::vector<Words>{{"-S"},
                                                {"--gpg-sign"},
                                                {"-Scommitter@example.com"},
                                                {"--gpg-sign=committer@example.com"}}) {
    INFO(option.front());
    CHECK(signing.commit().status == 0);
    CHECK_FALSE(signing.is_signed());
    CHECK(signing.commit(option).status == 0);
    CHECK(signing.verify().status == 0);
  }
  // The next word is not the key.
  CHECK(signing.world()
            .wafers({"git-commit", "-S", "a", "-m", "x", "--allow-empty"},
                    {.cwd = {}, .environment = {keys().variable()}, .input = {}})
            .status == 0);
}

TEST_CASE("the signature is where git puts it") {
  const Signing signing;
  const World& world = signing.world();
  signing.configure("i18n.commitEncoding", "ISO-8859-1");
  REQUIRE(signing.commit({"-S"}).status == 0);
  const std::string ours = signing.raw();
  const std::string tree = world.base().git_line({"rev-parse", "wafers/a^{tree}"});
  const std::string commit = run_ok({"git", "-C", world.base().path(), "commit-tree", tree, "-p",
                                     "wafers/a~1", "-S", "-m", "signed"},
                                    {.cwd = {}, .environment = {keys().variable()}, .input = {}});
  const std::string git = world.base().git({"cat-file", "commit", commit.substr(0, 40)});
  // All but the signature itself, which has the time in it.
  const auto skeleton = [](const std::string& text) {
    const std::size_t begin = text.find("-----BEGIN");
    const std::size_t end = text.find("-----END");
    return text.substr(0, begin) + "..." + text.substr(end);
  };
  CHECK(skeleton(ours) == skeleton(git));
  CHECK(world.base().try_git({"fsck", "--strict"}).ok());
}

TEST_CASE("ssh keys: a file, the key itself, and a command that prints it") {
  const Signing signing;
  signing.use_ssh();
  REQUIRE(signing.commit({"-S"}).status == 0);
  CHECK_THAT(signing.raw(), Contains("\ngpgsig -----BEGIN SSH SIGNATURE-----\n "));
  CHECK(signing.verify().status == 0);
  REQUIRE(signing.commit({"--gpg-sign=" + keys().ssh_key() + ".pub"}).status == 0);
  CHECK(signing.verify().status == 0);

  signing.configure("user.signingKey", "");
  signing.configure("gpg.ssh.defaultKeyCommand",
                    "sh -c 'echo \"key::$(cat " + keys().ssh_key() + ".pub)\"'");
  // A key alone is of no use without an agent that has its other half.
  const RunResult literal = signing.commit({"-S"});
  CHECK(literal.status == 1);
  CHECK_THAT(literal.err, StartsWith("wafers: cannot sign the commit: "));
  const RunResult agent = run_script(
      "eval \"$(ssh-agent)\" > /dev/null; trap 'ssh-agent -k > /dev/null' EXIT\n"
      "ssh-add -q '" +
          keys().ssh_key() + "'\n'" WAFERS_PROGRAM "' git-commit a -S -m agent --allow-empty",
      {.cwd = signing.world().base().path(),
       .environment = {"WAFERS_STATE_DIR=" + signing.world().state().native()},
       .input = {}});
  CHECK(agent.err.empty());
  CHECK(signing.verify().status == 0);
}

TEST_CASE("the configured programs are asked") {
  const Signing signing;
  const auto program = signing.world() / "my gpg";
  write_file(program, "#!/bin/sh\ncat > '" + (signing.world() / "asked").native() +
                          "'\necho '[GNUPG:] SIG_CREATED x' >&2\nprintf 'my\\r\\nsignature\\n'\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  signing.configure("gpg.program", program);
  REQUIRE(signing.commit({"-S"}).status == 0);
  CHECK_THAT(signing.raw(), Contains("\ngpgsig my\n signature\n\nsigned\n"));
  CHECK_THAT(read_file(signing.world() / "asked"), StartsWith("tree "));
  signing.configure("gpg.format", "x509");
  signing.configure("gpg.x509.program", program);
  REQUIRE(signing.commit({"-S"}).status == 0);
  CHECK_THAT(signing.raw(), Contains("\ngpgsig my\n"));
}

TEST_CASE("a gpg whose agent goes away is run again, and no other that fails") {
  // As gpg-error.h puts them together: the source (4 is GPG's agent) above the code.
  const auto [code, runs] = GENERATE(table<unsigned, int>({
      {77, 2},            // no agent
      {16383, 2},         // end of file
      {0x8000 + 26, 2},   // connection reset
      {0x8000 + 109, 2},  // broken pipe
      {17, 1}             // no secret key
  }));
  const Signing signing;
  const auto program = signing.world() / "gpg";
  const std::string ran = (signing.world() / "ran").native();
  write_file(program, "#!/bin/sh\ncat > /dev/null\necho run >> '" + ran + "'\n[ $(wc -l < '" + ran +
                          "') -gt 1 ] || { echo '[GNUPG:] FAILURE sign " +
                          std::to_string((4U << 24U) + code) +
                          "' >&2; exit 2; }\necho '[GNUPG:] SIG_CREATED x' >&2\necho signature\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  signing.configure("gpg.program", program);
  CHECK(signing.commit({"-S"}).status == (runs == 2 ? 0 : 1));
  CHECK(read_file(ran) == (runs == 2 ? "run\nrun\n" : "run\n"));
}

TEST_CASE("certificates, by gpgsm") {
  keys().add_certificate();
  const Signing signing;
  signing.configure("gpg.format", "x509");
  signing.configure("user.signingKey", "committer@example.com");
  const RunResult result = signing.commit({"-S"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK_THAT(signing.raw(), Contains("\ngpgsig -----BEGIN SIGNED MESSAGE-----\n "));
  const RunResult verified = signing.verify();
  INFO(verified.err);
  CHECK(verified.status == 0);
  CHECK(signing.commit({"-Snobody@example.com"}).status == 1);
}

TEST_CASE("a commit that can't be signed is not made") {
  const Signing signing;
  const auto fails = [&](const Words& options, const std::string& message) {
    const std::string before = signing.world().everything();
    const RunResult result = signing.commit(options);
    CHECK(result.status == 1);
    CHECK_THAT(result.err, Contains(message));
    CHECK(signing.world().everything() == before);
  };
  fails({"-Snobody@example.com"}, "cannot sign the commit: gpg failed: ");
  signing.configure("gpg.program", "/no/such/gpg");
  fails({"-S"}, "cannot find the program '/no/such/gpg'");
  signing.configure("gpg.program", "true");
  fails({"-S"}, "cannot sign the commit");
  signing.configure("gpg.format", "wax");
  fails({"-S"}, "invalid value for 'gpg.format': 'wax'");
  signing.configure("gpg.format", "ssh");
  fails({"-S"}, "user.signingKey or gpg.ssh.defaultKeyCommand");
  signing.configure("user.signingKey", "/no/such/key");
  fails({"-S"}, "/no/such/key");
  signing.configure("user.signingKey", "");
  signing.configure("gpg.ssh.defaultKeyCommand", "false");
  fails({"-S"}, "gpg.ssh.defaultKeyCommand failed");
  signing.configure("gpg.ssh.defaultKeyCommand", "echo nothing");
  fails({"-S"}, "returned no keys");
  CHECK(signing.commit({"-S", "--no-gpg-sign"}).status == 2);
}

TEST_CASE("without room for what is to be signed no file is left") {
  const Signing signing;
  signing.use_ssh();
  signing.world().add("b", any_backend());  // without changes: nothing is written before
  const auto temporary = signing.world() / "temporary";
  std::filesystem::create_directory(temporary);
  // Files of no more than 0 bytes are as good as a full disk, for root too.
  const RunResult result = run_script(
      "{ (ulimit -f 0; \"$PROGRAM\" git-commit b -S -m signed --allow-empty) 2>&1 || echo $?; } | "
      "cat",
      {.cwd = signing.world().base().path(),
       .environment = {"PROGRAM=" WAFERS_PROGRAM, "TMPDIR=" + temporary.native(),
                       "WAFERS_STATE_DIR=" + signing.world().state().native()},
       .input = {}});
  CHECK_THAT(result.out, Contains("wafers-signing-") && Contains("EFBIG") && EndsWith("\n1\n"));
  CHECK(std::filesystem::is_empty(temporary));
}

TEST_CASE("a commit that is signed inside leaves no gpg-agent there") {
  const std::string backend = GENERATE(from_range(working_backends()));
  INFO("backend " << backend);
  const World world;
  world.base().git({"config", "commit.gpgSign", "true"});
  const Words environment{keys().variable()};
  const auto commit_inside = [&](const std::string& name) {
    return world.wafers({"exec", name, "--", "sh", "-c",
                         "echo " + name + " > new; exec '" WAFERS_PROGRAM "' git-commit -m x"},
                        {.cwd = {}, .environment = environment, .input = {}});
  };
  run({"gpgconf", "--kill", "all"}, {.cwd = {}, .environment = environment, .input = {}});

  SECTION("one") {
    world.add("a", backend);
    CHECK(commit_inside("a").status == 0);
    CHECK(world.wafers({"rm", "a"}).status == 0);
  }
  SECTION("many at a time, whose gpgs meet the agents of each other") {
    constexpr std::size_t kMany = 8;
    std::vector<std::thread> threads;
    std::array<int, kMany> status{};
    for (std::size_t i = 0; i < kMany; ++i) world.add("a" + std::to_string(i), backend);
    for (std::size_t i = 0; i < kMany; ++i) {
      threads.emplace_back(
          [&, i] { status.at(i) = commit_inside("a" + std::to_string(i)).status; });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(status == std::array<int, kMany>{});
    CHECK(world.wafers({"rm", "--all"}).err.empty());
  }
  SECTION("but the agent outside, which a commit outside has started") {
    world.add("a", backend);
    world.inside("a", "echo 2 > README");
    const RunOptions options{.cwd = {}, .environment = environment, .input = {}};
    CHECK(world.wafers({"git-commit", "a", "-m", "x"}, options).status == 0);
    CHECK(run({"gpg-connect-agent", "--no-autostart", "/bye"}, options).err.empty());
    CHECK(commit_inside("a").status == 0);
    CHECK(run({"gpg-connect-agent", "--no-autostart", "/bye"}, options).err.empty());
  }
}

}  // namespace
}  // namespace wafers::test
