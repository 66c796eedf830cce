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

constexpr std::array<const char*, 10> metric_names{"accuracy",
                                                   "epoch",
                                                   "grad_norm",
                                                   "learning_rate",
                                                   "loss",
                                                   "samples_per_s",
                                                   "system/cpu_utilization_percentage",
                                                   "system/memory_usage_megabytes",
                                                   "val_accuracy",
                                                   "val_loss"};

// Losses fall, accuracies rise, all of them shake.
double value_at(std::uint64_t seed, std::size_t metric, int step) {
  const double done = static_cast<double>(step) / points_of_a_metric;
  const double loss = 0.2 + chance(seed + 9) + 2 * std::exp(-5 * done);
  const double shake = 0.05 * (chance(seed * 1009 + metric * 101 + static_cast<std::uint64_t>(step)) - 0.5);
  const std::array<double, metric_names.size()> values{
      1 / (1 + loss) + shake, std::floor(10 * done), 1 + 3 * (1 - done) + shake,
      0.1 * (1 - done),       loss + shake,          8000 + 4000 * shake,
      90 + 99 * shake,        4000 + 99 * shake,     0.97 / (1 + loss) + shake,
      1.1 * loss + shake};
  return values.at(metric);
}

ImportedRun some_run(std::uint64_t seed, const std::string& name, const std::string& experiment_id) {
  ImportedRun made;
  Run& run = made.run.run;
  run.run_id = fmt::format("{:08x}{:024x}", static_cast<std::uint32_t>(chance(seed + 10) * 0xFFFFFFFFU), seed);
  run.experiment_id = experiment_id;
  run.display_name = name;
  run.user_id = one_of(people, seed + 11);
  run.reported = true;
  run.state = RunState::completed;
  run.created_ms = run.started_ms = first_start_ms + between_starts_ms * static_cast<std::int64_t>(seed);
  run.ended_ms = run.started_ms + step_ms * points_of_a_metric;
  made.run.params = params_of(seed);
  made.run.tags = tags_of(seed);
  made.run.tags.push_back({"mlflow.runName", name});
  made.run.tags.push_back({"mlflow.user", run.user_id});
  return made;
}
}  // namespace

void import_usual_run(Store& store, int number, const std::string& experiment_id, int points) {
  const auto seed = static_cast<std::uint64_t>(number);
  const ImportedRun run = some_run(seed, fmt::format("run-{}", number), experiment_id);
  std::size_t next = 0;
  store.import_run(run, [&](std::string& key, std::vector<Metric>& into) {
    if (next == metric_names.size()) return false;
    key = metric_names.at(next);
    into.clear();
    for (int step = points_of_a_metric - points; step < points_of_a_metric; ++step) {
      into.push_back({{}, value_at(seed, next, step), run.run.run.started_ms + step_ms * step, step});
    }
    ++next;
    return true;
  });
}

void import_wide_run(Store& store, int number, const std::string& experiment_id) {
  const ImportedRun run = some_run(static_cast<std::uint64_t>(number), "wide", experiment_id);
  int next = 0;
  store.import_run(run, [&](std::string& key, std::vector<Metric>& into) {
    const int i = next++;
    key = fmt::format("layer-{:03}/channel-{:03}/{}", i / 1000, i / 2 % 500, i % 2 == 0 ? "mean" : "norm");
    into.assign({{{}, chance(static_cast<std::uint64_t>(i)), run.run.run.started_ms, 1}});
    return i < keys_of_the_wide_run;
  });
}

void import_long_run(Store& store, int number, const std::string& experiment_id) {
  constexpr int points_of_a_piece = 100;
  const ImportedRun run = some_run(static_cast<std::uint64_t>(number), "long", experiment_id);
  int piece = 0;
  store.import_run(run, [&](std::string& key, std::vector<Metric>& into) {
    const bool is_loss = piece % 2 == 0;
    const int first = piece++ / 2 * points_of_a_piece;
    key = is_loss ? "loss" : "grad_norm";
    into.clear();
    for (int step = first; step < first + points_of_a_piece; ++step) {
      const double wave = std::sin(step * 1e-4) + 0.3 * chance(static_cast<std::uint64_t>(step));
      const double peak = step == points_of_the_long_curve / 2 + 17 ? 10 : 0;  // which the curve must show
      into.push_back({{}, is_loss ? wave + peak : 2 + wave, run.run.run.started_ms + step, step});
    }
    return first < points_of_the_long_curve;
  });
}

}  // namespace lockstep::history::large
