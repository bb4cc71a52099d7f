// Linked into static programs alone (WAFERS_STATIC). A C library that is linked statically still
// loads shared libraries for users and groups, as /etc/nsswitch.conf names them: the host's, made
// for the host's C library, which need not be ours. We look into /etc/passwd and /etc/group and no
// further.

#include <nss.h>

#include <initializer_list>

namespace {

[[gnu::constructor]] void look_into_files_alone() {
  for (const char* database : {"passwd", "group"}) ::__nss_configure_lookup(database, "files");
}

}  // namespace
