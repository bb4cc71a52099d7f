#include "core/view/background_server.h"

#include "support/catch.h"

using namespace wafers;

namespace {

std::string way_to_end(const std::string& comm, const std::string& line) {
  const auto server = known_server(7, comm, line);
  return server ? server->how_to_end : "";
}

}  // namespace

TEST_CASE("background servers are known by what they are called") {
  CHECK(way_to_end("gpg-agent", "gpg-agent --homedir /h --use-standard-socket --daemon") ==
        "gpgconf --kill gpg-agent");
  CHECK(way_to_end("ssh", "ssh: /home/u/.ssh/m b [mux]") == "ssh -S '/home/u/.ssh/m b' -O exit -");
  CHECK(way_to_end("tmux: server", "tmux new -d") == "tmux kill-server");
  CHECK(way_to_end("watchman", "/usr/bin/watchman --foreground") == "watchman shutdown-server");
  CHECK(way_to_end("git", "/usr/lib/git-core/git fsmonitor--daemon run --detach") ==
        "git fsmonitor--daemon stop");
  CHECK(way_to_end("git-credential-", "git-credential-cache--daemon /s") ==
        "git credential-cache exit");
  CHECK(way_to_end("java", "java -cp x org.gradle.launcher.daemon.bootstrap.GradleDaemon 8") ==
        "gradle --stop");
  CHECK(way_to_end("bazel(w)", "bazel(w) --batch") == "bazel shutdown");
  CHECK(way_to_end("ssh-agent", "ssh-agent") == "kill 7");
}

TEST_CASE("other programs are no background servers, whatever they work on") {
  CHECK_FALSE(known_server(7, "vim", "vim gpg-agent"));
  CHECK_FALSE(known_server(7, "git", "git commit"));
  CHECK_FALSE(known_server(7, "ssh", "ssh host"));
  CHECK_FALSE(known_server(7, "java", "java -jar app.jar"));
  CHECK_FALSE(known_server(7, "", ""));
}
