#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "git/objects/library.h"
#include "git/repository/repository_impl.h"
#include "git/repository/sign.h"
#include "os/files.h"

namespace wafers::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHexSize = 2 * Oid::kSize;
/// cache.h: FALLBACK_DEFAULT_ABBREV and MINIMUM_ABBREV.
constexpr std::size_t kUsualAbbreviation = 7;
constexpr std::size_t kShortestAbbreviation = 4;

CommitHandle look_up(git_repository* repository, const Oid& oid) {
  const git_oid raw = to_library(oid);
  CommitHandle commit;
  check(git_commit_lookup(Out(commit), repository, &raw), "cannot read commit " + oid.hex());
  return commit;
}

/// Commits whose parents a shallow clone doesn't have.
std::set<Oid> shallow_boundary(const fs::path& common_dir) {
  std::set<Oid> boundary;
  for (const std::string& line :
       split(read_file(common_dir / "shallow").value_or(std::string()), '\n')) {
    if (const std::optional<Oid> oid = Oid::from_hex(line)) boundary.insert(*oid);
  }
  return boundary;
}

/// libgit2 1.5 doesn't know shallow clones and fails at their boundary. Their history is short.
bool reaches(git_repository* repository, const Oid& commit, const Oid& ancestor,
             const std::set<Oid>& boundary) {
  std::vector<Oid> todo{commit};
  std::set<Oid> seen{commit};
  while (!todo.empty()) {
    const Oid oid = todo.back();
    todo.pop_back();
    if (oid == ancestor) return true;
    if (boundary.contains(oid)) continue;
    const CommitHandle current = look_up(repository, oid);
    for (unsigned i = 0; i < git_commit_parentcount(current.get()); ++i) {
      const Oid parent = from_library(*git_commit_parent_id(current.get(), i));
      if (seen.insert(parent).second) todo.push_back(parent);
    }
  }
  return false;
}

/// How many objects a pack holds: the last entry of its index' fan-out table (gitformat-pack(5)).
std::uint32_t objects_in_pack(const fs::path& index) {
  constexpr off_t kLastFanOut = 8 + 255 * 4;
  const UniqueFd fd = open_file(index, O_RDONLY);
  std::array<std::uint8_t, 4> bytes{};
  if (!fd || ::pread(fd.get(), bytes.data(), bytes.size(), kLastFanOut) != 4) return 0;
  return std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U |
         std::uint32_t{bytes[2]} << 8U | bytes[3];
}

std::uint64_t packed_objects(const fs::path& objects_dir, int depth = 0) {
  constexpr int kMaxAlternateDepth = 5;
  std::uint64_t count = 0;
  std::error_code error;
  for (fs::directory_iterator it(objects_dir / "pack", error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".idx") count += objects_in_pack(it->path());
  }
  if (depth == kMaxAlternateDepth) return count;
  for (const std::string& line :
       split(read_file(objects_dir / "info/alternates").value_or(std::string()), '\n')) {
    if (line.empty() || line.front() == '#') continue;
    count += packed_objects(objects_dir / line, depth + 1);
  }
  return count;
}

/// object-name.c: repo_find_unique_abbrev_r(): long enough that, among that many objects, a clash
/// is not to be expected.
std::size_t usual_length(std::uint64_t objects) {
  const auto bits = static_cast<std::size_t>(std::bit_width(objects));
  return std::max(kUsualAbbreviation, (bits + 1) / 2);
}

/// core.abbrev; nullopt stands for "auto".
std::optional<std::size_t> configured_length(const Config& config) {
  const std::optional<std::string> text = config.get("core.abbrev");
  if (!text || *text == "auto") return std::nullopt;
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (error == std::errc() && end == text->data() + text->size()) {
    return std::clamp(length, kShortestAbbreviation, kHexSize);
  }
  if (!config.get_bool("core.abbrev", true)) return kHexSize;
  return std::nullopt;
}

/// Whether no other object's name begins as this one's.
bool is_unique(git_odb* odb, const Oid& oid, std::size_t length) {
  const git_oid raw = to_library(oid);
  git_oid found;
  const int result = git_odb_exists_prefix(&found, odb, &raw, length);
  return result == GIT_ENOTFOUND || (result == GIT_OK && git_oid_equal(&found, &raw) != 0);
}

