#include "tree_view.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace wafers::test {
namespace {

struct Places {
  std::filesystem::path lower, upper, work, mountpoint;
};

Places make_places(const std::filesystem::path& lower, const std::filesystem::path& scratch,
                   UpperDialect dialect) {
  Places places{lower, scratch / "upper", scratch / "work", scratch / "view"};
  for (const auto& path : {places.upper, places.work, places.mountpoint}) {
    std::filesystem::create_directories(path);
  }
  const UniqueFd fd(::open(places.upper.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  make_whiteout(fd.get(), ".git", dialect);
  return places;
}

class KernelView : public View {
 public:
  KernelView(Places places, UpperDialect dialect) : places_(std::move(places)), dialect_(dialect) {
    const std::string options =
        "lowerdir=" + places_.lower.native() + ",upperdir=" + places_.upper.native() +
        ",workdir=" + places_.work.native() + ",volatile" +
        (dialect == UpperDialect::kernel_user ? ",userxattr"
                                              : ",redirect_dir=nofollow,metacopy=off");
    if (::mount("overlay", places_.mountpoint.c_str(), "overlay", 0, options.c_str()) != 0) {
      throw std::runtime_error("mount overlay: " + describe_errno(errno));
    }
    mounted_ = true;
  }
  ~KernelView() override {
    if (mounted_) ::umount2(places_.mountpoint.c_str(), MNT_DETACH);
  }
  std::filesystem::path mountpoint() const override { return places_.mountpoint; }
  std::filesystem::path upper() const override { return places_.upper; }
  UpperDialect dialect() const override { return dialect_; }
  void flush() override {}
  void unmount() override {
    if (!std::exchange(mounted_, false)) return;
    if (::umount2(places_.mountpoint.c_str(), 0) != 0) {
      throw std::runtime_error("umount overlay: " + describe_errno(errno));
    }
  }

 private:
  Places places_;
  UpperDialect dialect_;
  bool mounted_ = false;
};

class FuseView : public View {
 public:
  explicit FuseView(Places places) : places_(std::move(places)) {
    run_ok({"fuse-overlayfs", "-o",
            "lowerdir=" + places_.lower.native() + ",upperdir=" + places_.upper.native() +
                ",workdir=" + places_.work.native(),
            places_.mountpoint});
    mounted_ = true;
  }
  ~FuseView() override {
    if (mounted_) run({"fusermount3", "-u", "-z", places_.mountpoint});
  }
  std::filesystem::path mountpoint() const override { return places_.mountpoint; }
  std::filesystem::path upper() const override { return places_.upper; }
  UpperDialect dialect() const override { return UpperDialect::fuse; }
  void flush() override {
    const UniqueFd fd(::open(places_.mountpoint.c_str(), O_RDONLY | O_CLOEXEC));
    if (::syncfs(fd.get()) != 0) throw std::runtime_error("syncfs: " + describe_errno(errno));
  }
  void unmount() override {
    if (std::exchange(mounted_, false)) run_ok({"fusermount3", "-u", places_.mountpoint});
  }

 private:
  Places places_;
  bool mounted_ = false;
};

void forge(const std::filesystem::path& upper, UpperDialect dialect, const std::string& script) {
  const char* prefix = "user.fuseoverlayfs.";
  if (dialect == UpperDialect::kernel_user) prefix = "user.overlay.";
  if (dialect == UpperDialect::kernel_trusted) prefix = "trusted.overlay.";
  const std::string functions =
      "mark() { foreign_mark \"$MARK$@\"; }\n"
      "foreign_mark() { python3 -c 'import os, sys; name, value, *files = sys.argv[1:]\n"
      "for file in files: os.setxattr(file, name, value.encode())' \"$@\"; }\n";
  const RunResult result = run_script(
      functions + script, {.cwd = upper, .environment = {std::string("MARK=") + prefix}});
  if (!result.ok()) throw std::runtime_error("forging failed: " + result.err);
}

void write_text(const char* path, const std::string& text) {
  std::ofstream stream(path);
  stream << text;
  stream.close();
  if (!stream) throw std::runtime_error(std::string("cannot write ") + path);
}

/// A mount namespace of its own, and for an ordinary user a user namespace around it.
void enter_namespaces() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (::unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) {
    throw std::runtime_error("unshare: " + describe_errno(errno));
  }
  if (uid != 0) {
    const auto one_id = [](auto id) {
      return std::to_string(id) + " " + std::to_string(id) + " 1";
    };
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", one_id(uid));
    write_text("/proc/self/gid_map", one_id(gid));
  }
  if (::mount("", "/", "", MS_REC | MS_SLAVE, nullptr) != 0) {
    throw std::runtime_error("mount propagation: " + describe_errno(errno));
  }
}

}  // namespace

Ability prepare_views(UpperDialect dialect) {
  if (dialect == UpperDialect::kernel_trusted && ::geteuid() != 0) {
    return {false, "trusted.* attributes need root"};
  }
  try {
    static const bool entered = dialect != UpperDialect::fuse && (enter_namespaces(), true);
    (void)entered;
    const TempDir scratch;
    std::filesystem::create_directory(scratch / "lower");
    make_view(dialect, scratch / "lower", scratch.path())->unmount();
    return {true, {}};
  } catch (const std::exception& error) {
    return {false, error.what()};
  }
}

std::unique_ptr<View> make_view(UpperDialect dialect, const std::filesystem::path& lower,
                                const std::filesystem::path& scratch, const std::string& forged) {
  Places places = make_places(lower, scratch, dialect);
  if (!forged.empty()) forge(places.upper, dialect, forged);
  if (dialect == UpperDialect::fuse) return std::make_unique<FuseView>(std::move(places));
  return std::make_unique<KernelView>(std::move(places), dialect);
}

}  // namespace wafers::test
