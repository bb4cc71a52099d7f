#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "git/text/ignore.h"

namespace wafers::git {

/// Value of one attribute: gitattributes(5). "Unspecified" is the absence of a value.
struct AttributeValue {
  enum class State { set, unset, value } state = State::set;
  std::string text;  ///< for State::value

  bool operator==(const AttributeValue&) const = default;
};

using Attributes = std::map<std::string, AttributeValue, std::less<>>;

/// The attributes in force in one directory, as gitattributes(5) and git's attr.c have them:
/// info/attributes first, then the directory's own file, then those above, then
/// core.attributesFile. Macros are known from the root's file, info/attributes and
/// core.attributesFile; `binary` is built in. Used like IgnoreScope, and reads no file either.
/// Git also has a system-wide file, weaker than core.attributesFile: put its content before that of
/// `attributes_file`, on lines of its own.
///
/// Not by libgit2: 1.5.1 judged 3 of 5,139 random paths otherwise than git, and reads files itself
/// instead of the view's.
class AttributeScope {
 public:
  static std::shared_ptr<const AttributeScope> root(std::string_view attributes_file,
                                                    std::string_view info_attributes,
                                                    std::string_view gitattributes,
                                                    LetterCase letters);
  static std::shared_ptr<const AttributeScope> child(
      const std::shared_ptr<const AttributeScope>& parent, std::string_view name,
      std::string_view gitattributes);

  /// All attributes of the file `name` in this directory (git never asks for a directory's).
  Attributes of_file(std::string_view name) const;

  /// Whether no rule exists at all, so that every of_file() is empty.
  bool empty() const noexcept;

  struct Data;  ///< defined in attributes.cpp
 private:
  AttributeScope() = default;
  std::shared_ptr<const AttributeScope> parent_;
  std::shared_ptr<const Data> data_;
};

}  // namespace wafers::git
