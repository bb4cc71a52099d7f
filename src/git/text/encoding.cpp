#include "git/text/encoding.h"

#include <iconv.h>

#include <array>
#include <cerrno>

#include "base/scope_guard.h"
#include "git/text/ascii.h"
#include "git/text/unicode.h"

namespace wafers::git {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kUtf16BeBom = "\xFE\xFF"sv;
constexpr std::string_view kUtf16LeBom = "\xFF\xFE"sv;
constexpr std::string_view kUtf32BeBom = "\0\0\xFE\xFF"sv;
constexpr std::string_view kUtf32LeBom = "\xFF\xFE\0\0"sv;

/// "16le" of "UTF-16le" and "utf16le"; nullopt for other than UTF.
std::optional<std::string_view> utf_form(std::string_view name) {
  constexpr std::string_view kPrefix = "utf";
  if (!equal_ignoring_case(name.substr(0, kPrefix.size()), kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  if (name.starts_with('-')) name.remove_prefix(1);
  return name;
}

bool is_same_utf(std::string_view a, std::string_view b) {
  const auto form_a = utf_form(a);
  const auto form_b = utf_form(b);
  return form_a && form_b && equal_ignoring_case(*form_a, *form_b);
}

#ifdef WAFERS_STATIC
/// iconv(3) reads files of the host's C library, and loads its libraries, which a static program
/// doesn't survive where that one isn't of its own version.
std::optional<std::string> convert(std::string_view content, const std::string& to,
                                   const std::string& from) {
  return convert_unicode(content, to, from);
}
#else
/// Spellings that some iconv doesn't know.
std::string official_name(const std::string& name) {
  if (is_same_utf(name, "UTF-8")) return "UTF-8";
  if (equal_ignoring_case(name, "latin-1")) return "ISO-8859-1";
  return name;
}

iconv_t open_converter(const std::string& to, const std::string& from) {
  iconv_t converter = ::iconv_open(to.c_str(), from.c_str());
  // iconv's own failure value is (iconv_t)-1, a pointer.
  const auto failed = reinterpret_cast<iconv_t>(-1);  // NOLINT(performance-no-int-to-ptr)
  if (converter == failed) {
    converter = ::iconv_open(official_name(to).c_str(), official_name(from).c_str());
  }
  return converter == failed ? nullptr : converter;
}

std::optional<std::string> convert_all(iconv_t converter, std::string_view content) {
  std::string out;
  std::string input(content);
  char* next = input.data();
  std::size_t left = input.size();
  std::array<char, 8192> buffer{};
  while (true) {
    char* end = buffer.data();
    std::size_t room = buffer.size();
    const std::size_t result = ::iconv(converter, &next, &left, &end, &room);
    const int err = errno;
    out.append(buffer.data(), buffer.size() - room);
    if (result != static_cast<std::size_t>(-1)) return out;
    if (err != E2BIG) return std::nullopt;
  }
}

std::optional<std::string> convert(std::string_view content, const std::string& to,
                                   const std::string& from) {
  iconv_t converter = open_converter(to, from);
  if (converter == nullptr) return std::nullopt;
  const ScopeGuard close([converter] { ::iconv_close(converter); });
  return convert_all(converter, content);
}
#endif

}  // namespace

bool is_same_encoding(std::string_view a, std::string_view b) {
  return is_same_utf(a, b) || equal_ignoring_case(a, b);
}

std::optional<std::string> reencode(std::string_view content, const std::string& to,
                                    const std::string& from) {
  std::string target = to;
  std::string_view bom;
  if (is_same_utf(to, "UTF-16LE-BOM")) {
    target = "UTF-16LE";
    bom = kUtf16LeBom;
  } else if (is_same_utf(to, "UTF-16BE-BOM")) {
    target = "UTF-16BE";
    bom = kUtf16BeBom;
  }
  const std::string source = is_same_utf(from, "UTF-16LE-BOM") ? "UTF-16" : from;
  auto converted = convert(content, target, source);
  if (converted) converted->insert(0, bom);
  return converted;
}

bool has_prohibited_bom(std::string_view content, std::string_view encoding) {
  if (is_same_utf(encoding, "UTF-16BE") || is_same_utf(encoding, "UTF-16LE")) {
    return content.starts_with(kUtf16BeBom) || content.starts_with(kUtf16LeBom);
  }
  if (is_same_utf(encoding, "UTF-32BE") || is_same_utf(encoding, "UTF-32LE")) {
    return content.starts_with(kUtf32BeBom) || content.starts_with(kUtf32LeBom);
  }
  return false;
}

bool lacks_required_bom(std::string_view content, std::string_view encoding) {
  if (is_same_utf(encoding, "UTF-16")) {
    return !content.starts_with(kUtf16BeBom) && !content.starts_with(kUtf16LeBom);
  }
  if (is_same_utf(encoding, "UTF-32")) {
    return !content.starts_with(kUtf32BeBom) && !content.starts_with(kUtf32LeBom);
  }
  return false;
}

}  // namespace wafers::git
