#include "generate.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "apply.h"
#include "moves.h"
#include "random.h"
#include "tree.h"
#include "vocabulary.h"

namespace wafers::fuzz {
namespace {

using Paths = std::vector<std::string>;

constexpr std::int64_t kFirstTime = 1'000'000'000;

std::string leaf(const std::string& path) { return path.substr(path.rfind('/') + 1); }
std::string parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}
std::string join(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}
bool is_below(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}
bool is_rule_file(const std::string& path) {
  const std::string name = leaf(path);
  return name == ".gitignore" || name == ".gitattributes" || name == ".gitmodules";
}

class Generator {
 public:
  Generator(std::uint64_t seed, const GenerateOptions& options,
            const std::filesystem::path& scratch)
      : random_(seed),
        options_(options),
        scratch_(scratch),
        words_(random_, options.backend != "fuse"),
        applier_(scratch, options.repository, kFirstTime) {}

  Scenario make() {
    scenario_.real_times = random_.percent(40);
    scenario_.frozen = options_.moving;
    make_base();
    Moves moves(random_, words_, linked_ ? "base" : "main", all_);
    if (options_.moving && random_.percent(40)) scenario_.near = moves.small_change();
    for (std::size_t i = 0; i < options_.rounds; ++i) {
      const std::vector<Operation> made = options_.moving ? moves.make() : std::vector<Operation>{};
      scenario_.rounds.push_back(make_round());
      scenario_.rounds.back().moves = made;
    }
    return std::move(scenario_);
  }

 private:
  // --- what is there -----------------------------------------------------------------------------

  void look() {
    files_.clear();
    directories_.assign(1, "");
    all_.clear();
    specials_.clear();
    for (Entry& entry : entries_below(scratch_)) {
      if (entry.type == 'd') directories_.push_back(entry.path);
      if (entry.type == 'f') files_.push_back(entry.path);
      if (entry.type == 's') specials_.push_back(entry.path);
      all_.push_back(std::move(entry.path));
    }
  }

  bool is_directory(const std::string& path) const {
    return std::find(directories_.begin(), directories_.end(), path) != directories_.end();
  }
  bool exists(const std::string& path) const {
    return path.empty() || std::find(all_.begin(), all_.end(), path) != all_.end();
  }

  std::string a_file() { return files_.empty() ? words_.name() : random_.pick(files_); }
  std::string anything() { return all_.empty() ? words_.name() : random_.pick(all_); }
  std::string a_directory() {
    return directories_.size() == 1 ? words_.directory_name()
                                    : directories_[random_.between(1, directories_.size() - 1)];
  }
  std::string new_directory() {
    std::string path = random_.pick(directories_);
    if (std::count(path.begin(), path.end(), '/') > 3) path = parent(path);
    path = join(path, words_.directory_name());
    return random_.percent(15) ? join(path, words_.directory_name()) : path;
  }
  std::string new_file() {
    return join(random_.percent(25) ? new_directory() : random_.pick(directories_), words_.name());
  }
  /// Names as the rules of a directory see them.
  Paths seen_from(const std::string& directory) const {
    Paths paths;
    for (const std::string& path : all_) {
      if (directory.empty()) {
        paths.push_back(path);
      } else if (is_below(path, directory)) {
        paths.push_back(path.substr(directory.size() + 1));
      }
    }
    return paths;
  }

  // --- the base ----------------------------------------------------------------------------------

  void base(std::string verb, Paths args) {
    scenario_.base.push_back({std::move(verb), std::move(args)});
  }
  void base_file(Operation operation) {
    applier_.apply(operation);
    scenario_.base.push_back(std::move(operation));
    look();
  }

  void make_base() {
    look();
    linked_ = random_.percent(8);
    if (linked_) base("linked", {});
    make_settings();
    const std::size_t files = random_.between(3, random_.percent(10) ? 60 : 20);
    for (std::size_t i = 0; i < files; ++i) make_base_file();
    make_base_rules();
    make_base_repositories();
    const std::size_t forced = random_.percent(30) ? random_.between(1, 4) : 0;
    for (std::size_t i = 0; i < forced; ++i) base("forced", {a_file()});
    sparse_ = random_.percent(5);
    if (sparse_) base("sparse", {"/*", "!/" + a_directory() + "/"});
    lower_.insert(all_.begin(), all_.end());
  }

