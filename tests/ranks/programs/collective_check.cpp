// Every rank checks what the collective gives it against sums that are exact in floats. Prints one line per mistake and
// leaves with 1, or with 0.
#include <fmt/format.h>

#include <bit>
#include <numeric>
#include <vector>

#include "runner/agreement.hpp"
#include "runner/collective/collective.hpp"

using lockstep::runner::Collective;

static int mistakes = 0;

static void expect(bool holds, const Collective& collective, const std::string& what) {
  if (holds) return;
  ++mistakes;
  fmt::print("rank {}: {}\n", collective.rank(), what);
}

// Integers below 2^24 / ranks: no rounding, whatever the order.
static float value(std::size_t i, int rank) {
  return static_cast<float>((i * 7 + static_cast<std::size_t>(rank) * 13) % 4096);
}

static std::vector<float> values_of(std::size_t count, int rank) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = value(i, rank);
  return values;
}

static bool is_sum(const std::vector<float>& values, int ranks) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    float want = 0;
    for (int rank = 0; rank < ranks; ++rank) want += value(i, rank);
    if (!(values[i] == want)) return false;
  }
  return true;
}

static void check_sums(Collective& all) {
  std::vector<std::vector<float>> started;
  for (const std::size_t count : {1, 31, 33, 1023, 65536, 1'000'007}) {
    auto values = values_of(count, all.rank());
    all.sum(std::span<float>(values));
    expect(is_sum(values, all.size()), all, fmt::format("sum of {} floats", count));
    started.push_back(values_of(count, all.rank()));
  }
  for (auto& values : started) {
    all.start_sum(values);
    all.progress();
  }
  all.wait_sums();
  for (const auto& values : started) {
    expect(is_sum(values, all.size()), all, fmt::format("started sum of {} floats", values.size()));
  }
}

static void check_small_ones(Collective& all) {
  std::vector<double> doubles = {1.0, 0.5 * all.rank()};
  all.sum(std::span<double>(doubles));
  expect(doubles[0] == all.size() && doubles[1] == 0.25 * all.size() * (all.size() - 1), all, "sum of doubles");
  std::vector<std::int64_t> integers = {all.rank(), -all.rank(), std::int64_t{1} << 60};
  all.max(integers);
  expect(integers == std::vector<std::int64_t>({all.size() - 1, 0, std::int64_t{1} << 60}), all, "maximum");
  for (int root = 0; root < all.size(); ++root) {
    std::vector<int> numbers(1000, all.rank() == root ? root + 42 : -1);
    all.broadcast(std::as_writable_bytes(std::span(numbers)), root);
    expect(numbers == std::vector<int>(1000, root + 42), all, fmt::format("broadcast from {}", root));
  }
  all.barrier();
}

// Rounding depends on the order of a sum: the same inputs must give the same bits, again and on every rank.
static void check_bits(Collective& all) {
  const auto inputs = [&] {
    std::vector<float> values(100'003);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = 1.0F / static_cast<float>(i + 3 + 17 * static_cast<std::size_t>(all.rank()));
    return values;
  };
  auto once = inputs();
  auto again = inputs();
  all.sum(std::span<float>(once));
  all.sum(std::span<float>(again));
  expect(once == again, all, "two equal sums differ");
  lockstep::runner::check_same_everywhere(all, once, "sums");
}

// ((0+1)+(2+3))+..., from the values themselves.
template <class T>
static T by_tree(const std::vector<std::vector<T>>& inputs, std::size_t at, std::size_t first, std::size_t count) {
  if (count == 1) return inputs[first][at];
  return by_tree(inputs, at, first, count / 2) + by_tree(inputs, at, first + count / 2, count / 2);
}

template <class T>
static std::size_t wrong_sums(const std::vector<std::vector<T>>& inputs, const std::vector<T>& sums) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) wrong += sums[i] == by_tree(inputs, i, 0, inputs.size()) ? 0 : 1;
  return wrong;
}

// What rounds differently in another order.
template <class T>
static std::vector<std::vector<T>> inputs_of(std::size_t ranks, std::size_t count) {
  std::vector<std::vector<T>> inputs(ranks, std::vector<T>(count));
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    for (std::size_t i = 0; i < count; ++i) inputs[rank][i] = T{1} / static_cast<T>(3 * i + 7 * rank + 1);
  }
  return inputs;
}

// On a power of two of ranks the order is a promise.
static void check_tree(Collective& all) {
  const auto ranks = static_cast<std::size_t>(all.size());
  const auto rank = static_cast<std::size_t>(all.rank());
  if (!std::has_single_bit(ranks)) return;
  for (const std::size_t count : {1, 7, 511, 512, 513, 70'001}) {
    const auto floats = inputs_of<float>(ranks, count);
    const auto doubles = inputs_of<double>(ranks, count);
    auto started = floats[rank];
    auto waited = floats[rank];
    auto wide = doubles[rank];
    all.start_sum(started);
    all.sum(std::span<float>(waited));
    all.sum(std::span<double>(wide));
    all.wait_sums();
    expect(wrong_sums(floats, started) == 0, all, fmt::format("the tree of {} floats, started", count));
    expect(wrong_sums(floats, waited) == 0, all, fmt::format("the tree of {} floats", count));
    expect(wrong_sums(doubles, wide) == 0, all, fmt::format("the tree of {} doubles", count));
  }
}

static void check_agreement(Collective& all) {
  using lockstep::runner::AgreedError;
  const int failing = all.size() - 1;
  try {
    lockstep::runner::agreed(all, [&] {
      if (all.rank() == failing) throw lockstep::not_found("no such file");
      return true;
    });
    expect(false, all, "an error of one rank was not agreed on");
  } catch (const AgreedError& error) {
    expect(error.code() == lockstep::ExitCode::not_found, all, "the code of the failing rank");
    expect(error.speaks() == (all.rank() == failing), all, "who speaks");
  }
  if (all.size() == 1) return;
  const std::vector<float> drifted(10, all.rank() == failing ? 1.0F : 2.0F);
  try {
    lockstep::runner::check_same_everywhere(all, drifted, "parameters");
    expect(false, all, "a rank drifted unnoticed");
  } catch (const AgreedError& error) {
    const std::string wanted = fmt::format("the parameters of rank {} differ from rank 0's", failing);
    expect(std::string(error.what()).starts_with(wanted), all, error.what());
  }
}

int main() {
  const auto all = lockstep::runner::make_collective();
  check_sums(*all);
  check_small_ones(*all);
  check_bits(*all);
  check_tree(*all);
  check_agreement(*all);
  if (all->rank() == 0) fmt::print("{} ranks checked\n", all->size());
  return mistakes == 0 ? 0 : 1;
}
