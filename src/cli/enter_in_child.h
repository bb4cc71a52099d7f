#pragma once

#include <string>

#include "cli/parser.h"
#include "core/state/store.h"

namespace wafers::cli {

/// As `exec` of the command behind "--": returns only with the exit status for what went wrong,
/// which has been told then.
int enter_in_child(const Store& store, const std::string& name, const Arguments& arguments);

}  // namespace wafers::cli
