#pragma once

#include <optional>
#include <string>

#include "cli/parser.h"
#include "core/commands/add_names.h"

namespace wafers::cli {

/// The options that say what a new wafer is: of `add` and of `run`.
class AddOptions {
 public:
  /// Declares them; `this` must live until they are parsed.
  void declare(Parser& parser);

  /// What they ask for, without a name. Throws Error(usage).
  AddRequest request(const Parser& parser) const;

 private:
  AddRequest request_;
  std::optional<std::string> from_;
  std::optional<std::string> backend_;
  bool frozen_ = false;
  bool live_ = false;
};

}  // namespace wafers::cli
