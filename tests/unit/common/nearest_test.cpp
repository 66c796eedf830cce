#include "common/nearest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace lockstep {
namespace {

// The textbook recursion, as an independent reference for the table.
std::size_t by_recursion(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.size() + b.size();
  const std::size_t change = a.back() == b.back() ? 0 : 1;
  const auto without = [](std::string_view s, std::size_t n) { return s.substr(0, s.size() - n); };
  std::size_t best = std::min({by_recursion(without(a, 1), b) + 1, by_recursion(a, without(b, 1)) + 1,
                               by_recursion(without(a, 1), without(b, 1)) + change});
  if (a.size() > 1 && b.size() > 1 && a.back() == b[b.size() - 2] && a[a.size() - 2] == b.back()) {
    best = std::min(best, by_recursion(without(a, 2), without(b, 2)) + 1);
  }
  return best;
}

TEST(EditDistance, AgreesWithTheRecursionOnRandomWords) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string a, b;
    for (auto* word : {&a, &b}) {
      for (std::size_t n = random() % 6; n > 0; --n) *word += static_cast<char>('a' + random() % 3);
    }
    EXPECT_EQ(edit_distance(a, b), by_recursion(a, b)) << a << " " << b;
  }
}

TEST(DidYouMean, NamesASlipAndNothingElse) {
  const std::vector<std::string> known{"process_count_per_instance", "type", "command"};
  EXPECT_EQ(did_you_mean("proces_count_per_instance", known), "; did you mean 'process_count_per_instance'?");
  EXPECT_EQ(did_you_mean("Command", known), "; did you mean 'command'?");
  EXPECT_EQ(did_you_mean("tpye", known), "; did you mean 'type'?");
  EXPECT_EQ(did_you_mean("zebra", known), "");
  EXPECT_EQ(did_you_mean(std::string(100'000, 'x'), known), "");
}

}  // namespace
}  // namespace lockstep
