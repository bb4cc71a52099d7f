#include "linux/upper.h"

namespace wafers {

std::string_view to_string(UpperDialect dialect) {
  switch (dialect) {
    case UpperDialect::kernel_user:
      return "kernel-user";
    case UpperDialect::kernel_trusted:
      return "kernel-trusted";
    case UpperDialect::fuse:
      return "fuse";
  }
  return "?";
}

}  // namespace wafers
