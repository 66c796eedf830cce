#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>

#include "common/error.hpp"
#include "common/nearest.hpp"
#include "runner/options.hpp"

namespace lockstep::runner {

static constexpr const char* version_text = "lockstep-train " LOCKSTEP_VERSION "\n";

static constexpr const char* examples =
    "Examples:\n"
    "  lockstep-train --data /usr/share/datasets/fashion-mnist\n"
    "  mpirun -np 4 lockstep-train --model mlp --layers 512,512 --data DIR --epochs 5 --batch-size 256\n"
    "  mpirun -np 2 lockstep-train --data DIR --checkpoint-every 100    and the same again, to go on after a stop\n"
    "  srun --mpi=pmix -n 8 lockstep-train --data DIR --optimizer adamw --lr 0.001 --schedule cosine\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 not found, 75 stopped early and resumable.";

static std::string range_and_unit(const OptionRow& row) {
  std::string text = row.unit;
  if (!row.range.empty()) text += (text.empty() ? "" : ", ") + row.range;
  return text.empty() ? "" : " [" + text + "]";
}

// Words that the parser left over: unknown options, or values that belong to none.
static std::vector<std::string> leftover_mistakes(const std::vector<std::string>& left) {
  std::vector<std::string> known;
  for (const OptionRow& row : option_table()) known.push_back("--" + row.name);
  known.insert(known.end(), {"--help", "--version", "--options-page"});
  std::vector<std::string> mistakes;
  for (const std::string& word : left) {
    if (!word.starts_with("-")) continue;
    const std::string name = word.substr(0, word.find('='));
    mistakes.push_back(fmt::format("unknown option {}{}", name, did_you_mean(name, known)));
  }
  if (mistakes.empty() && !left.empty()) mistakes.push_back(fmt::format("unexpected argument '{}'", left.front()));
  return mistakes;
}

static std::vector<std::string> contradictions(const Options& options) {
  std::vector<std::string> mistakes;
  const auto pair = [&](const char* one, const std::string& a, const char* other, const std::string& b) {
    if (a.empty() != b.empty()) mistakes.push_back(fmt::format("--{} and --{} go together", one, other));
  };
  pair("train-images", options.train_images, "train-labels", options.train_labels);
  pair("test-images", options.test_images, "test-labels", options.test_labels);
  if (options.report != "only" && options.data.empty() && options.train_images.empty() &&
      options.train_labels.empty()) {
    mistakes.emplace_back("no data: give --data DIR, or --train-images and --train-labels");
  }
  if (options.weight_histograms > 0 && options.tensorboard == "none") {
    mistakes.emplace_back("--weight-histograms are for TensorBoard, and --tensorboard none writes nothing for it");
  }
  if (options.lowest_rate > options.learning_rate) mistakes.emplace_back("--lr-end is above --lr");
  return mistakes;
}

static Error usage(const std::vector<std::string>& mistakes) {
  std::string text;
  for (const auto& each : mistakes) text += fmt::format("lockstep-train: {}\n", each);
  return bad_input("{}lockstep-train: see lockstep-train --help", text);
}

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CLI::App app("Trains a network on images, data parallel over MPI ranks.", "lockstep-train");
  app.allow_extras();
  app.footer(examples);
  app.get_formatter()->column_width(34);
  bool version = false;
  bool page = false;
  app.add_flag("--version", version, "print the version");
  app.add_flag("--options-page", page, "print docs/train-options.md");
  std::map<std::string, std::string> given;
  for (const OptionRow& row : option_table()) {
    auto* option = app.add_option("--" + row.name, given[row.name], row.help + range_and_unit(row));
    option->type_name(row.type);
    if (!row.default_text().empty()) option->default_str(row.default_text());
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
  } catch (const CLI::CallForHelp&) {
    return {app.help(), {}};
  } catch (const CLI::ParseError& error) {
    throw usage({error.what()});
  }
  if (version) return {version_text, {}};
  if (page) return {options_page(), {}};

  CommandLine result;
  std::vector<std::string> mistakes = leftover_mistakes(app.remaining());
  for (const OptionRow& row : option_table()) {
    if (app.count("--" + row.name) == 0) continue;
    if (const auto wrong = row.set(result.options, given[row.name])) {
      mistakes.push_back(fmt::format("--{}: {}", row.name, *wrong));
    }
  }
  if (mistakes.empty()) mistakes = contradictions(result.options);
  if (!mistakes.empty()) throw usage(mistakes);
  return result;
}

}  // namespace lockstep::runner