  void make_base_file() {
    const std::string path = new_file();
    if (random_.percent(10)) {
      base_file({"symlink", {path, words_.link_target(all_)}});
      return;
    }
    base_file({"write", {path, words_.content(path)}});
    if (random_.percent(12)) base_file({"chmod", {path, "755"}});
  }

  void make_base_rules() {
    const Paths directories = directories_;
    for (const std::string& directory : directories) {
      if (random_.percent(directory.empty() ? 65 : 15)) {
        base_file(
            {"write", {join(directory, ".gitignore"), words_.ignore_rules(seen_from(directory))}});
      }
      if (random_.percent(directory.empty() ? 40 : 7)) {
        base_file({"write",
                   {join(directory, ".gitattributes"),
                    words_.attributes(seen_from(directory), directory.empty())}});
      }
    }
    if (random_.percent(15)) base("gitfile", {"info/exclude", words_.ignore_rules(all_)});
    if (random_.percent(10)) base("gitfile", {"info/attributes", words_.attributes(all_, true)});
    if (random_.percent(10)) {
      base("gitfile", {"excludes", words_.ignore_rules(all_)});
      base("config", {"core.excludesFile", "@/excludes"});
    }
    if (random_.percent(7)) {
      base("gitfile", {"attributes", words_.attributes(all_, true)});
      base("config", {"core.attributesFile", "@/attributes"});
    }
  }

  void make_base_repositories() {
    if (random_.percent(8)) {
      const std::string path = "sub" + std::string(random_.percent(30) ? "/deep" : "");
      base_file({"repository", {path}});
      base_file(
          {"write", {".gitmodules", "[submodule \"s\"]\n\tpath = " + path + "\n\turl = ./s\n"}});
      if (random_.percent(50)) base("absorbed", {path});
    }
    if (random_.percent(4)) base_file({"repository", {new_directory()}});
  }

  void make_settings() {
    struct Setting {
      unsigned percent;
      const char* key;
      std::vector<const char*> values;
    };
    static const std::vector<Setting> kSettings{
        {20, "core.autocrlf", {"true", "input", "false"}},
        {8, "core.eol", {"lf", "crlf", "native"}},
        {8, "core.safecrlf", {"false", "warn"}},
        {8, "core.fileMode", {"false"}},
        {4, "core.symlinks", {"false"}},
        {15, "core.quotePath", {"false"}},
        {4, "core.protectHFS", {"true"}},
        {4, "core.protectNTFS", {"false"}},
        {15, "status.showUntrackedFiles", {"all", "normal", "no"}},
        {5, "core.trustctime", {"false"}},
        {3, "core.bigFileThreshold", {"20"}},
        {3, "i18n.commitEncoding", {"ISO-8859-1"}},
    };
    for (const Setting& setting : kSettings) {
      if (random_.percent(setting.percent)) {
        base("config", {setting.key, random_.pick(setting.values)});
      }
    }
    if (random_.percent(15)) {
      base("config", {"filter.up.clean", "tr a-z A-Z"});
      base("config", {"filter.up.smudge", "tr A-Z a-z"});
      if (random_.percent(30)) base("config", {"filter.up.required", "true"});
    }
  }

  // --- rounds ------------------------------------------------------------------------------------

  Round make_round() {
    Round round;
    if (random_.percent(12)) round.before = random_.percent(50) ? Before::umount : Before::kill;
    round.inside = random_.percent(10);
    round.patch = random_.percent(35);
    const std::size_t operations = random_.between(1, random_.percent(15) ? 30 : 9);
    Paths touched;
    for (std::size_t i = 0; i < operations; ++i) {
      look();
      for (Operation& operation : propose()) {
        if (!allowed(operation)) continue;
        remember_remade(operation);
        applier_.apply(operation);
        touched.push_back(operation.args[0]);
        round.operations.push_back(std::move(operation));
        look();
      }
    }
    if (!sparse_ && random_.percent(25)) choose_paths(touched, round);
    return round;
  }

  void choose_paths(const Paths& touched, Round& round) {
    const std::size_t count = random_.between(1, 3);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string path =
          touched.empty() || random_.percent(20) ? anything() : random_.pick(touched);
      const std::string directory = parent(path);
      if (beyond_link(path) || leaf(path) == ".git") continue;
      round.paths.push_back(random_.percent(20) && !directory.empty() ? directory : path);
    }
  }

  /// git refuses such a path, where wafers takes what the tip has there for deleted.
  bool beyond_link(const std::string& path) const {
    for (std::string up = parent(path); !up.empty(); up = parent(up)) {
      if (exists(up) && !is_directory(up)) return true;
    }
    return false;
  }

