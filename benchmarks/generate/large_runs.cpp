#include <fmt/format.h>

#include <array>
#include <cmath>

#include "benchmarks/generate/large_history.hpp"

namespace lockstep::history::large {

namespace {
constexpr std::int64_t first_start_ms = 1'735'689'600'000;  // 2025-01-01
constexpr std::int64_t between_starts_ms = 60'000;
constexpr std::int64_t step_ms = 5'000;

// splitmix64 (Steele et al., 2014): a number between 0 and 1 that looks like chance and is the same every time.
double chance(std::uint64_t seed) {
  std::uint64_t z = seed * 0x9E3779B97F4A7C15U + 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1.0p-53;
}

template <std::size_t Count>
std::string one_of(const std::array<const char*, Count>& words, std::uint64_t seed) {
  return words.at(static_cast<std::size_t>(chance(seed) * Count));
}

constexpr std::array<const char*, 10> rates{"0.1",   "0.05",  "0.02",   "0.01",   "0.005",
                                            "0.002", "0.001", "0.0005", "0.0002", "0.0001"};
constexpr std::array<const char*, 3> optimizers{"sgd", "adam", "lion"};
constexpr std::array<const char*, 4> sizes{"32", "64", "128", "256"};
constexpr std::array<const char*, 6> people{"ada", "emmy", "grace", "kurt", "noether", "sofia"};

std::vector<KeyValue> params_of(std::uint64_t seed) {
  return {{"batch_size", one_of(sizes, seed + 1)},
          {"dropout", fmt::format("{:.2f}", 0.5 * chance(seed + 2))},
          {"epochs", "10"},
          {"layers", fmt::format("{}", 2 + static_cast<int>(8 * chance(seed + 3)))},
          {"learning_rate", one_of(rates, seed + 4)},
          {"momentum", "0.9"},
          {"optimizer", one_of(optimizers, seed + 5)},
          {"seed", fmt::format("{}", seed % 1'000'003)},
          {"warmup_steps", fmt::format("{}", 100 * static_cast<int>(10 * chance(seed + 6)))},
          {"weight_decay", fmt::format("{:.0e}", std::pow(10, -2 - std::floor(4 * chance(seed + 7))))}};
}

std::vector<KeyValue> tags_of(std::uint64_t seed) {
  return {{"mlflow.source.name", "train.py"},
          {"mlflow.source.type", "LOCAL"},
          {"mlflow.source.git.commit", fmt::format("{:040x}", seed * 0x9E3779B97F4A7C15U)},
          {"dataset", "fashion-mnist"},
          {"host", fmt::format("node-{}", seed % 16)},
          {"note", fmt::format("attempt {}", seed % 97)},
          {"release", chance(seed + 8) < 0.02 ? "candidate" : "none"},
          {"team", seed % 3 == 0 ? "vision" : "speech"}};
}

// Ten metrics at a step of `of`: losses fall, accuracies rise, all of them shake.
void log_step(std::vector<Metric>& into, std::uint64_t seed, int step, int of, std::int64_t start_ms) {
  const double done = static_cast<double>(step) / of;
  const double final_loss = 0.2 + chance(seed + 9);
  const auto shake = [&](std::uint64_t which) { return 0.05 * (chance(seed * 1009 + which * 101 + step) - 0.5); };
  const double loss = final_loss + 2 * std::exp(-5 * done);
  const std::array<std::pair<const char*, double>, 10> values{
      {{"accuracy", 1 / (1 + loss) + shake(0)},
       {"epoch", std::floor(10 * done)},
       {"grad_norm", 1 + 3 * (1 - done) + shake(1)},
       {"learning_rate", 0.1 * (1 - done)},
       {"loss", loss + shake(2)},
       {"samples_per_s", 8000 + 4000 * shake(3)},
       {"system/cpu_utilization_percentage", 90 + 99 * shake(4)},
       {"system/memory_usage_megabytes", 4000 + 99 * shake(5)},
       {"val_accuracy", 0.97 / (1 + loss) + shake(6)},
       {"val_loss", 1.1 * loss + shake(7)}}};
  for (const auto& [key, value] : values) into.push_back({key, value, start_ms + step_ms * step, step});
}

Made some_run(std::uint64_t seed, const std::string& name, const std::string& experiment_id) {
  Made made;
  made.run.run_id = fmt::format("{:08x}{:024x}", static_cast<std::uint32_t>(chance(seed + 10) * 0xFFFFFFFFU), seed);
  made.run.experiment_id = experiment_id;
  made.run.display_name = name;
  made.run.user_id = one_of(people, seed + 11);
  made.run.reported_since_ms = first_start_ms + between_starts_ms * static_cast<std::int64_t>(seed);
  made.run.params = params_of(seed);
  made.run.tags = tags_of(seed);
  made.ended_ms = *made.run.reported_since_ms + step_ms * points_of_a_metric;
  return made;
}

// The newest of all.
constexpr std::uint64_t after_all = experiments * runs_of_an_experiment + runs_of_the_sweep;
}  // namespace

Made usual_run(int number, const std::string& experiment_id, int points) {
  const auto seed = static_cast<std::uint64_t>(number);
  Made made = some_run(seed, fmt::format("run-{}", number), experiment_id);
  made.metrics.reserve(10 * static_cast<std::size_t>(points));
  for (int step = points_of_a_metric - points; step < points_of_a_metric; ++step) {
    log_step(made.metrics, seed, step, points_of_a_metric, *made.run.reported_since_ms);
  }
  return made;
}

Made wide_run(const std::string& experiment_id) {
  Made made = some_run(after_all, "wide", experiment_id);
  for (int i = 0; i < keys_of_the_wide_run; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    made.metrics.push_back(
        {fmt::format("layer-{:03}/channel-{:03}/{}", i / 1000, i / 2 % 500, i % 2 == 0 ? "mean" : "norm"), chance(seed),
         *made.run.reported_since_ms, 1});
  }
  return made;
}

Made long_run(const std::string& experiment_id) { return some_run(after_all + 1, "long", experiment_id); }

std::vector<Metric> points_of_long_run(int first, int count) {
  std::vector<Metric> points;
  const std::int64_t start_ms = first_start_ms + between_starts_ms * static_cast<std::int64_t>(after_all + 1);
  for (int step = first; step < first + count; ++step) {
    const double wave = std::sin(step * 1e-4) + 0.3 * chance(static_cast<std::uint64_t>(step));
    const double peak = step == points_of_the_long_curve / 2 + 17 ? 10 : 0;  // which the curve must show
    points.push_back({"loss", wave + peak, start_ms + step, step});
    points.push_back({"grad_norm", 2 + wave, start_ms + step, step});
  }
  return points;
}

}  // namespace lockstep::history::large
