#include "git/worktree/convert_config.h"

#include <cstddef>
#include <string_view>

#include "git/repository/config.h"
#include "git/repository/repository.h"

namespace wafers::git {

ConvertConfig convert_config(const Repository& repository) {
  const Config& config = repository.all_config();
  ConvertConfig out;
  if (config.get("core.autocrlf").value_or(std::string()) == "input") {
    out.autocrlf = ConvertConfig::AutoCrlf::input;
  } else if (config.get_bool("core.autocrlf", false)) {
    out.autocrlf = ConvertConfig::AutoCrlf::yes;
  }
  const std::string eol = config.get("core.eol").value_or("native");
  if (eol == "lf") out.eol = ConvertConfig::Eol::lf;
  if (eol == "crlf") out.eol = ConvertConfig::Eol::crlf;
  if (config.get("core.safecrlf").value_or("warn") != "warn") {
    out.safecrlf = config.get_bool("core.safecrlf", false) ? ConvertConfig::SafeCrlf::fail
                                                           : ConvertConfig::SafeCrlf::no;
  }
  if (const auto encodings = config.get("core.checkRoundtripEncoding")) {
    out.check_roundtrip_encoding = *encodings;
  }
  const auto driver = [&](const std::string& name) -> ConvertConfig::Driver& {
    for (ConvertConfig::Driver& known : out.drivers) {
      if (known.name == name) return known;
    }
    out.drivers.emplace_back().name = name;
    return out.drivers.back();
  };
  for (const Setting& setting : config.settings()) {
    const std::size_t dot = setting.key.rfind('.');
    if (!setting.key.starts_with("filter.") || dot <= 6) continue;
    const std::string_view key = std::string_view(setting.key).substr(dot + 1);
    const std::string value = setting.value.value_or(std::string());
    ConvertConfig::Driver& target = driver(setting.key.substr(7, dot - 7));
    if (key == "clean") target.clean = value;
    if (key == "smudge") target.smudge = value;
    if (key == "process") target.process = value;
    if (key == "required") target.required = parse_bool(setting.value).value_or(false);
  }
  return out;
}

}  // namespace wafers::git
