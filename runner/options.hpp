// What lockstep-train can be told. One table: the parser, --help, docs/train-options.md and the run's parameters come
// from it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::runner {

struct Options {
  std::string model = "cnn";
  std::vector<int> layers;  // empty: the model's own default
  int dense = 128;
  double dropout = 0;

  std::string data;
  std::string train_images, train_labels, test_images, test_labels;
  int classes = 0;
  double validation_split = 0;

  int epochs = 5;
  std::int64_t max_steps = 0;
  std::int64_t batch_size = 256;
  std::string optimizer = "sgd";
  double learning_rate = 0.05;
  double momentum = 0.9;
  double beta2 = 0.999;
  double weight_decay = 0;
  double clip_norm = 0;
  std::string schedule = "constant";
  std::int64_t warmup_steps = 0;
  double lowest_rate = 0;
  std::int64_t decay_every = 1000;
  double decay_factor = 0.1;
  std::uint64_t seed = 1;

  std::int64_t checkpoint_every = 0;
  std::string checkpoint_dir;
  int keep_checkpoints = 3;
  std::string resume = "auto";
  std::string output;

  std::int64_t log_every = 10;
  std::string journal;
  std::string tensorboard;
  std::string report = "auto";
  double report_wait_s = 30;
  std::int64_t weight_histograms = 0;

  std::string device = "auto";
  std::string isa = "native";
  std::string convolutions = "direct";
  std::string precision = "f32";
  std::string gradient_precision = "f32";
  std::string overlap = "auto";
  std::string shard_optimizer = "off";
  std::string cuda_graph = "off";
  int blocks = 4;
  double collective_warn_s = 30;
  double collective_timeout_s = 600;
};

struct OptionRow {
  std::string name;  // as on the command line, without the dashes
  std::string type;  // INT, FLOAT, TEXT, PATH, INTS, or the choices a|b|c
  std::string unit;  // "" where there is none
  std::string help;
  std::string range;  // what the check allows, for people; "" where anything goes
  // Reads and checks a value. Returns what is wrong with it, or nothing.
  std::function<std::optional<std::string>(Options&, const std::string&)> set;
  std::function<std::string(const Options&)> get;  // as it would be written on the command line

  std::string default_text() const { return get(Options{}); }
};

const std::vector<OptionRow>& option_table();

// What a command line asks for: text to print (--help, --version, --options-page), or a training.
struct CommandLine {
  std::optional<std::string> print;
  Options options;
};

// Throws bad_input with every mistake, one a line: unknown options (and the nearest known one), values that are
// missing, malformed or out of range, options given twice.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

std::string options_page();  // docs/train-options.md

// Every option with its value: the parameters of the run.
std::vector<std::pair<std::string, std::string>> as_parameters(const Options& options);

}  // namespace lockstep::runner
