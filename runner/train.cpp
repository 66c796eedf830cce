// From options to a trained model: load, build, resume, loop, judge, keep.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/clock.hpp"
#include "common/process_file.hpp"
#include "history/sink/metric_names.hpp"
#include "runner/agreement.hpp"
#include "runner/checkpoint/tensors.hpp"
#include "runner/choose_device.hpp"
#include "runner/places.hpp"
#include "runner/program.hpp"
#include "runner/reporting.hpp"
#include "runner/stop_signals.hpp"
#include "runner/trainer.hpp"

namespace lockstep::runner {

// Nobody is there to sum with on one rank.
static Sums make_sums(const Options& options, Collective& collective, kernels::Device& device,
                      const MakeGpuSums& make_gpu_sums) {
  if (collective.size() == 1) return {};
  if (device.memory_is_the_hosts())
    return {make_host_sums(collective, overlap_of(options, collective, device)), nullptr};
  std::unique_ptr<ShardedSums> sums = make_gpu_sums(options, collective, device);
  ShardedSums* const sharded = options.shard_optimizer == "on" ? sums.get() : nullptr;
  return {std::move(sums), sharded};
}

// Of the arenas, what this rank's optimizer looks after.
static ArenaPart part_of(const Options& options, Collective& collective, Model& model) {
  const ArenaPart all = whole(model);
  if (options.shard_optimizer == "off" || collective.size() == 1) return all;
  const auto ranks = static_cast<std::size_t>(collective.size());
  const char* const reason = model.device().memory_is_the_hosts() ? "optimizers are spread over GPUs only"
                             : all.size() % ranks != 0            ? "the number of ranks must divide 16"
                             : options.clip_norm > 0 ? "a rank that has a part of the gradients has no norm of all "
                                                       "for --clip-norm"
                                                     : nullptr;
  if (reason != nullptr) {
    throw AgreedError(ExitCode::bad_input, fmt::format("--shard-optimizer on: {}", reason), collective.rank() == 0);
  }
  const std::size_t size = all.size() / ranks;
  const std::size_t begin = static_cast<std::size_t>(collective.rank()) * size;
  return {begin, begin + size};
}

// From here on TERM means: save and leave. Whoever stops the run reads the file and signals this process alone.
static void register_as_stoppable(const Places& places, int rank) {
  install_stop_signals();
  const char* const given = std::getenv("LOCKSTEP_STOPPABLE_FILE");  // from the entrypoint
  fs::path file;
  if (given != nullptr) {
    file = given;
  } else if (places.run) {
    file = places.run->stoppable_file(rank);
  } else {
    return;
  }
  fs::create_directories(file.parent_path());
  write_process_file(file, this_process());
}

static ModelSpec spec_of(const Options& options, const TrainingData& data) {
  ModelSpec spec;
  spec.name = options.model;
  spec.input = data.train.shape;
  spec.classes = data.classes;
  spec.layers = options.layers;
  spec.dense = options.dense;
  spec.dropout = static_cast<float>(options.dropout);
  spec.type = options.precision == "bf16" ? kernels::DataType::bf16 : kernels::DataType::f32;
  spec.seed = options.seed;
  return spec;
}

static int max_batch_of(const Options& options, const TrainingData& data, int ranks) {
  const std::int64_t batch = std::min(options.batch_size, data.train.count());
  return std::max(evaluation_batch, largest_share(batch, blocks_of(options.blocks, ranks)));
}

// The options, and what they came to on these machines.
static std::vector<std::pair<std::string, std::string>> parameters_of(const Options& options,
                                                                      const ChosenDevice& chosen) {
  auto all = as_parameters(options);
  if (!chosen.isa.used.empty()) all.emplace_back("isa_used", chosen.isa.used);
  if (!chosen.isa.of_ranks.empty()) all.emplace_back("isa_of_ranks", chosen.isa.of_ranks);
  return all;
}

static std::string opening_line(const Options& options, const TrainingData& data, Model& model, int ranks) {
  std::int64_t parameters = 0;
  for (const TensorInfo& tensor : model.tensors()) parameters += static_cast<std::int64_t>(tensor.count);
  const ImageShape& shape = data.train.shape;
  return fmt::format("{} with {} parameters on {} rank{}; {} images of {}x{}x{} in {} classes; batches of {}",
                     options.model, parameters, ranks, ranks == 1 ? "" : "s", data.train.count(), shape.channels,
                     shape.height, shape.width, data.classes, options.batch_size);
}

// The model for others: its tensors, and as metadata what a program needs to use them.
static void keep_model(const fs::path& folder, const Options& options, const TrainingData& data,
                       const TrainingState& state) {
  const ImageShape& shape = data.train.shape;
  fs::create_directories(folder);
  const fs::path file = folder / "model.safetensors";
  write_file_durably(file,
                     write_safetensors(model_tensors(state),
                                       {{"format", "pt"},
                                        {"model", options.model},
                                        {"input", fmt::format("{},{},{}", shape.channels, shape.height, shape.width)},
                                        {"classes", std::to_string(data.classes)},
                                        {"pixel_mean", fmt::format("{}", data.scaling.mean)},
                                        {"pixel_deviation", fmt::format("{}", data.scaling.deviation)}}));
}

// "412 GFLOP/s a rank in the model's products, 2.1 % of the 19.5 TFLOP/s (float32) that its device can do at most"
static void note_utilisation(Model& model, const Collective& collective, const StepTimes& times, TrainingLog& log) {
  const double most = model.device().limits().f32_flop_per_s;
  if (!(most > 0)) return;
  const double rate = model.training_flop_per_sample() * static_cast<double>(times.images) / times.seconds /
                      static_cast<double>(collective.size());
  log.note(fmt::format(
      "{:.0f} GFLOP/s a rank in the model's products, {:.1f} % of the {:.1f} TFLOP/s that its device can do at most in "
      "float32 without tensor cores",
      rate / 1e9, 100 * rate / most, most / 1e12));
}

static void conclude(const Options& options, Collective& collective, const Places& places, const TrainingData& data,
                     Model& model, Optimizer& optimizer, const Trainer& trainer, TrainingLog& log) {
  const std::int64_t step = trainer.position().step;
  const StepTimes& times = trainer.total_times();
  std::string line = fmt::format("trained {} steps", step);
  if (times.steps > 0) {
    line += fmt::format(" (here {} in {}, {:.0f} images/s, {:.1f} % of it in all-reduce)", times.steps,
                        duration_text(static_cast<std::int64_t>(times.seconds * 1000)),
                        static_cast<double>(times.images) / times.seconds, 100 * times.all_reduce_s / times.seconds);
  }
  log.note(line);
  if (times.steps > 0) note_utilisation(model, collective, times, log);
  if (data.test) {
    // without a held-out share the test images are what the last epoch was validated on: no second pass
    const std::optional<Evaluation> judged = data.held_out ? std::nullopt : trainer.last_validation();
    const Evaluation test = judged ? *judged : evaluate(model, *data.test, data.scaling, collective, trainer.blocks());
    log.metrics(step, {{std::string(history::metric::test_loss), test.loss},
                       {std::string(history::metric::test_accuracy), test.accuracy}});
    log.note(fmt::format("test accuracy {:.4f} (loss {:.4f}, {} images)", test.accuracy, test.loss, test.images));
  }
  const TrainingState state(collective, model, optimizer);
  agreed(collective, [&] {
    if (places.output && collective.rank() == 0) keep_model(*places.output, options, data, state);
    return true;
  });
}

ExitCode train(const Options& options, Collective& collective, const ModelFactory& make_model,
               const MakeGpuSums& make_gpu_sums) {
  if (options.batch_size < collective.size()) {
    throw AgreedError(ExitCode::bad_input,
                      fmt::format("--batch-size {} is less than one image for each of {} ranks", options.batch_size,
                                  collective.size()),
                      collective.rank() == 0);
  }
  const Places places = find_places(options);
  agreed(collective, [&] {
    register_as_stoppable(places, collective.rank());
    return true;
  });
  const TrainingData data = agreed(collective, [&] { return load_training_data(options); });
  const ChosenDevice chosen = choose_device(options, collective);
  const int max_batch = max_batch_of(options, data, collective.size());
  const auto model = agreed(collective, [&] { return make_model(spec_of(options, data), max_batch, *chosen.device); });
  const ArenaPart part = part_of(options, collective, *model);
  const auto optimizer = agreed(collective, [&] {
    return make_optimizer({options.optimizer, options.momentum, options.beta2, options.weight_decay, options.clip_norm},
                          *model, part);
  });
  const auto log = agreed(collective, [&] { return std::make_unique<TrainingLog>(places, collective); });
  const auto sums = make_sums(options, collective, *chosen.device, make_gpu_sums);

  log->note(opening_line(options, data, *model, collective.size()));
  log->note(chosen.line);
  Trainer trainer(options, collective, sums, places, data, *model, *optimizer, *log, chosen.isa.used);
  trainer.resume();
  const auto reporting = agreed(collective, [&] {
    const bool reports = collective.rank() == 0;
    return reports ? start_reporting(options, places, collective.size(), trainer.position().step > 0, *log) : nullptr;
  });
  try {
    log->parameters(parameters_of(options, chosen), trainer.position().step);
    if (!chosen.isa.used.empty()) log->tag("lockstep.isa_used", chosen.isa.used, trainer.position().step);
    const Ending ending = trainer.run();
    if (ending == Ending::stopped_early) {
      log->note(fmt::format("stopped at step {} of {}; --resume auto goes on from here", trainer.position().step,
                            trainer.length().end_step));
    } else {
      conclude(options, collective, places, data, *model, *optimizer, trainer, *log);
    }
    if (reporting) reporting->finish(ending == Ending::completed ? "FINISHED" : "RUNNING");
    return ending == Ending::completed ? ExitCode::done : ExitCode::stopped_early;
  } catch (...) {
    if (reporting) reporting->finish("FAILED");
    throw;
  }
}

}  // namespace lockstep::runner
