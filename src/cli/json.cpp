#include "cli/json.h"

#include "base/text.h"

namespace wafers::cli {
namespace {

using nlohmann::json;

template <typename Text>
json text_or_null(const std::optional<Text>& text) {
  if (!text) return nullptr;
  return text_to_json(std::string(*text));
}

json commit_or_null(const std::string& commit) {
  return commit.empty() ? json(nullptr) : json(commit);
}

std::vector<std::filesystem::path> layers_of(const Wafer& wafer) {
  std::vector<std::filesystem::path> layers;
  layers.reserve(wafer.layers.size());
  for (const auto& layer : wafer.layers) layers.push_back(wafer.called_outside(layer));
  return layers;
}

json to_json(const WaferInfo& info) {
  const Wafer& wafer = info.wafer;
  return {
      {"name", text_to_json(wafer.name)},
      {"branch", text_to_json(wafer.branch)},
      {"base_repo", text_to_json(wafer.called_outside(wafer.checkout).native())},
      {"base_commit", commit_or_null(wafer.base_commit)},
      {"base_kind", to_string(wafer.base_kind)},
      {"base_ref", wafer.base_ref.empty() ? json(nullptr) : text_to_json(wafer.base_ref)},
      {"base_layers", paths_to_json(layers_of(wafer))},
      {"last_commit", commit_or_null(wafer.last_commit)},
      {"backend", to_string(wafer.backend)},
      {"status", to_string(info.mount.status)},
      {"mountpoint", text_to_json(wafer.mountpoint.native())},
      {"host_path", text_or_null(info.mount.host_path)},
      {"holder_pid", info.mount.holder_pid ? json(*info.mount.holder_pid) : json(nullptr)},
      {"user_ns", text_or_null(info.mount.user_ns)},
      {"mnt_ns", text_or_null(info.mount.mnt_ns)},
      {"upperdir", text_to_json(wafer.upper().native())},
      {"created_at", text_to_json(wafer.created_at)},
      {"reason", info.mount.reason.empty() ? json(nullptr) : text_to_json(info.mount.reason)},
      {"durable", wafer.durable},
      {"in_place", !wafer.place.empty()},
      {"git", wafer.has_git_inside()},
      {"branch_note", info.branch_note.empty() ? json(nullptr) : text_to_json(info.branch_note)},
      {"base_moved", info.base_moved ? json(*info.base_moved) : json(nullptr)}};
}

}  // namespace

nlohmann::json text_to_json(std::string_view text) { return utf8_text(text); }

nlohmann::json paths_to_json(const std::vector<std::filesystem::path>& paths) {
  json list = json::array();
  for (const auto& path : paths) list.push_back(text_to_json(path.native()));
  return list;
}

nlohmann::json start_to_json(const StartingPoint& base) {
  return {{"commit", base.commit},
          {"ref", text_to_json(base.ref)},
          {"subject", text_to_json(base.subject)},
          {"upstream", base.behind == 0 ? nlohmann::json() : text_to_json(base.upstream)},
          {"behind", base.behind}};
}

std::string described(const StartingPoint& base) {
  return base.short_id + " (" + printable(base.ref) + ") " + printable(base.subject);
}

nlohmann::json to_json(const std::vector<WaferInfo>& wafers) {
  json list = json::array();
  for (const WaferInfo& info : wafers) list.push_back(to_json(info));
  return list;
}

}  // namespace wafers::cli
