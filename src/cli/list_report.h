#pragma once

#include "cli/command.h"
#include "core/commands/list.h"

namespace wafers::cli {

/// What `ls` was asked for.
struct ListOptions {
  bool all = false;
  bool is_long = false;
  bool quiet = false;
};

/// Throws Error(usage).
ListOptions parse_list_options(const Command& command, const Arguments& arguments);

/// `ls --json`.
nlohmann::json list_to_json(const ListResult& list);

/// What is wrong with some of the wafers, as warnings.
void tell_of_trouble(const ListResult& list);

}  // namespace wafers::cli
