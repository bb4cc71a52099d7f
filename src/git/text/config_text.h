#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wafers::git {

/// One setting. `value` is absent for a key without '=', which git takes for true.
struct Setting {
  std::string key;  ///< section and name in lower case, subsection as written
  std::optional<std::string> value;
};

/// The settings in the text of one configuration file (git-config(1), "Syntax"), in its order.
/// What it includes is not looked at: libgit2 always does that, and where an agent has written the
/// text, would read whatever it names, or wait for it. Throws Error(failed) where the text is
/// malformed; the message is the line alone, such as "bad config line 3".
std::vector<Setting> parse_config_text(std::string_view text);

/// true/yes/on/1, false/no/off/0/"" and numbers, as git's config.c reads them; a key without value
/// is true. nullopt where it is none of those.
std::optional<bool> parse_bool(const std::optional<std::string>& value);

}  // namespace wafers::git
