#pragma once

#include <string>
#include <vector>

#include "random.h"

namespace wafers::fuzz {

/// The words of one scenario: few, so that rules match names and operations meet the same files.
class Vocabulary {
 public:
  /// `overlay_names`: whether `.wh.x` is a name like others.
  Vocabulary(Random& random, bool overlay_names);

  std::string name();  ///< of a file
  std::string directory_name();
  std::string content(const std::string& path);
  std::string line();  ///< a piece of content
  std::string ignore_rules(const std::vector<std::string>& paths);
  /// `at_top`: macros can be defined there only.
  std::string attributes(const std::vector<std::string>& paths, bool at_top);
  std::string link_target(const std::vector<std::string>& paths);

 private:
  std::string ignore_rule(const std::vector<std::string>& paths);
  std::string attribute_rule(const std::vector<std::string>& paths, bool at_top);
  std::string glob();

  Random& random_;
  std::vector<std::string> stems_;
  std::vector<std::string> directories_;
  std::vector<std::string> odd_;
};

}  // namespace wafers::fuzz
