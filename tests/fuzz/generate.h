#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "scenario.h"

namespace wafers::fuzz {

struct GenerateOptions {
  std::size_t rounds = 4;
  bool moving = false;                    ///< a frozen base, whose checkout doesn't stand still
  std::string backend = {};               ///< leaves out what its overlay itself does wrong
  std::filesystem::path repository = {};  ///< the template of Git repositories, see Applier
};

/// The same scenario for the same seed and options. Tries each operation in `scratch`, an empty
/// directory, so that the next one finds what is there.
Scenario generate(std::uint64_t seed, const GenerateOptions& options,
                  const std::filesystem::path& scratch);

}  // namespace wafers::fuzz
