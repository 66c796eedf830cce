// How good a model is on a set of images.
#pragma once

#include "runner/collective/collective.hpp"
#include "runner/data/image_set.hpp"
#include "runner/model/model.hpp"

namespace lockstep::runner {

struct Evaluation {
  double loss = 0;      // mean over the images
  double accuracy = 0;  // share of them, 0 to 1
  std::int64_t images = 0;
};

// The most images that evaluate() gives the model in one call, whatever a training batch is.
inline constexpr int evaluation_batch = 128;

// Collective: each rank does its share of the blocks (block_sum.hpp), so the loss has the same bits as the sum of the
// gradients has. `blocks` is a multiple of the number of ranks.
Evaluation evaluate(Model& model, const ImageSet& set, const Scaling& scaling, Collective& collective, int blocks);

}  // namespace lockstep::runner
