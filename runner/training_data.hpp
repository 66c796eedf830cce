// The images of a training: what to learn from, what to validate and test on.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "runner/data/image_set.hpp"
#include "runner/options.hpp"

namespace lockstep::runner {

struct TrainingData {
  ImageSet train;
  std::optional<ImageSet> held_out;  // --validation-split
  std::optional<ImageSet> test;
  Scaling scaling;  // of the training images
  int classes = 0;

  // What each epoch is judged by; null when there is nothing.
  const ImageSet* validation() const { return held_out ? &*held_out : test ? &*test : nullptr; }
};

// Throws bad_input or not_found, with the file and the reason, unless every file is whole and they fit together.
TrainingData load_training_data(const Options& options);

}  // namespace lockstep::runner
