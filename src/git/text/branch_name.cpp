#include "git/text/branch_name.h"

#include <string>

#include "base/text.h"

namespace wafers::git {
namespace {

/// refs.c: check_refname_component().
bool is_valid_component(std::string_view component) {
  if (component.empty() || component.front() == '.' || component.ends_with(".lock")) return false;
  for (std::size_t i = 0; i < component.size(); ++i) {
    const auto c = static_cast<unsigned char>(component[i]);
    if (c < 0x20 || c == 0x7F) return false;
    if (std::string_view(" ~^:?*[\\").find(component[i]) != std::string_view::npos) return false;
    const std::string_view pair = component.substr(i, 2);
    if (pair == ".." || pair == "@{") return false;
  }
  return true;
}

}  // namespace

bool is_valid_branch_name(std::string_view branch) {
  if (branch.starts_with('-') || branch == "HEAD" || branch.ends_with('.')) return false;
  for (const std::string& component : split(branch, '/')) {
    if (!is_valid_component(component)) return false;
  }
  return true;
}

}  // namespace wafers::git
