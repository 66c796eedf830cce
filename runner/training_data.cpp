#include "runner/training_data.hpp"

#include <cmath>

#include "common/error.hpp"

namespace lockstep::runner {

static ImageFiles training_files(const Options& options) {
  if (!options.train_images.empty()) return {options.train_images, options.train_labels};
  if (!fs::is_directory(options.data)) throw not_found("--data {}: no such folder", options.data);
  const auto found = find_image_files(options.data, "train");
  if (found) return *found;
  throw not_found("--data {}: no train-images-idx3-ubyte[.gz] and train-labels-idx1-ubyte[.gz] in it", options.data);
}

static std::optional<ImageFiles> test_files(const Options& options) {
  if (!options.test_images.empty()) return ImageFiles{options.test_images, options.test_labels};
  if (options.data.empty()) return std::nullopt;
  return find_image_files(options.data, "t10k");
}

TrainingData load_training_data(const Options& options) {
  TrainingData data;
  data.train = load_images(training_files(options));
  data.classes = class_count(data.train, options.classes);
  if (data.classes < 2) throw bad_input("all training labels are 0: nothing can be learnt from one class");
  check_images(data.train, data.train.shape, data.classes, "training");
  if (const auto files = test_files(options)) {
    data.test = load_images(*files);
    check_images(*data.test, data.train.shape, data.classes, "test");
  }
  if (options.validation_split > 0) {
    const auto held_out = std::llround(options.validation_split * static_cast<double>(data.train.count()));
    if (held_out < 1 || held_out >= data.train.count()) {
      throw bad_input("--validation-split {} of {} training images leaves one side empty", options.validation_split,
                      data.train.count());
    }
    data.held_out = split_off(data.train, data.train.count() - held_out);
  }
  data.scaling = scaling_of(data.train);
  return data;
}

}  // namespace lockstep::runner
