#include "minimise.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace wafers::fuzz {
namespace {

class Minimiser {
 public:
  Minimiser(Scenario scenario, const std::function<bool(const Scenario&)>& fails, int budget)
      : best_(std::move(scenario)), fails_(fails), budget_(budget) {}

  Scenario make() {
    while (!best_.rounds.empty() && drop_last_round()) {
    }
    for (bool smaller = true; smaller && budget_ > 0;) {
      smaller = false;
      smaller |= shorten([](Scenario & s) -> auto& { return s.rounds; });
      smaller |= shorten([](Scenario & s) -> auto& { return s.base; });
      smaller |= shorten([](Scenario & s) -> auto& { return s.near; });
      for (std::size_t i = 0; i < best_.rounds.size(); ++i) smaller |= shorten_round(i);
    }
    return std::move(best_);
  }

 private:
  bool accept(Scenario smaller) {
    if (budget_ <= 0) return false;
    --budget_;
    if (!fails_(smaller)) return false;
    best_ = std::move(smaller);
    return true;
  }

  bool drop_last_round() {
    Scenario smaller = best_;
    smaller.rounds.pop_back();
    return accept(std::move(smaller));
  }

  /// Leaves out stretches of a list: half of it, then ever smaller ones.
  template <typename List>
  bool shorten(const List& list) {
    bool any = false;
    for (std::size_t length = std::max<std::size_t>(list(best_).size() / 2, 1); length > 0;
         length /= 2) {
      for (std::size_t at = 0; at < list(best_).size();) {
        Scenario smaller = best_;
        auto& elements = list(smaller);
        const auto first = elements.begin() + static_cast<std::ptrdiff_t>(at);
        const auto count = std::min(length, elements.size() - at);
        elements.erase(first, first + static_cast<std::ptrdiff_t>(count));
        if (accept(std::move(smaller))) {
          any = true;
        } else {
          at += length;
        }
      }
    }
    return any;
  }

  bool shorten_round(std::size_t i) {
    bool any = shorten([i](Scenario & s) -> auto& { return s.rounds[i].moves; });
    any |= shorten([i](Scenario & s) -> auto& { return s.rounds[i].operations; });
    any |= shorten([i](Scenario & s) -> auto& { return s.rounds[i].paths; });
    const Round plain{};
    Scenario smaller = best_;
    if (best_.rounds[i].before != plain.before) {
      smaller.rounds[i].before = plain.before;
      any |= accept(smaller);
    }
    for (bool Round::*flag : {&Round::inside, &Round::patch}) {
      if (!(best_.rounds[i].*flag)) continue;
      smaller = best_;
      smaller.rounds[i].*flag = false;
      any |= accept(smaller);
    }
    return any;
  }

  Scenario best_;
  const std::function<bool(const Scenario&)>& fails_;
  int budget_;
};

}  // namespace

Scenario minimise(Scenario scenario, const std::function<bool(const Scenario&)>& fails,
                  int budget) {
  return Minimiser(std::move(scenario), fails, budget).make();
}

}  // namespace wafers::fuzz
