// The rows. A default is the value that Options{} has; a row only says how to read, check and explain it.
#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "runner/options.hpp"

namespace lockstep::runner {

namespace {
template <class T>
std::optional<T> parse_number(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T>
OptionRow number(std::string name, T Options::*member, T low, T high, std::string unit, std::string help) {
  constexpr bool whole = std::is_integral_v<T>;
  const std::string range =
      high == std::numeric_limits<T>::max() ? fmt::format("at least {}", low) : fmt::format("{} to {}", low, high);
  auto set = [=](Options& options, const std::string& text) -> std::optional<std::string> {
    const auto value = parse_number<T>(text);
    if (!value) return fmt::format("'{}' is not a {}number", text, whole ? "whole " : "");
    if (!(*value >= low && *value <= high)) return fmt::format("{} is out of range ({})", text, range);
    options.*member = *value;
    return std::nullopt;
  };
  auto get = [=](const Options& options) { return fmt::format("{}", options.*member); };
  return {std::move(name), whole ? "INT" : "FLOAT", std::move(unit), std::move(help), range, set, get};
}

OptionRow power_of_two(std::string name, int Options::*member, int high, std::string unit, std::string help) {
  OptionRow row = number(std::move(name), member, 1, high, std::move(unit), std::move(help));
  row.range = fmt::format("a power of two up to {}", high);
  row.set = [=, in_range = row.set](Options& options, const std::string& text) -> std::optional<std::string> {
    if (auto problem = in_range(options, text)) return problem;
    if (std::has_single_bit(static_cast<unsigned>(options.*member))) return std::nullopt;
    return fmt::format("{} is no power of two", text);
  };
  return row;
}

OptionRow choice(std::string name, std::string Options::*member, std::vector<std::string> choices, std::string help) {
  const std::string all = fmt::format("{}", fmt::join(choices, "|"));
  auto set = [=](Options& options, const std::string& text) -> std::optional<std::string> {
    for (const auto& each : choices) {
      if (each == text) {
        options.*member = text;
        return std::nullopt;
      }
    }
    return fmt::format("'{}' is none of {}", text, all);
  };
  auto get = [=](const Options& options) { return options.*member; };
  return {std::move(name), all, "", std::move(help), "", set, get};
}

OptionRow text(std::string name, std::string Options::*member, std::string type, std::string help) {
  auto set = [=](Options& options, const std::string& value) -> std::optional<std::string> {
    if (value.empty()) return "an empty value";
    options.*member = value;
    return std::nullopt;
  };
  auto get = [=](const Options& options) { return options.*member; };
  return {std::move(name), std::move(type), "", std::move(help), "", set, get};
}

OptionRow sizes(std::string name, std::vector<int> Options::*member, std::string help) {
  constexpr int largest = 1 << 20;
  constexpr std::size_t most = 64;
  const std::string range = fmt::format("up to {} sizes of 1 to {}", most, largest);
  auto set = [=](Options& options, const std::string& value) -> std::optional<std::string> {
    std::vector<int> all;
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t comma = std::min(value.find(',', begin), value.size());
      const auto size = parse_number<int>(value.substr(begin, comma - begin));
      if (!size || *size < 1 || *size > largest) {
        return fmt::format("'{}' is not a list of sizes such as 512,512 ({})", value, range);
      }
      all.push_back(*size);
      begin = comma + 1;
    }
    if (all.size() > most) return fmt::format("{} sizes are too many ({})", all.size(), range);
    options.*member = all;
    return std::nullopt;
  };
  auto get = [=](const Options& options) { return fmt::format("{}", fmt::join(options.*member, ",")); };
  return {std::move(name), "INTS", "", std::move(help), range, set, get};
}

std::vector<OptionRow> make_table() {
  constexpr auto many = std::numeric_limits<std::int64_t>::max();
  using O = Options;
  std::vector<OptionRow> rows;
  const auto add = [&](OptionRow row) { rows.push_back(std::move(row)); };
  add(choice("model", &O::model, {"mlp", "cnn"}, "the network"));
  add(sizes("layers", &O::layers,
            "mlp: hidden sizes (empty: 512,512); cnn: channels of its 3x3 convolutions (empty: 32,64)"));
  add(number("dense", &O::dense, 1, 1 << 20, "units", "cnn: size of the dense layer after the convolutions"));
  add(number("dropout", &O::dropout, 0.0, 0.95, "", "share of units dropped after each hidden dense layer"));

  add(text("data", &O::data, "PATH",
           "folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-... as MNIST has them, plain or .gz"));
  add(text("train-images", &O::train_images, "PATH", "IDX file of training images, instead of --data's"));
  add(text("train-labels", &O::train_labels, "PATH", "IDX file of training labels"));
  add(text("test-images", &O::test_images, "PATH", "IDX file of test images"));
  add(text("test-labels", &O::test_labels, "PATH", "IDX file of test labels"));
  add(number("classes", &O::classes, 0, 256, "classes", "number of classes; 0: the largest training label + 1"));
  add(number("validation-split", &O::validation_split, 0.0, 0.9, "",
             "share of the training images (the last ones) kept for validation; 0: validate on the test images"));

  add(number("epochs", &O::epochs, 1, 1'000'000, "epochs", "times that every training image is seen"));
  add(number("max-steps", &O::max_steps, std::int64_t{0}, many, "steps",
             "end after so many steps of all epochs; schedules still span --epochs; 0: no limit"));
  add(number("batch-size", &O::batch_size, std::int64_t{1}, std::int64_t{1} << 24, "images",
             "global batch: images per step over all ranks"));
  add(choice("optimizer", &O::optimizer, {"sgd", "adamw"}, "how gradients change the parameters"));
  add(number("lr", &O::learning_rate, 0.0, 1000.0, "", "peak learning rate"));
  add(number("momentum", &O::momentum, 0.0, 0.999999, "", "sgd: momentum; adamw: beta1"));
  add(number("beta2", &O::beta2, 0.0, 0.999999, "", "adamw: decay of the second moment"));
  add(number("weight-decay", &O::weight_decay, 0.0, 10.0, "",
             "sgd: added to the gradient; adamw: decoupled; weights only, not biases"));
  add(number("clip-norm", &O::clip_norm, 0.0, 1e9, "",
             "gradients are scaled down to this global norm where theirs is larger; 0: never"));
  add(choice("schedule", &O::schedule, {"constant", "cosine", "step"}, "learning rate after the warm-up"));
  add(number("warmup-steps", &O::warmup_steps, std::int64_t{0}, many, "steps", "linear rise to --lr"));
  add(number("lr-end", &O::lowest_rate, 0.0, 1000.0, "", "cosine: the learning rate at the end"));
  add(number("decay-every", &O::decay_every, std::int64_t{1}, many, "steps", "step: steps between two decays"));
  add(number("decay-factor", &O::decay_factor, 0.0, 1.0, "", "step: factor of each decay"));
  add(number("seed", &O::seed, std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(), "",
             "of the initial parameters, the order of the data and dropout"));

  add(number("checkpoint-every", &O::checkpoint_every, std::int64_t{0}, many, "steps",
             "save every so many steps; 0: only on SIGUSR1 (save, go on) and SIGTERM (save, leave with exit code 75)"));
  add(text("checkpoint-dir", &O::checkpoint_dir, "PATH",
           "where checkpoints lie (empty: $LOCKSTEP_RUN_DIR/checkpoints, without a launcher ./checkpoints)"));
  add(number("keep-checkpoints", &O::keep_checkpoints, 1, 1'000'000, "checkpoints", "older ones are removed"));
  add(text("resume", &O::resume, "TEXT",
           "auto: go on from the newest complete checkpoint in --checkpoint-dir, if there is one; none: start anew; "
           "or the path of a checkpoint"));
  add(text("output", &O::output, "PATH",
           "folder for the trained model (empty: $LOCKSTEP_RUN_DIR/outputs/model, without a launcher none)"));

  add(number("log-every", &O::log_every, std::int64_t{1}, many, "steps", "how often metrics are recorded"));
  add(text("journal", &O::journal, "PATH",
           "folder for the metrics (empty: the run's; without a launcher ./lockstep-train-metrics)"));
  add(text(
      "tensorboard", &O::tensorboard, "PATH",
      "folder for TensorBoard's event files (empty: $LOCKSTEP_RUN_DIR/tensorboard, without a launcher tensorboard/ "
      "in --journal's folder); none: there are none"));
  add(choice("report", &O::report, {"auto", "none", "only"},
             "auto: metrics also go to the server at $MLFLOW_TRACKING_URI, if that is an http(s) address and not the "
             "launcher's own; none: they stay here; only: send what --journal's folder has left, and train nothing"));
  add(number("report-wait", &O::report_wait_s, 0.0, 1e6, "seconds",
             "how long the end waits for that server to take what is left; the journal keeps the rest"));
  add(number("weight-histograms", &O::weight_histograms, std::int64_t{0}, many, "steps",
             "a histogram of each layer's parameters for TensorBoard every so many steps; 0: none"));

  add(choice("device", &O::device, {"auto", "cpu", "cuda"},
             "what computes; auto: a GPU for each rank where there are some, else the CPU"));
  add(choice(
      "isa", &O::isa, {"sse41", "avx", "avx2", "avx512_core", "native"},
      "CPUs: the most that their kernels use of the instruction set, by oneDNN's names; native: all; all ranks use "
      "the highest that each of them may, recorded as isa_used"));
  add(choice(
      "convolutions", &O::convolutions, {"direct", "winograd"},
      "CPUs: winograd: with avx512_core and 16 channels or more fewer products, but sums whose order depends on the "
      "sizes of the CPU's caches"));
  add(choice("precision", &O::precision, {"f32", "tf32", "bf16"},
             "GPUs: what is computed in; tf32: matrix products multiply float32 rounded to 10 bits of mantissa, for "
             "tensor cores; bf16: activations, weights and gradients are bfloat16, sums, parameters and the optimizer "
             "float32"));
  add(choice("gradient-precision", &O::gradient_precision, {"f32", "bf16"},
             "GPUs: how gradients travel between ranks; bf16: half the bytes, each sum rounded to 8 bits of mantissa"));
  add(power_of_two("blocks", &O::blocks, 1024, "blocks",
                   "gradients are summed over so many blocks of each batch, in a fixed order: the same bits on any "
                   "power of two of ranks up to it"));
  add(choice("overlap", &O::overlap, {"auto", "on", "off"},
             "add gradients up during the backward pass; auto: when ranks are on several machines"));
  add(choice(
      "shard-optimizer", &O::shard_optimizer, {"off", "on"},
      "GPUs: each rank keeps the optimizer's state of its own part of the parameters, and updates that part (ZeRO "
      "stage 1); for a number of ranks that divides 16"));
  add(choice("cuda-graph", &O::cuda_graph, {"off", "on"},
             "GPUs: record a step's work once and give it to the GPU in one call from then on: for small models, whose "
             "steps take longer to start than to compute"));
  add(number("collective-warn", &O::collective_warn_s, 0.1, 1e6, "seconds",
             "GPUs: name a sum over ranks that takes longer, and the ranks that it waits for"));
  add(number("collective-timeout", &O::collective_timeout_s, 0.1, 1e6, "seconds",
             "GPUs: end the job when a sum over ranks takes longer"));
  return rows;
}
}  // namespace

const std::vector<OptionRow>& option_table() {
  static const std::vector<OptionRow> table = make_table();
  return table;
}

std::vector<std::pair<std::string, std::string>> as_parameters(const Options& options) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const OptionRow& row : option_table()) all.emplace_back(row.name, row.get(options));
  return all;
}

}  // namespace lockstep::runner
