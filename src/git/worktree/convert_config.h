#pragma once

#include <string>
#include <vector>

namespace wafers::git {

class Repository;  // git/repository/repository.h

/// What the configuration says about conversion (git-config(1): core.autocrlf, core.eol,
/// core.safecrlf, filter.*).
struct ConvertConfig {
  enum class AutoCrlf { no, yes, input } autocrlf = AutoCrlf::no;
  enum class Eol { native, lf, crlf } eol = Eol::native;
  enum class SafeCrlf { no, warn, fail } safecrlf = SafeCrlf::warn;
  struct Driver {
    std::string name, clean, smudge, process;
    bool required = false;
  };
  std::vector<Driver> drivers;
  /// core.checkRoundtripEncoding: encodings, separated by commas or blanks, whose conversion is
  /// checked by converting back.
  std::string check_roundtrip_encoding = "SHIFT-JIS";
};

/// By its configuration.
ConvertConfig convert_config(const Repository& repository);

}  // namespace wafers::git
