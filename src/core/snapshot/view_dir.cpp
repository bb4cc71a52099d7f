#include "core/snapshot/view_dir.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "git/worktree/convert.h"
#include "git/worktree/rule_files.h"
#include "linux/merged_dir.h"

namespace wafers {
namespace {

constexpr const char* kIgnoreFile = ".gitignore";
constexpr const char* kAttributesFile = ".gitattributes";
constexpr const char* kModulesFile = ".gitmodules";
constexpr std::size_t kLargestRuleFile = std::size_t{100} << 20U;  // attr.h: ATTR_MAX_FILE_SIZE

template <typename Entry>
const Entry* find_name(const std::vector<Entry>& entries, std::string_view name) {
  const auto less = [](const Entry& entry, std::string_view wanted) { return entry.name < wanted; };
  const auto found = std::lower_bound(entries.begin(), entries.end(), name, less);
  return found != entries.end() && found->name == name ? &*found : nullptr;
}

}  // namespace

const git::TreeEntry* ViewDir::find_base(std::string_view entry) const {
  return find_name(base, entry);
}

const git::TreeEntry* ViewDir::find_tip(std::string_view entry) const {
  return find_name(tip, entry);
}

const UpperEntry* ViewDir::find_upper(std::string_view entry) const {
  return find_name(layers.listing.entries, entry);
}

ViewDirs::ViewDirs(const SnapshotInput& input, std::vector<std::string>& warnings)
    : input_(input),
      warnings_(warnings),
      protection_(input.repository->path_protection()),
      config_(git::convert_config(*input.repository)) {
  letters_ = git::letter_case(*input.repository);
}

std::vector<git::TreeEntry> ViewDirs::sorted_tree(const std::optional<git::Oid>& tree) const {
  if (!tree) return {};
  std::vector<git::TreeEntry> entries = input_.objects->read_tree(*tree);
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  if (!std::is_sorted(entries.begin(), entries.end(), by_name)) {
    std::sort(entries.begin(), entries.end(), by_name);
  }
  return entries;
}

void ViewDirs::read_trees(ViewDir& dir) const {
  dir.base = sorted_tree(dir.layers.base);
  dir.tip = dir.layers.tip == dir.layers.base ? dir.base : sorted_tree(dir.layers.tip);
}

const MergedDir* ViewDirs::lower(ViewDir& dir) const {
  if (!dir.layers.lower_visible) return nullptr;
  if (!std::exchange(dir.lower_tried_, true)) {
    try {
      if (dir.parent == nullptr) {
        dir.lower_ = MergedDir::open_base(input_.layers, input_.dialect);
      } else if (const MergedDir* above = lower(*dir.parent)) {
        dir.lower_ = above->find_directory(dir.name);
      }
    } catch (const Error& error) {
      warnings_.push_back(error.message());
    }
  }
  return dir.lower_ ? &*dir.lower_ : nullptr;
}

std::string ViewDirs::read_rule(const PlainDir& dir, const std::string& file) const {
  try {
    return read_small_file(dir, file, kLargestRuleFile).value_or("");
  } catch (const Error& error) {
    warnings_.push_back(error.message());
    return {};
  }
}

/// Whether git makes another text of the file when it checks it out.
bool ViewDirs::is_rewritten(const ViewDir& dir, const std::string& file) const {
  try {
    return git::Conversion::choose(dir.attributes->of_file(file), config_).rewrites_text();
  } catch (const Error&) {  // attributes with which git would check out nothing
    return false;
  }
}

std::string ViewDirs::rule_of_base(ViewDir& dir, const std::string& file) const {
  const git::TreeEntry* entry = dir.find_base(file);
  if (entry != nullptr && !git::is_regular(entry->mode)) return {};
  if (entry != nullptr && !is_rewritten(dir, file)) return input_.objects->read_blob(entry->oid);
  const MergedDir* below = lower(dir);
  const PlainDir* holder = below != nullptr ? below->holder_of(file) : nullptr;
  return holder != nullptr ? read_rule(*holder, file) : std::string();
}

std::string ViewDirs::rule_of_view(ViewDir& dir, const std::string& file) const {
  const UpperEntry* entry = dir.find_upper(file);
  if (entry == nullptr) return rule_of_base(dir, file);
  const bool regular = entry->type == UpperEntryType::regular;
  return regular ? read_rule(dir.layers.upper->plain(), file) : std::string();
}

/// attr.c: read_attr with GIT_ATTR_CHECKIN: the worktree's file, and only without one the index's.
std::string ViewDirs::worktree_or_index_rule(ViewDir& dir, const std::string& file) const {
  const UpperEntry* entry = dir.find_upper(file);
  const bool regular = entry == nullptr || entry->type == UpperEntryType::regular;
  std::string rules = regular ? rule_of_view(dir, file) : std::string();
  if (!rules.empty() || (regular && entry != nullptr)) return rules;
  const git::TreeEntry* recorded = dir.find_tip(file);
  const bool usable = recorded != nullptr && git::is_regular(recorded->mode);
  return usable ? input_.objects->read_blob(recorded->oid) : std::move(rules);
}

void ViewDirs::read_attributes(ViewDir& dir) const {
  const auto with = [&](std::string_view own) {
    if (dir.parent != nullptr) {
      return git::AttributeScope::child(dir.parent->attributes, dir.name, own);
    }
    return git::AttributeScope::root(git::attributes_file(*input_.repository),
                                     git::info_file(*input_.repository, "attributes"), own,
                                     letters_);
  };
  dir.attributes = with({});  // of the file with its own
  const std::string own = worktree_or_index_rule(dir, kAttributesFile);
  if (!own.empty()) dir.attributes = with(own);
}

std::string ViewDirs::modules_of_view(ViewDir& root) const {
  return worktree_or_index_rule(root, kModulesFile);
}

std::unique_ptr<ViewDir> ViewDirs::root(ViewLayers layers, PathSelection::Part selection) const {
  auto dir = std::make_unique<ViewDir>(selection);
  dir->layers = std::move(layers);
  read_trees(*dir);
  read_attributes(*dir);
  const std::string excludes = git::excludes_file(*input_.repository);
  const std::string info = git::info_file(*input_.repository, "exclude");
  const std::string rules = rule_of_view(*dir, kIgnoreFile);
  dir->ignore = git::IgnoreScope::root(excludes, info, rules, letters_);
  dir->base_ignore = dir->ignore;
  if (dir->find_upper(kIgnoreFile) != nullptr) {
    if (const std::string base = rule_of_base(*dir, kIgnoreFile); base != rules) {
      dir->rules_changed = !git::ignores_no_less(base, rules);
      dir->base_ignore = git::IgnoreScope::root(excludes, info, base, letters_);
    }
  }
  if (input_.include_ignored) {
    dir->ignore = git::IgnoreScope::root({}, {}, {}, letters_);
    dir->rules_changed = true;
  }
  return dir;
}

std::unique_ptr<ViewDir> ViewDirs::child(ViewDir& parent, const std::string& name,
                                         ViewLayers layers, PathSelection::Part selection) const {
  auto dir = std::make_unique<ViewDir>(selection);
  dir->parent = &parent;
  dir->name = name;
  dir->prefix = parent.path_of(name) + "/";
  dir->layers = std::move(layers);
  dir->forbidden = parent.forbidden || git::is_forbidden_component(name, protection_);
  read_trees(*dir);
  read_attributes(*dir);
  const std::string rules = rule_of_view(*dir, kIgnoreFile);
  dir->ignore = git::IgnoreScope::child(parent.ignore, name, input_.include_ignored ? "" : rules);
  std::optional<std::string> base;  // where it may be another one
  if (dir->layers.lower_visible && dir->find_upper(kIgnoreFile) != nullptr) {
    base = rule_of_base(*dir, kIgnoreFile);
  }
  const bool same = !base || base == rules;
  dir->rules_changed = parent.rules_changed || (!same && !git::ignores_no_less(*base, rules));
  dir->base_ignore = parent.ignore == parent.base_ignore && same
                         ? dir->ignore
                         : git::IgnoreScope::child(parent.base_ignore, name, base ? *base : rules);
  return dir;
}

}  // namespace wafers
