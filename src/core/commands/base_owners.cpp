#include "core/commands/base_owners.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "linux/group_map.h"
#include "os/find_program.h"

namespace wafers {
namespace {

bool is_in(gid_t group, const std::vector<gid_t>& groups) {
  return std::ranges::find(groups, group) != groups.end();
}

/// Files that would be the caller's but for their group, which is one of his.
bool is_of_own_group(const git::OwnedFiles& owned, const OwningCaller& caller) {
  return owned.uid == caller.uid && is_in(owned.gid, caller.groups);
}

std::vector<gid_t> mappable(const std::vector<gid_t>& wanted, const OwningCaller& caller) {
  if (wanted.empty() || !caller.has_newgidmap) return {};
  if (caller.can_map(wanted)) return wanted;
  std::vector<gid_t> groups;
  for (const gid_t group : wanted) {
    if (wanted.size() > 1 && caller.can_map({group})) groups.push_back(group);
  }
  return groups;
}

std::string counted(std::size_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string warning_of(const std::vector<git::OwnedFiles>& left) {
  std::size_t files = 0;
  std::size_t directories = 0;
  for (const git::OwnedFiles& owned : left) {
    files += owned.files;
    directories += owned.directories;
  }
  std::string what = files > 0 ? counted(files, "file", "files") : "";
  if (directories > 0) {
    what += (files > 0 ? " and " : "") + counted(directories, "directory", "directories");
  }
  return "warning: " + what + " of the base " + (files + directories == 1 ? "belongs" : "belong") +
         " to another user or group, first " + in_quotes(left.front().first) +
         "; in a view of backend 'namespace' " + (files + directories == 1 ? "it" : "they") +
         " can be read but not changed (EOVERFLOW)";
}

std::string allow_groups(const std::vector<gid_t>& groups, const OwningCaller& caller) {
  std::string numbers;
  std::string lines;
  for (const gid_t group : groups) {
    numbers += (numbers.empty() ? "" : ", ") + std::to_string(group);
    lines += " " + shell_quoted(caller.user + ":" + std::to_string(group) + ":1");
  }
  return "hint: to have your " + std::string(groups.size() == 1 ? "group " : "groups ") + numbers +
         " in the view as well: " +
         (caller.has_newgidmap ? "" : "sudo apt-get install uidmap (for newgidmap); ") +
         "printf '%s\\n'" + lines + " | sudo tee -a /etc/subgid; then make the wafer anew";
}

/// `owners` of what is left over after all that can be mapped.
std::vector<std::string> lines_for(const std::filesystem::path& base,
                                   const std::vector<git::OwnedFiles>& left,
                                   const OwningCaller& caller) {
  std::vector<std::string> lines{warning_of(left)};
  std::vector<gid_t> own_groups;
  for (const git::OwnedFiles& owned : left) {
    const bool one_more = is_of_own_group(owned, caller) && !is_in(owned.gid, own_groups);
    if (one_more) own_groups.push_back(owned.gid);
  }
  const bool all_of_own_groups = std::ranges::all_of(
      left, [&](const git::OwnedFiles& owned) { return is_of_own_group(owned, caller); });
  if (!own_groups.empty()) lines.push_back(allow_groups(own_groups, caller));
  const std::string other = all_of_own_groups ? caller.other_backend() : std::string();
  if (!other.empty()) {
    lines.push_back("hint: backend '" + other + "' can change them: add --backend " + other);
  } else if (!all_of_own_groups) {
    lines.push_back("hint: make them your own: sudo chown -R " + std::to_string(caller.uid) + ":" +
                    std::to_string(caller.gid) + " " + shell_quoted(base.native()));
  }
  return lines;
}

std::string user_name(uid_t uid) {
  const passwd* const entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : std::to_string(uid);
}

}  // namespace

OwningCaller owning_caller(std::function<std::string()> other_backend) {
  const auto newgidmap = find_program("newgidmap");
  return {::geteuid(),
          ::getegid(),
          user_name(::geteuid()),
          supplementary_groups(),
          newgidmap.has_value(),
          [newgidmap](const std::vector<gid_t>& groups) {
            return newgidmap && can_map({groups, *newgidmap});
          },
          std::move(other_backend)};
}

OwnerPlan plan_for_owners(const std::filesystem::path& base,
                          const std::vector<git::OwnedFiles>& of_others,
                          const OwningCaller& caller) {
  std::vector<gid_t> wanted;
  for (const git::OwnedFiles& owned : of_others) {
    if (is_of_own_group(owned, caller)) wanted.push_back(owned.gid);
  }
  const std::vector<gid_t> mapped = mappable(wanted, caller);
  std::vector<git::OwnedFiles> left;
  std::ranges::copy_if(of_others, std::back_inserter(left), [&](const git::OwnedFiles& owned) {
    return owned.uid != caller.uid || !is_in(owned.gid, mapped);
  });
  OwnerPlan plan{{mapped.begin(), mapped.end()}, {}};
  if (!left.empty()) plan.lines = lines_for(base, left, caller);
  return plan;
}

}  // namespace wafers
