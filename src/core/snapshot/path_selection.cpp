#include "core/snapshot/path_selection.h"

#include "base/text.h"

namespace wafers {

struct PathSelection::Node {
  std::map<std::string, Node, std::less<>> children;
  std::string path;  ///< as it was given; empty where no path ends here
  bool directory_only = false;
  bool matched = false;
  bool ignored = false;

  bool selected() const noexcept { return !path.empty(); }
};

namespace {

template <typename Node, typename Visit>
void for_each_node(Node& node, const Visit& visit) {
  visit(node);
  for (auto& [name, child] : node.children) for_each_node(child, visit);
}

}  // namespace

PathSelection::PathSelection(const std::vector<std::string>& paths) {
  if (paths.empty()) return;
  root_ = std::make_unique<Node>();
  for (const std::string& path : paths) {
    Node* node = root_.get();
    for (const std::string& component : split(path, '/')) {
      if (!component.empty()) node = &node->children[component];
    }
    node->path = path;
    node->directory_only = path.ends_with('/');
  }
}

PathSelection::~PathSelection() = default;

PathSelection::Part PathSelection::root() const {
  return {root_.get(), root_ == nullptr || root_->selected()};
}

PathSelection::Part PathSelection::Part::child(std::string_view name) const {
  if (node_ == nullptr) return *this;
  const auto found = node_->children.find(name);
  if (found == node_->children.end()) return {nullptr, all_};
  return {&found->second, all_ || found->second.selected()};
}

void PathSelection::Part::matched(bool is_directory) const {
  if (node_ != nullptr && (is_directory || !node_->directory_only)) node_->matched = true;
}

void PathSelection::Part::ignored() const {
  if (node_ != nullptr) for_each_node(*node_, [](Node& node) { node.ignored = true; });
}

void PathSelection::Part::matched_in(const MergedDir& directory) const {
  if (node_ == nullptr) return;
  for (auto& [name, child] : node_->children) {
    const MergedDir below = directory.directory(name);
    const Part part(&child, all_);
    if (below.exists() || directory.has(name)) part.matched(below.exists());
    part.matched_in(below);
  }
}

std::vector<std::string> PathSelection::unmatched() const {
  std::vector<std::string> paths;
  if (!root_) return paths;
  for_each_node(*root_, [&](const Node& node) {
    if (node.selected() && !node.matched && !node.ignored) paths.push_back(node.path);
  });
  return paths;
}

std::vector<std::string> PathSelection::ignored() const {
  std::vector<std::string> paths;
  if (!root_) return paths;
  for_each_node(*root_, [&](const Node& node) {
    if (node.selected() && !node.matched && node.ignored) paths.push_back(node.path);
  });
  return paths;
}

}  // namespace wafers