  /// One thing that somebody does, in one or more operations.
  std::vector<Operation> propose() {
    using Make = std::vector<Operation> (Generator::*)();
    static constexpr std::array<std::pair<unsigned, Make>, 7> kKinds{{
        {40, &Generator::edit},
        {12, &Generator::remove},
        {14, &Generator::move},
        {12, &Generator::replace},
        {8, &Generator::change_attributes_of_file},
        {10, &Generator::edit_rules},
        {4, &Generator::odd},
    }};
    std::size_t ticket = random_.below(100);
    for (const auto& [weight, make] : kKinds) {
      if (ticket < weight) return (this->*make)();
      ticket -= weight;
    }
    return edit();
  }

  std::vector<Operation> edit() {
    const std::string path = a_file();
    switch (random_.below(9)) {
      case 0:
        return {{"append", {path, words_.line()}}};
      case 1:
        return {{"save", {path, words_.content(path)}}};
      case 2:
        return {{"rewrite", {path}}};
      case 3:
        return {{"open", {path}}};
      case 4:
        return {{"touch", {anything()}}};
      case 5:
        return {{"truncate", {path, std::to_string(random_.below(20))}}};
      case 6:
        return {{"write", {path, words_.content(path)}}};
      default: {
        const std::string fresh = new_file();
        return {{"write", {fresh, words_.content(fresh)}}};
      }
    }
  }

  std::vector<Operation> remove() {
    if (random_.percent(60)) return {{"unlink", {a_file()}}};
    return {{"rmtree", {random_.percent(80) ? a_directory() : anything()}}};
  }

  std::vector<Operation> move() {
    const std::string from = random_.percent(60) ? a_file() : anything();
    const std::string to = random_.percent(35) ? anything() : new_file();
    if (random_.percent(15)) return {{"rename", {from, to}}, {"rename", {to, from}}};
    return {{"rename", {from, to}}};
  }

  std::vector<Operation> replace() {
    const std::string path = anything();
    std::vector<Operation> all{{"rmtree", {path}}};
    switch (random_.below(5)) {
      case 0:
        all.push_back({"write", {path, words_.content(path)}});
        break;
      case 1:
        all.push_back({"symlink", {path, words_.link_target(all_)}});
        break;
      case 2:
        all.push_back({"mkdir", {path}});
        break;
      default: {
        const std::string inner = join(path, words_.name());
        all.push_back({"write", {inner, words_.content(inner)}});
      }
    }
    return all;
  }

  std::vector<Operation> change_attributes_of_file() {
    static constexpr std::array<const char*, 8> kModes{"755", "644", "600", "700",
                                                       "444", "555", "654", "664"};
    return {{"chmod", {a_file(), random_.pick(kModes)}}};
  }

  std::vector<Operation> edit_rules() {
    const std::string directory = random_.percent(50) ? "" : random_.pick(directories_);
    const Paths seen = seen_from(directory);
    if (random_.percent(30)) {
      return {{"write",
               {join(directory, ".gitattributes"), words_.attributes(seen, directory.empty())}}};
    }
    const std::string path = join(directory, ".gitignore");
    if (random_.percent(15)) return {{"unlink", {path}}};
    if (random_.percent(30)) return {{"append", {path, words_.ignore_rules(seen)}}};
    return {{"write", {path, words_.ignore_rules(seen)}}};
  }

  std::vector<Operation> odd() {
    switch (random_.below(8)) {
      case 0:
        return {{"fifo", {new_file()}}};
      case 1:
        return {{"socket", {new_file()}}};
      case 2:
        return {{"link", {a_file(), new_file()}}};
      case 3:
        return {{"mkdir", {new_directory()}}};
      case 4:
        return {{"symlink", {new_file(), words_.link_target(all_)}}};
      case 5:
        return {{"repository", {new_directory()}}};
      case 6:
        return {{"advance", {a_directory()}}};
      default:
        return {{"write", {new_directory() + "/.git", "garbage\n"}}};
    }
  }

  // --- what is left out --------------------------------------------------------------------------