std::string person(std::string_view role, const Identity& who) {
  std::array<char, 64> when{};
  const int minutes = std::abs(who.offset_minutes);
  std::snprintf(when.data(), when.size(), " %lld %c%02d%02d\n", static_cast<long long>(who.seconds),
                who.offset_minutes < 0 ? '-' : '+', minutes / 60, minutes % 60);
  return std::string(role) + " " + who.name + " <" + who.email + ">" + when.data();
}

}  // namespace

bool Repository::is_descendant_or_same(const Oid& commit, const Oid& ancestor) const {
  if (commit == ancestor) return true;
  git_repository* const repository = impl_->handle.get();
  const std::set<Oid> boundary = shallow_boundary(impl_->layout.common_dir);
  if (!boundary.empty()) return reaches(repository, commit, ancestor, boundary);
  const git_oid below = to_library(commit);
  const git_oid above = to_library(ancestor);
  return check(git_graph_descendant_of(repository, &below, &above),
               "cannot compare the histories of " + commit.hex() + " and " + ancestor.hex()) == 1;
}

std::size_t Repository::commits_ahead(const Oid& commit, const Oid& base) const {
  if (commit == base) return 0;
  const git_oid tip = to_library(commit);
  const git_oid start = to_library(base);
  std::size_t ahead = 0;
  std::size_t behind = 0;
  check(git_graph_ahead_behind(&ahead, &behind, impl_->handle.get(), &tip, &start),
        "cannot compare the histories of " + commit.hex() + " and " + base.hex());
  return ahead;
}

Oid Repository::tree_of(const Oid& commit) const {
  return from_library(*git_commit_tree_id(look_up(impl_->handle.get(), commit).get()));
}

std::string Repository::message_of(const Oid& commit) const {
  return git_commit_message(look_up(impl_->handle.get(), commit).get());
}

std::string Repository::short_id(const Oid& oid) const {
  const std::string hex = oid.hex();
  const std::optional<std::size_t> configured = configured_length(impl_->config);
  std::size_t length =
      configured ? *configured : usual_length(packed_objects(impl_->objects_dir()));
  OdbHandle odb;
  check(git_repository_odb(Out(odb), impl_->handle.get()), "cannot open object database");
  while (length < kHexSize && !is_unique(odb.get(), oid, length)) ++length;
  return hex.substr(0, length);
}

Repository::CommitRequest Repository::request_of(const Oid& oid) const {
  const auto identity = [](const git_signature* signature) {
    return Identity{signature->name, signature->email, signature->when.time,
                    signature->when.offset};
  };
  const CommitHandle commit = look_up(impl_->handle.get(), oid);
  const char* const encoding = git_commit_message_encoding(commit.get());
  CommitRequest request;
  request.tree = from_library(*git_commit_tree_id(commit.get()));
  for (unsigned i = 0; i < git_commit_parentcount(commit.get()); ++i) {
    request.parents.push_back(from_library(*git_commit_parent_id(commit.get(), i)));
  }
  request.author = identity(git_commit_author(commit.get()));
  request.committer = identity(git_commit_committer(commit.get()));
  request.message = git_commit_message_raw(commit.get());
  request.encoding = encoding == nullptr ? "" : encoding;
  return request;
}

Oid Repository::write_commit(const CommitRequest& request) {
  if (request.message.find('\0') != std::string::npos) {
    throw Error(ErrorKind::failed, "a NUL byte in commit log message is not allowed");
  }
  std::string content = "tree " + request.tree.hex() + "\n";
  for (const Oid& parent : request.parents) content += "parent " + parent.hex() + "\n";
  content += person("author", request.author);
  content += person("committer", request.committer);
  if (!request.encoding.empty()) content += "encoding " + request.encoding + "\n";
  content += "\n" + request.message;
  if (request.encoding.empty()) ensure_utf8(content);
  if (request.signing_key) {
    const Signer signer(impl_->config, impl_->layout.worktree, *request.signing_key,
                        request.committer);
    content = with_signature(content, signer.sign(content));
  }
  DatabaseStore store(store_settings(impl_->layout, impl_->config), Writes::to_database);
  const Oid commit = store.write_commit(std::move(content));
  store.flush();
  return commit;
}

}  // namespace wafers::git
