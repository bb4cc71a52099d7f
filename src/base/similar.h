#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wafers {

/// How many letters must be added, left out, changed or swapped with their neighbour to make `b` of
/// `a`, no letter twice (the optimal string alignment distance). In bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Those of `candidates` that `word` may be a mistyping of, as they are given: each as few letters
/// away as any other, and no more than a third of the word's. Empty where none is.
std::vector<std::string> similar_to(std::string_view word,
                                    const std::vector<std::string>& candidates);

/// `hint` behind "did you mean 'a' or 'b'?", of at most three of `words`; alone where there are
/// none.
std::string did_you_mean(const std::vector<std::string>& words, const std::string& hint);

}  // namespace wafers