  bool allowed(const Operation& operation) const {
    for (const std::string& path : operation.args) {
      if (operation.verb == "symlink" && &path != &operation.args[0]) break;
      if (!attributes_stay(operation, path)) return false;
      if (&path == &operation.args[0] && operation.verb != "rename" && operation.verb != "link") {
        break;
      }
    }
    // git waits for ever for the writer of a fifo named .gitignore.
    const bool special = operation.verb == "fifo" || operation.verb == "socket" ||
                         (operation.verb == "rename" &&
                          std::count(specials_.begin(), specials_.end(), operation.args[0]) != 0);
    if (special && is_rule_file(operation.args.back())) return false;
    if (renames_onto_itself(operation)) return false;
    if (operation.verb == "chmod" && has_two_names(operation.args[0])) return false;
    return options_.backend != "fuse" || fuse_can(operation);
  }

  /// The kernel's overlay may still go by the mode that the other name of a file had: link, chmod
  /// 444, and the file can be written.
  bool has_two_names(const std::string& path) const {
    std::error_code error;
    return std::filesystem::is_regular_file(scratch_ / path, error) &&
           std::filesystem::hard_link_count(scratch_ / path, error) > 1;
  }

  /// Two names of one file: rename(2) does nothing then. The kernel's overlay says ESTALE.
  bool renames_onto_itself(const Operation& operation) const {
    if (operation.verb != "rename") return false;
    std::error_code error;
    return std::filesystem::equivalent(scratch_ / operation.args[0], scratch_ / operation.args[1],
                                       error);
  }

  /// Whether git's answer doesn't depend on its stat cache after the operation on `path`. With
  /// .gitattributes deleted it goes by the index's version until `git add` has removed that one,
  /// which may be before or after it has looked at a file. With real times it may or may not look
  /// again at files whose attributes have changed.
  bool attributes_stay(const Operation& operation, const std::string& path) const {
    const auto is_attributes = [](const std::string& file) {
      return leaf(file) == ".gitattributes";
    };
    static const std::set<std::string_view> kRemoving{"unlink", "rmtree", "rename", "symlink",
                                                      "mkdir"};
    const bool removing = kRemoving.contains(operation.verb);
    if (is_attributes(path)) return !scenario_.real_times && (!removing || !exists(path));
    if (!removing) return true;
    return std::none_of(all_.begin(), all_.end(), [&](const std::string& file) {
      return is_attributes(file) && is_below(file, path);
    });
  }

  const std::string& target_of(const Operation& operation) const {
    const bool second = operation.verb == "rename" || operation.verb == "link";
    return operation.args[second ? 1 : 0];
  }

  /// Names of the base that belong to another file now than the one that was changed in place.
  void remember_remade(const Operation& operation) {
    static const std::set<std::string_view> kMaking{"save", "rename", "link", "symlink",
                                                    "fifo", "socket", "write"};
    const std::string& target = target_of(operation);
    const bool in_place = operation.verb == "write" && exists(target);
    if (kMaking.contains(operation.verb) && !in_place && lower_.contains(target)) {
      remade_.insert(target);
    }
  }

  /// What fuse-overlayfs 1.10 itself gets wrong:
  /// - after `rm -r d; mkdir d` names of the lower d may still resolve;
  /// - a renamed directory may leave names of the lower one behind;
  /// - a file renamed onto a name of the base, or made where the base's was deleted, leaves no
  ///   whiteout when it goes, and the base's file shows: `mv new f; rm f; ls f`.
  bool fuse_can(const Operation& operation) const {
    const bool renames = operation.verb == "rename";
    if (renames && is_directory(operation.args[0])) return false;
    if (renames || operation.verb == "unlink" || operation.verb == "rmtree") {
      for (const std::string& remade : remade_) {
        if (remade == operation.args[0] || is_below(remade, operation.args[0])) return false;
      }
    }
    const std::string& target = target_of(operation);
    const bool makes_directory =
        operation.verb == "mkdir" || operation.verb == "repository" || operation.verb == "unborn";
    for (std::string path = makes_directory ? target : parent(target); !path.empty();
         path = parent(path)) {
      if (lower_.contains(path) && !is_directory(path)) return false;
    }
    return true;
  }

  Random random_;
  const GenerateOptions& options_;
  const std::filesystem::path& scratch_;
  Vocabulary words_;
  Applier applier_;
  Scenario scenario_;
  Paths files_, directories_, specials_, all_;
  std::set<std::string> lower_, remade_;
  bool linked_ = false;
  bool sparse_ = false;  ///< git then knows paths that are not there
};

}  // namespace

Scenario generate(std::uint64_t seed, const GenerateOptions& options,
                  const std::filesystem::path& scratch) {
  return Generator(seed, options, scratch).make();
}

}  // namespace wafers::fuzz
