#pragma once

#include <string>
#include <string_view>

namespace wafers {

enum class CheckStatus {
  ok,
  warn,  ///< something is missing that wafers can do without, or that only one command needs
  fail,  ///< `add` does not work here until the remedy is applied
};

std::string_view to_string(CheckStatus status);

/// One thing that was looked at.
struct Check {
  std::string id;  ///< stable, for programs: "user-namespaces"
  CheckStatus status = CheckStatus::ok;
  std::string message;  ///< one printable line: what was found
  std::string remedy;   ///< one printable line: what to do about it, a command where there is one
};

}  // namespace wafers
