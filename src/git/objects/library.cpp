#include "git/objects/library.h"

#if __has_include(<git2/sys/errors.h>)
#include <git2/sys/errors.h>  // since libgit2 1.9
#endif

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/error.h"

// libgit2 parses the host's certificate bundle whenever it is initialised, half of what that takes,
// though wafers speaks no TLS. Where it uses mbed TLS, as Debian's does, the dynamic linker finds
// this definition before the library's (mbedtls/x509_crt.h): there is no certificate to trust.
extern "C" int mbedtls_x509_crt_parse_file(void* chain, const char* path);
extern "C" int mbedtls_x509_crt_parse_file(void* /*chain*/, const char* /*path*/) { return 0; }

namespace wafers::git {
namespace {

bool initialise() {
  if (git_libgit2_init() < 0) throw_library_error("cannot initialise libgit2");
  // Checked by check_repository_format() and check_ownership(), with sentences of our own.
  std::array<const char*, 6> extensions{"partialclone", "worktreeconfig", "preciousobjects",
                                        "objectformat", "refstorage",     "relativeworktrees"};
  check(git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions.data(), extensions.size()),
        "cannot configure libgit2");
  check(git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0), "cannot configure libgit2");
  // Git doesn't hash what it reads either: zlib's checksums tell of damage.
  check(git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0), "cannot configure libgit2");
  return true;
}

}  // namespace

void ensure_library() {
  static const bool once = initialise();
  (void)once;
  // libgit2 expands "~/" in include.path by this, and looks at HOME at its start only.
  if (const char* home = std::getenv("HOME"); home != nullptr) {
    check(git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL, home),
          "cannot configure libgit2");
  }
}

void throw_library_error(std::string_view doing, std::string hint) {
  const git_error* error = git_error_last();
  std::string message(doing);
  if (error != nullptr && error->message != nullptr) message += std::string(": ") + error->message;
  git_error_clear();
  throw Error(ErrorKind::failed, std::move(message), std::move(hint));
}

git_oid to_library(const Oid& oid) {
  git_oid out;
  std::copy(oid.bytes.begin(), oid.bytes.end(), std::begin(out.id));
  return out;
}

Oid from_library(const git_oid& oid) {
  Oid out;
  std::copy(std::begin(oid.id), std::end(oid.id), out.bytes.begin());
  return out;
}

}  // namespace wafers::git
