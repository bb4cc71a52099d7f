#include "git/text/ident_keyword.h"

#include <cstring>
#include <optional>

namespace wafers::git {
namespace {

/// Length of "Id: ...$" at the start of `text`, on one line. nullopt where it is none; `unfinished`
/// says that no '$' follows at all.
std::optional<std::size_t> expanded_length(std::string_view text, bool& unfinished) {
  if (!text.starts_with("Id:")) return std::nullopt;
  const std::size_t dollar = text.find('$', 3);
  unfinished = dollar == std::string_view::npos;
  if (unfinished || text.substr(0, dollar).find('\n') != std::string_view::npos) {
    return std::nullopt;
  }
  return dollar + 1;
}

/// Whether "Id: ...$" has a blank elsewhere than before the last '$' and after the colon.
bool is_foreign(std::string_view keyword) {
  constexpr std::size_t kFirst = 4;  // behind "Id: "
  if (keyword.size() < kFirst + 2) return false;
  const std::string_view inner = keyword.substr(kFirst, keyword.size() - kFirst - 2);
  return inner.find(' ') != std::string_view::npos;
}

}  // namespace

void collapse_ident(std::string& content) {
  constexpr std::string_view kKeyword = "Id$";
  std::size_t kept = 0;  // it gets no longer, so what is read is never written over
  std::string_view rest = content;
  const auto keep = [&](std::string_view text) {
    std::memmove(content.data() + kept, text.data(), text.size());
    kept += text.size();
  };
  for (std::size_t dollar = 0; (dollar = rest.find('$')) != std::string_view::npos;) {
    keep(rest.substr(0, dollar + 1));
    rest.remove_prefix(dollar + 1);
    bool unfinished = false;
    const auto length = expanded_length(rest, unfinished);
    if (unfinished) break;
    if (!length) continue;
    keep(kKeyword);
    rest.remove_prefix(*length);
  }
  keep(rest);
  content.resize(kept);
}

std::string expand_ident(std::string_view content, std::string_view blob_hex) {
  std::string out;
  out.reserve(content.size());
  for (std::size_t dollar = 0; (dollar = content.find('$')) != std::string_view::npos;) {
    out += content.substr(0, dollar + 1);
    content.remove_prefix(dollar + 1);
    std::size_t length = 3;
    if (!content.starts_with("Id$")) {
      bool unfinished = false;
      const auto expanded = expanded_length(content, unfinished);
      if (unfinished) break;
      if (!expanded || is_foreign(content.substr(0, *expanded))) continue;
      length = *expanded;
    }
    out += "Id: ";
    out += blob_hex;
    out += " $";
    content.remove_prefix(length);
  }
  out += content;
  return out;
}

}  // namespace wafers::git
