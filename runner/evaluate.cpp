#include "runner/evaluate.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "runner/block_sum.hpp"
#include "runner/data/prefetch.hpp"

namespace lockstep::runner {

static BatchResult evaluate_range(Model& model, const ImageSet& set, const Scaling& scaling, Range range,
                                  LoadedBatch& batch) {
  BatchResult all;
  std::array<std::uint32_t, evaluation_batch> positions{};
  for (std::int64_t begin = range.begin; begin < range.end; begin += evaluation_batch) {
    const auto count = static_cast<int>(std::min<std::int64_t>(evaluation_batch, range.end - begin));
    std::iota(positions.begin(), positions.begin() + count, static_cast<std::uint32_t>(begin));
    load_batch(set, scaling, positions.data(), count, batch);
    const BatchResult result = model.evaluate(batch.view());
    all.loss_sum += result.loss_sum;
    all.correct += result.correct;
  }
  return all;
}

Evaluation evaluate(Model& model, const ImageSet& set, const Scaling& scaling, Collective& collective, int blocks) {
  LoadedBatch batch;
  batch.images = AlignedFloats(evaluation_batch * set.image_size());
  batch.labels.resize(evaluation_batch);
  const int blocks_here = blocks / collective.size();
  std::vector<double> losses;
  std::int64_t correct = 0;
  for (int i = 0; i < blocks_here; ++i) {
    const Range range = share_of(set.count(), collective.rank() * blocks_here + i, blocks);
    const BatchResult result = evaluate_range(model, set, scaling, range, batch);
    losses.push_back(result.loss_sum);
    correct += result.correct;
  }
  std::array<double, 2> totals{pairwise_sum(losses), static_cast<double>(correct)};  // counts below 2^53 are exact
  collective.sum(std::span<double>(totals));
  const auto images = static_cast<double>(set.count());
  return {totals[0] / images, totals[1] / images, set.count()};
}

}  // namespace lockstep::runner
