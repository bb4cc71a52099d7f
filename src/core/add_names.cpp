#include "core/add_names.h"

#include <set>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace wafers {
namespace {

constexpr std::string_view kPlaceholder = "{name}";

std::string expanded(std::string text, const std::string& name) {
  for (std::size_t at = text.find(kPlaceholder); at != std::string::npos;
       at = text.find(kPlaceholder, at + name.size())) {
    text.replace(at, kPlaceholder.size(), name);
  }
  return text;
}

void check_names(const std::vector<std::string>& names) {
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!is_valid_wafer_name(name)) {
      throw Error(ErrorKind::usage, "invalid wafer name " + wafers::quoted(name),
                  "a name is 1 to 64 letters, digits, '.', '_' or '-', and starts with a letter "
                  "or digit");
    }
    if (!seen.insert(name).second) {
      throw Error(ErrorKind::usage, "wafer name " + wafers::quoted(name) + " is given twice");
    }
  }
}

void check_template(const std::optional<std::string>& text, const char* option,
                    std::size_t name_count) {
  if (!text) return;
  if (text->empty()) throw Error(ErrorKind::usage, std::string(option) + " is empty");
  if (name_count > 1 && text->find(kPlaceholder) == std::string::npos) {
    throw Error(ErrorKind::usage,
                std::string(option) + " must contain {name} where several wafers are added");
  }
}

}  // namespace

std::vector<PlannedWafer> plan_names(const AddRequest& request,
                                     const std::filesystem::path& state_root) {
  check_names(request.names);
  check_template(request.at, "--at", request.names.size());
  check_template(request.branch, "--branch", request.names.size());
  std::vector<PlannedWafer> planned;
  for (const std::string& name : request.names) {
    PlannedWafer wafer{name, expanded(request.branch.value_or("wafers/{name}"), name),
                       state_root / name / "mnt"};
    // Without symlinks: this is what getcwd(3) will say in the view.
    if (request.at) {
      const auto absolute = std::filesystem::absolute(expanded(*request.at, name));
      wafer.mountpoint = std::filesystem::weakly_canonical(absolute);
      if (!wafer.mountpoint.has_filename()) wafer.mountpoint = wafer.mountpoint.parent_path();
    }
    planned.push_back(std::move(wafer));
  }
  return planned;
}

}  // namespace wafers
