#include "git/clean/clean_check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "git/clean/head_diff.h"
#include "git/clean/worktree_scan.h"
#include "git/index/index_view.h"
#include "git/repository/config.h"
#include "git/text/quote.h"
#include "git/worktree/rule_files.h"
#include "git/worktree/worktree_stat.h"

namespace wafers::git {
namespace {

/// What is dirty, in the order in which git prints it.
class Findings {
 public:
  explicit Findings(bool quote_high) : quote_high_(quote_high) {}

  void staged(const StagedChange& change) {
    std::string& now = columns(change.path);
    if (change.index_column != ' ') now[0] = change.index_column;
    if (change.worktree_column != ' ') now[1] = change.worktree_column;
  }
  void changed(std::string_view path, char letter) { columns(std::string(path))[1] = letter; }
  void untracked(std::vector<std::string> paths) { untracked_ = std::move(paths); }

  std::vector<std::string> lines(std::size_t limit) {
    std::vector<std::string> lines;
    for (const auto& [path, columns] : tracked_) add_line(lines, limit, columns, path);
    std::ranges::sort(untracked_);
    for (const std::string& path : untracked_) add_line(lines, limit, "??", path);
    return lines;
  }

 private:
  std::string& columns(const std::string& path) {
    return tracked_.try_emplace(path, "  ").first->second;
  }

  void add_line(std::vector<std::string>& lines, std::size_t limit, const std::string& columns,
                const std::string& path) const {
    if (lines.size() < limit) lines.push_back(columns + " " + quote_status_path(path, quote_high_));
  }

  bool quote_high_;
  std::map<std::string, std::string> tracked_;
  std::vector<std::string> untracked_;
};

/// The submodules of one worktree.
class Submodules {
 public:
  explicit Submodules(const Repository& repository) : repository_(repository) {}

  bool is_dirty(const IndexRecord& record) {
    const std::string path(record.path());
    const std::string ignored = ignored_of(path);
    const auto directory = repository_.worktree() / path;
    struct stat st {};
    if (ignored == "all" || ::lstat((directory / ".git").c_str(), &st) != 0) return false;
    const Repository submodule = Repository::open(directory);
    if (submodule.head_commit() != record.oid()) return true;
    if (ignored == "dirty") return false;
    constexpr std::size_t kAll = static_cast<std::size_t>(-1);
    const CleanReport inside = check_clean(submodule, kAll);
    return std::ranges::any_of(inside.first_dirty, [&](const std::string& line) {
      return ignored != "untracked" || !line.starts_with("??");
    });
  }

 private:
  const Config& modules() {
    if (!modules_) modules_ = Config::open_file(repository_.worktree() / ".gitmodules");
    return *modules_;
  }

  /// What git leaves out of sight of a submodule: "none", "untracked", "dirty" or "all".
  std::string ignored_of(const std::string& path) {
    for (const auto& [key, name_of_path] : modules().settings()) {
      constexpr std::string_view kPathKey = ".path";
      if (!key.ends_with(kPathKey) || name_of_path != path) continue;
      const std::string setting = key.substr(0, key.size() - kPathKey.size()) + ".ignore";
      if (const auto own = repository_.config(setting)) return *own;
      if (const auto recorded = modules().get(setting)) return *recorded;
    }
    return repository_.config("diff.ignoreSubmodules").value_or("none");
  }

  const Repository& repository_;
  std::optional<Config> modules_;  ///< .gitmodules, read when the first submodule is met
};

/// Links between tracked files; other names of a file are nobody's business.
void note_hard_links(std::vector<LinkedFile> files, CleanReport& report) {
  const auto same = [](const LinkedFile& a, const LinkedFile& b) {
    return a.device == b.device && a.inode == b.inode;
  };
  std::ranges::sort(files, [](const LinkedFile& a, const LinkedFile& b) {
    return std::tuple(a.device, a.inode, a.record) < std::tuple(b.device, b.inode, b.record);
  });
  for (std::size_t i = 0; i < files.size(); ++i) {
    const bool linked = (i > 0 && same(files[i - 1], files[i])) ||
                        (i + 1 < files.size() && same(files[i], files[i + 1]));
    if (!linked) continue;
    if (report.hard_link_count++ < CleanReport::kFewNames) {
      report.first_hard_links.emplace_back(files[i].record->path());
    }
  }
}

class Checker {
 public:
  Checker(const Repository& repository, const std::filesystem::path& memory)
      : repository_(repository),
        memory_(memory),
        objects_(repository.objects(Writes::to_memory)),
        findings_(repository.config_bool("core.quotePath", true)) {}

  CleanReport run(std::size_t limit) {
    CleanReport report;
    const auto path = repository_.git_dir() / "index";
    auto index = IndexView::open(path, IndexChecksum::trusted);
    if (!index) index = IndexView::empty();
    compare_with_head(*index);
    compare_with_worktree(*index, report);
    report.first_dirty = findings_.lines(limit);
    return report;
  }

 private:
  void compare_with_head(const IndexView& index) {
    const auto head = repository_.head_commit();
    const auto tree = head ? std::optional(repository_.tree_of(*head)) : std::nullopt;
    for (const StagedChange& change : compare_with_tree(*objects_, tree, index)) {
      findings_.staged(change);
    }
  }

  void compare_with_worktree(const IndexView& index, CleanReport& report) {
    ScanInput input{.index = index,
                    .worktree = repository_.worktree(),
                    .stat_rules = stat_rules(repository_),
                    .excludes_file = excludes_file(repository_),
                    .info_exclude = info_file(repository_, "exclude"),
                    .letters = letter_case(repository_),
                    .read_blob = [this](const Oid& oid) { return objects_->read_blob(oid); }};
    const auto file_monitor = FileMonitor::ask(repository_, index);
    const auto untracked_cache =
        UntrackedCache::read(repository_, index, input.excludes_file, input.info_exclude);
    if (file_monitor) input.file_monitor = &*file_monitor;
    if (untracked_cache) input.untracked_cache = &*untracked_cache;
    ScanResult scan = scan_worktree(input);
    ContentResult contents =
        check_contents(repository_, *objects_, index, scan.suspicious, memory_);
    note(scan.deleted, 'D');
    note(scan.modified, 'M');
    note(scan.retyped, 'T');
    note(contents.different, 'M');
    Submodules submodules(repository_);
    for (const IndexRecord* record : scan.submodules) {
      if (submodules.is_dirty(*record)) findings_.changed(record->path(), 'M');
    }
    findings_.untracked(std::move(scan.untracked));
    note_hard_links(std::move(scan.linked), report);
    report.warnings = std::move(scan.warnings);
    report.of_others = std::move(scan.of_others);
    std::ranges::sort(report.of_others, {}, &OwnedFiles::first);
    report.verified = std::move(contents.verified);
  }

  void note(const std::vector<const IndexRecord*>& records, char letter) {
    for (const IndexRecord* record : records) findings_.changed(record->path(), letter);
  }

  const Repository& repository_;
  const std::filesystem::path& memory_;
  std::unique_ptr<ObjectStore> objects_;
  Findings findings_;
};

}  // namespace

CleanReport check_clean(const Repository& repository, std::size_t limit,
                        const std::filesystem::path& memory) {
  return Checker(repository, memory).run(limit);
}

}  // namespace wafers::git
