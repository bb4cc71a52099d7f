#include "cli/git_options.h"

#include "base/text.h"
#include "cli/report.h"

namespace wafers::cli {

void print_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) Report::warning(printable(warning));
}

void check_exclusive(const Parser& parser, const std::vector<std::pair<const char*, bool>>& given) {
  const char* first = nullptr;
  for (const auto& [name, set] : given) {
    if (!set) continue;
    if (first != nullptr) {
      throw parser.usage(std::string(first) + " and " + name + " exclude each other");
    }
    first = name;
  }
}

}  // namespace wafers::cli
