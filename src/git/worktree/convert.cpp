#include "git/worktree/convert.h"

#include <utility>

#include "base/error.h"
#include "git/repository/repository.h"
#include "git/text/ascii.h"
#include "git/text/encoding.h"
#include "git/text/ident_keyword.h"
#include "git/worktree/convert_driver.h"

namespace wafers::git {
namespace {

constexpr const char* kGitEncoding = "UTF-8";

const AttributeValue* find(const Attributes& attributes, std::string_view name) {
  const auto found = attributes.find(name);
  return found == attributes.end() ? nullptr : &found->second;
}

/// The attribute's text, empty where it is set, unset or unspecified.
std::string_view text_of(const AttributeValue* value) {
  return value != nullptr && value->state == AttributeValue::State::value
             ? std::string_view(value->text)
             : std::string_view();
}

enum class TextRule { unspecified, binary, text, text_lf, guess };

/// What `text`, or its older name `crlf`, says (convert.c: git_path_check_crlf).
TextRule text_rule(const AttributeValue* value) {
  if (value == nullptr) return TextRule::unspecified;
  if (value->state == AttributeValue::State::set) return TextRule::text;
  if (value->state == AttributeValue::State::unset) return TextRule::binary;
  if (value->text == "input") return TextRule::text_lf;
  if (value->text == "auto") return TextRule::guess;
  return TextRule::unspecified;
}

bool text_ends_in_crlf(const ConvertConfig& config) {
  if (config.autocrlf != ConvertConfig::AutoCrlf::no) {
    return config.autocrlf == ConvertConfig::AutoCrlf::yes;
  }
  return config.eol == ConvertConfig::Eol::crlf;
}

std::string choose_encoding(const Attributes& attributes) {
  const AttributeValue* value = find(attributes, "working-tree-encoding");
  if (value != nullptr && value->state == AttributeValue::State::set) {
    throw Error(ErrorKind::failed, "true/false are no valid working-tree-encodings");
  }
  const std::string_view name = text_of(value);
  return is_same_encoding(name, kGitEncoding) ? std::string() : std::string(name);
}

/// Whether `list`, separated by commas and blanks, has `name` in it.
bool lists_encoding(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t end = list.find_first_of(", \t\n\r");
    if (equal_ignoring_case(list.substr(0, end), name)) return true;
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return false;
}

/// Git's rule against churn: a file that was recorded with CR LF as text stays so.
bool recorded_with_crlf(const ConvertContext& context) {
  const auto stats = context.recorded ? context.recorded() : std::nullopt;
  return stats && stats->crlf > 0 && !stats->is_binary();
}

/// Fails where an object is to be made of content that can't be converted, else warns.
void fail_or_warn(const ConvertContext& context, const std::string& message,
                  const std::string& hint = {}) {
  if (context.writes) throw Error(ErrorKind::failed, message, hint);
  context.warn(message);
}

/// "16" of "utf-16le", for the advice.
std::string utf_number(std::string_view encoding) {
  std::string number;
  for (const char c : encoding) {
    if (is_digit(c)) number += c;
  }
  return number;
}

/// Whether the byte order mark of a UTF file is as its encoding wants it.
bool has_valid_bom(const std::string& content, const std::string& encoding,
                   const ConvertContext& context) {
  const std::string suffix = " in '" + context.path + "' if encoded as " + encoding;
  const std::string utf = "UTF-" + utf_number(encoding);
  if (has_prohibited_bom(content, encoding)) {
    fail_or_warn(
        context, "BOM is prohibited" + suffix,
        "the file contains a byte order mark (BOM): use " + utf + " as working-tree-encoding");
    return false;
  }
  if (lacks_required_bom(content, encoding)) {
    fail_or_warn(context, "BOM is required" + suffix,
                 "the file is missing a byte order mark (BOM): use " + utf + "BE or " + utf +
                     "LE (depending on the byte order) as working-tree-encoding");
    return false;
  }
  return true;
}

/// Git's words for what the next checkout would do to the file's line ends.
void check_round_trip(const TextStats& before, const TextStats& after, bool fails,
                      const ConvertContext& context) {
  const bool loses_crlf = before.crlf > 0 && after.crlf == 0;
  const bool loses_lf = before.lone_lf > 0 && after.lone_lf == 0;
  if (!loses_crlf && !loses_lf) return;
  const std::string from = loses_crlf ? "CRLF" : "LF";
  const std::string to = loses_crlf ? "LF" : "CRLF";
  if (fails) {
    throw Error(ErrorKind::failed, from + " would be replaced by " + to + " in " + context.path);
  }
  context.warn("in the working copy of '" + context.path + "', " + from + " will be replaced by " +
               to + " the next time Git touches it");
}

}  // namespace

std::vector<std::string> filter_environment(const Repository& repository,
                                            const std::string& directory) {
  return {"GIT_DIR=" + repository.git_dir().native(), "GIT_WORK_TREE=" + directory,
          "PWD=" + directory, "GIT_OPTIONAL_LOCKS=0"};
}

Conversion::Crlf Conversion::choose_crlf(const Attributes& attributes,
                                         const ConvertConfig& config) {
  TextRule rule = text_rule(find(attributes, "text"));
  if (rule == TextRule::unspecified) rule = text_rule(find(attributes, "crlf"));
  if (rule == TextRule::binary) return Crlf::binary;

  const std::string_view eol = text_of(find(attributes, "eol"));
  const bool has_eol = eol == "lf" || eol == "crlf";
  const bool crlf = has_eol ? eol == "crlf" : text_ends_in_crlf(config);
  if (rule == TextRule::guess) return crlf ? Crlf::auto_crlf : Crlf::auto_lf;
  if (has_eol) return crlf ? Crlf::text_crlf : Crlf::text_lf;
  if (rule == TextRule::text) return crlf ? Crlf::text_crlf : Crlf::text_lf;
  if (rule == TextRule::text_lf) return Crlf::text_lf;
  switch (config.autocrlf) {
    case ConvertConfig::AutoCrlf::no:
      return Crlf::binary;
    case ConvertConfig::AutoCrlf::yes:
      return Crlf::auto_crlf;
    case ConvertConfig::AutoCrlf::input:
      return Crlf::auto_lf;
  }
  return Crlf::binary;
}

Conversion Conversion::choose(const Attributes& attributes, const ConvertConfig& config) {
  Conversion chosen;
  chosen.safecrlf_ = config.safecrlf;
  chosen.crlf_ = choose_crlf(attributes, config);
  const AttributeValue* ident = find(attributes, "ident");
  chosen.ident_ = ident != nullptr && ident->state == AttributeValue::State::set;
  chosen.encoding_ = choose_encoding(attributes);
  chosen.check_roundtrip_ = lists_encoding(config.check_roundtrip_encoding, chosen.encoding_);
  if (const std::string_view name = text_of(find(attributes, "filter")); !name.empty()) {
    for (const ConvertConfig::Driver& driver : config.drivers) {
      if (driver.name == name) chosen.driver_ = driver;
    }
  }
  return chosen;
}

bool Conversion::is_identity() const noexcept {
  return crlf_ == Crlf::binary && !ident_ && !rewrites_text();
}

bool Conversion::rewrites_text() const noexcept {
  const bool driver_idle = !driver_ || (driver_->clean.empty() && driver_->smudge.empty() &&
                                        driver_->process.empty() && !driver_->required);
  return !encoding_.empty() || !driver_idle;
}

std::string Conversion::to_git(std::string content, const ConvertContext& context) const {
  if (driver_) {
    auto cleaned = run_driver(*driver_, FilterDirection::clean, content, {}, context);
    if (!cleaned && driver_->required) {
      throw Error(ErrorKind::failed,
                  context.path + ": clean filter '" + driver_->name + "' failed");
    }
    if (cleaned) content = std::move(*cleaned);
  }
  if (!encoding_.empty() && !content.empty()) content = decoded(std::move(content), context);
  if (crlf_ != Crlf::binary && !content.empty()) content = crlf_to_git(std::move(content), context);
  if (ident_) collapse_ident(content);
  return content;
}

std::string Conversion::to_worktree(std::string content, const std::string& blob_hex,
                                    const ConvertContext& context) const {
  if (ident_) content = expand_ident(content, blob_hex);
  if (gives_crlf() && !content.empty()) content = crlf_to_worktree(std::move(content));
  if (!encoding_.empty() && !content.empty()) content = encoded(std::move(content), context);
  if (!driver_) return content;
  // Without any command git streams the file past the driver, and never asks whether it is
  // required.
  const bool no_command =
      driver_->clean.empty() && driver_->smudge.empty() && driver_->process.empty();
  if (no_command && !guesses() && encoding_.empty()) return content;
  auto smudged = run_driver(*driver_, FilterDirection::smudge, content, blob_hex, context);
  if (!smudged && driver_->required) {
    throw Error(ErrorKind::failed, context.path + ": smudge filter " + driver_->name + " failed");
  }
  return smudged ? std::move(*smudged) : content;
}

std::string Conversion::decoded(std::string content, const ConvertContext& context) const {
  if (!has_valid_bom(content, encoding_, context)) return content;
  auto converted = reencode(content, kGitEncoding, encoding_);
  if (!converted) {
    fail_or_warn(context, "failed to encode '" + context.path + "' from " + encoding_ + " to " +
                              kGitEncoding);
    return content;
  }
  if (context.writes && check_roundtrip_) {
    const auto back = reencode(*converted, encoding_, kGitEncoding);
    if (back != content) {
      throw Error(ErrorKind::failed, "encoding '" + context.path + "' from " + encoding_ + " to " +
                                         kGitEncoding + " and back is not the same");
    }
  }
  return std::move(*converted);
}

std::string Conversion::encoded(std::string content, const ConvertContext& context) const {
  auto converted = reencode(content, encoding_, kGitEncoding);
  if (converted) return std::move(*converted);
  context.warn("failed to encode '" + context.path + "' from " + kGitEncoding + " to " + encoding_);
  return content;
}

std::string Conversion::crlf_to_git(std::string content, const ConvertContext& context) const {
  const TextStats stats = TextStats::of(content);
  if (guesses() && stats.is_binary()) return content;
  bool converts = stats.crlf > 0;
  if (converts && guesses() && recorded_with_crlf(context)) converts = false;

  if (context.writes && safecrlf_ != ConvertConfig::SafeCrlf::no) {
    TextStats after = stats;
    if (converts) {
      after.lone_lf += after.crlf;
      after.crlf = 0;
    }
    const bool untouched = guesses() && (after.lone_cr > 0 || after.crlf > 0);
    if (gives_crlf() && !untouched) {
      after.crlf += after.lone_lf;
      after.lone_lf = 0;
    }
    check_round_trip(stats, after, safecrlf_ == ConvertConfig::SafeCrlf::fail, context);
  }
  if (!converts) return content;

  // A guess has seen that there is no lone CR, so in both cases those before a LF go.
  return without_carriage_returns(std::move(content));
}

std::string Conversion::crlf_to_worktree(std::string content) const {
  const TextStats stats = TextStats::of(content);
  if (stats.lone_lf == 0) return content;
  if (guesses() && (stats.crlf > 0 || stats.is_binary())) return content;
  std::string out;
  out.reserve(content.size() + stats.lone_lf);
  char previous = '\0';
  for (const char c : content) {
    if (c == '\n' && previous != '\r') out += '\r';
    out += c;
    previous = c;
  }
  return out;
}

}  // namespace wafers::git
