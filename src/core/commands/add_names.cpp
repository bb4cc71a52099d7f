#include "core/commands/add_names.h"

#include <filesystem>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "core/view/mountpoint.h"

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

/// Absolute and without symlinks: what getcwd(3) will say in the view. Root follows no other
/// user's.
std::filesystem::path resolved(const std::filesystem::path& mountpoint) {
  try {
    const auto path = resolved_place(std::filesystem::absolute(mountpoint));
    return path.has_filename() ? path : path.parent_path();
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error::system(error.code().value(),
                        "cannot make mountpoint " + in_quotes(mountpoint.native()));
  }
}

void check_names(const std::vector<std::string>& names) {
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    require_valid_name(name);
    if (!seen.insert(name).second) {
      throw Error(ErrorKind::usage, "wafer name " + in_quotes(name) + " is given twice");
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
                       default_mountpoint(state_root / name)};
    if (request.at) wafer.mountpoint = resolved(expanded(*request.at, name));
    planned.push_back(std::move(wafer));
  }
  return planned;
}

}  // namespace wafers
