#include <exception>
#include <string>
#include <string_view>

#include "git/binary_patch.h"
#include "git/blank_at_eof.h"
#include "git/diff_session.h"
#include "git/format.h"
#include "git/library.h"
#include "git/repository_impl.h"

namespace wafers::git {
namespace {

constexpr std::string_view kBold = "\033[1m";
constexpr std::string_view kCyan = "\033[36m";
constexpr std::string_view kGreen = "\033[32m";
constexpr std::string_view kRed = "\033[31m";
constexpr std::string_view kReset = "\033[m";
constexpr std::string_view kBadBlanks = "\033[41m";

/// One side of a change; mode 0 where it doesn't exist.
struct Side {
  std::string path;
  std::uint32_t mode = 0;
  Oid oid;
};

Side side_of(const git_diff_file& file) { return {file.path, file.mode, from_library(file.id)}; }

/// Prints one file's patch after the other as git's diff.c does; libgit2 makes the hunks.
class PatchPrinter {
 public:
  PatchPrinter(const DiffSession& session, const Repository& repository, bool colour,
               const std::function<void(std::string_view)>& out)
      : session_(session),
        repository_(repository),
        quote_high_(repository.config_bool("core.quotePath", true)),
        colour_(colour),
        out_(out) {}

  void print(git_patch* patch, const Side& before, const Side& after, const git_diff_delta& delta) {
    before_ = &before;
    after_ = &after;
    names_printed_ = false;
    const git_diff_delta& own = *git_patch_get_delta(patch);
    const bool binary = (own.flags & GIT_DIFF_FLAG_BINARY) != 0;
    print_header(delta, binary);
    if (before.oid == after.oid) return;
    if (binary) return print_binary(delta);
    if (colour_)
      blank_at_eof_ =
          BlankAtEof(content_of(before, delta.old_file), content_of(after, delta.new_file));
    check(git_patch_print(patch, on_line, this), "cannot print a patch");
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  static int on_line(const git_diff_delta* /*delta*/, const git_diff_hunk* /*hunk*/,
                     const git_diff_line* line, void* payload) {
    auto* const self = static_cast<PatchPrinter*>(payload);
    try {
      self->print_line(line->origin, {line->content, line->content_len});
      return GIT_OK;
    } catch (...) {  // libgit2 is C: rethrown by print()
      self->failure_ = std::current_exception();
      return GIT_EUSER;
    }
  }

  std::string with_prefix(const char* prefix, const std::string& path) const {
    return quote_path(prefix + path, quote_high_);
  }

  void meta(const std::string& line) {
    out_(colour_ ? std::string(kBold) + line + std::string(kReset) + "\n" : line + "\n");
  }

  std::string abbreviated(const Oid& oid, bool in_full) const {
    return in_full ? oid.hex() : repository_.short_id(oid);
  }

  void print_header(const git_diff_delta& delta, bool binary) {
    meta("diff --git " + with_prefix("a/", before_->path) + " " + with_prefix("b/", after_->path));
    const auto octal = [](std::uint32_t mode) { return to_octal(static_cast<FileMode>(mode)); };
    if (before_->mode == 0) {
      meta("new file mode " + octal(after_->mode));
    } else if (after_->mode == 0) {
      meta("deleted file mode " + octal(before_->mode));
    } else if (before_->mode != after_->mode) {
      meta("old mode " + octal(before_->mode));
      meta("new mode " + octal(after_->mode));
    }
    if (delta.status == GIT_DELTA_RENAMED || delta.status == GIT_DELTA_COPIED) {
      const std::string verb = delta.status == GIT_DELTA_RENAMED ? "rename" : "copy";
      meta("similarity index " + std::to_string(delta.similarity) + "%");
      meta(verb + " from " + quote_path(before_->path, quote_high_));
      meta(verb + " to " + quote_path(after_->path, quote_high_));
    }
    if (before_->oid == after_->oid) return;
    std::string index =
        "index " + abbreviated(before_->oid, binary) + ".." + abbreviated(after_->oid, binary);
    if (before_->mode == after_->mode) index += " " + octal(after_->mode);
    meta(index);
  }

  std::string content_of(const Side& side, const git_diff_file& file) const {
    return side.mode == 0 ? std::string() : session_.content_of(file);
  }

  void print_binary(const git_diff_delta& delta) {
    const auto& impl = RepositoryAccess::of(repository_);
    out_(binary_patch(content_of(*before_, delta.old_file), content_of(*after_, delta.new_file),
                      store_settings(impl.layout, impl.config).level));
  }

  /// Before the first hunk. A name with a blank gets a tab, for patch(1) to see where it ends.
  void print_names() {
    names_printed_ = true;
    const auto name_line = [&](const char* sign, const char* prefix, const Side& side) {
      const std::string name = side.mode == 0 ? "/dev/null" : with_prefix(prefix, side.path);
      const std::string tab = name.find(' ') != std::string::npos ? "\t" : "";
      out_(colour_ ? std::string(kBold) + sign + name + std::string(kReset) + tab + "\n"
                   : sign + name + tab + "\n");
    };
    name_line("--- ", "a/", *before_);
    name_line("+++ ", "b/", *after_);
  }

  void print_line(char origin, std::string_view content) {
    switch (origin) {
      case GIT_DIFF_LINE_FILE_HDR:
        return;  // ours is printed already
      case GIT_DIFF_LINE_HUNK_HDR:
        if (!names_printed_) print_names();
        blank_at_eof_.enter_hunk(content);
        return print_hunk_header(content);
      case GIT_DIFF_LINE_ADDITION:
        return print_change('+', kGreen, content);
      case GIT_DIFF_LINE_DELETION:
        return print_change('-', kRed, content);
      case GIT_DIFF_LINE_CONTEXT:
        return print_change(' ', {}, content);
      case GIT_DIFF_LINE_CONTEXT_EOFNL:
      case GIT_DIFF_LINE_ADD_EOFNL:
      case GIT_DIFF_LINE_DEL_EOFNL:
        // libgit2 begins it with the line feed that the line before lacks; coloured lines got
        // theirs.
        return print_missing_newline(content);
      default:
        out_(content);
    }
  }

  void print_missing_newline(std::string_view content) {
    if (!colour_) return out_(content);
    content = content.substr(content.find('\\'));
    if (content.ends_with('\n')) content.remove_suffix(1);
    out_(std::string(content) + std::string(kReset) + "\n");
  }

  void print_hunk_header(std::string_view line) {
    const std::size_t end = line.find("@@", 2);
    if (end == std::string_view::npos) return out_(line);
    const std::string_view frag = line.substr(0, end + 2);
    std::string_view function = line.substr(end + 2);
    // libgit2 takes blanks off before it cuts the line to 80 bytes, git after that (xemit.c:
    // def_ff()).
    function = function.substr(0, function.find_last_not_of(" \t\n\v\f\r") + 1);
    if (!colour_) return out_(std::string(frag) + std::string(function) + "\n");
    std::string text = std::string(kCyan) + std::string(frag) + std::string(kReset);
    if (!function.empty()) {
      // The blank and the function's name are pieces of their own (emit_hunk_header()).
      text += " " + std::string(kReset) + std::string(function.substr(1)) + std::string(kReset);
    }
    out_(text + "\n");
  }

  /// diff.c: emit_line_ws_markup() and emit_line_0().
  void print_change(char sign, std::string_view colour, std::string_view content) {
    if (!colour_) return out_(sign + std::string(content));
    blank_at_eof_.enter_line(sign);
    if (content.ends_with('\n')) content.remove_suffix(1);
    const bool bad = sign == '+' && blank_at_eof_.is_new_blank(content);
    std::string text(bad ? kBadBlanks : colour);
    text += sign;
    if (sign == '+' && !bad) {
      out_(text + std::string(kReset) + with_bad_blanks_shown(content, colour) + "\n");
      return;
    }
    const bool carriage_return = content.ends_with('\r');
    if (carriage_return) content.remove_suffix(1);
    text += content;
    text += kReset;
    out_(text + (carriage_return ? "\r\n" : "\n"));
  }

  /// ws.c: ws_check_emit() for git's default core.whitespace: blanks before a tab in the
  /// indentation and at the end of the line; indentation itself has no colour.
  static std::string with_bad_blanks_shown(std::string_view line, std::string_view colour) {
    const auto piece = [](std::string_view style, std::string_view text) {
      if (text.empty()) return std::string();
      return std::string(style) + std::string(text) + std::string(kReset);
    };
    const std::size_t last = line.find_last_not_of(" \t\n\v\f\r");
    const std::size_t end = last == std::string_view::npos ? 0 : last + 1;
    std::string text;
    std::size_t written = 0;
    for (std::size_t i = 0; i < end && (line[i] == ' ' || line[i] == '\t'); ++i) {
      if (line[i] == ' ') continue;
      text += piece(kBadBlanks, line.substr(written, i - written));
      text += '\t';
      written = i + 1;
    }
    return text + piece(colour, line.substr(written, end - written)) +
           piece(kBadBlanks, line.substr(end));
  }

  const DiffSession& session_;
  const Repository& repository_;
  bool quote_high_;
  bool colour_;
  const std::function<void(std::string_view)>& out_;
  const Side* before_ = nullptr;
  const Side* after_ = nullptr;
  bool names_printed_ = false;
  BlankAtEof blank_at_eof_;
  std::exception_ptr failure_;
};

}  // namespace

void print_patch(DiffSession& session, const Repository& repository, const DiffOptions& options,
                 const std::function<void(std::string_view)>& out) {
  PatchPrinter printer(session, repository, options.colour, out);
  for (std::size_t i = 0; i < session.size(); ++i) {
    const git_diff_delta& delta = session.delta(i);
    Side before = side_of(delta.old_file);
    Side after = side_of(delta.new_file);
    if (delta.status == GIT_DELTA_TYPECHANGE) {
      // git prints a change of type as a removal and an addition.
      printer.print(session.text_of_sides(i, DiffSession::Sides::before).patch.get(), before,
                    Side{before.path, 0, Oid{}}, delta);
      printer.print(session.text_of_sides(i, DiffSession::Sides::after).patch.get(),
                    Side{after.path, 0, Oid{}}, after, delta);
      continue;
    }
    if (delta.status == GIT_DELTA_ADDED) before.mode = 0;
    if (delta.status == GIT_DELTA_DELETED) after.mode = 0;
    printer.print(session.text(i).patch.get(), before, after, delta);
  }
}

}  // namespace wafers::git
