#include "runner/evaluate.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "runner/block_sum.hpp"
#include "runner/data/upload.hpp"
#include "runner/loss_book.hpp"

namespace lockstep::runner {

namespace {
// Gives the model a set's images, one batch ahead of the device.
class ImageReader {
 public:
  ImageReader(Model& model, const ImageSet& set, const Scaling& scaling)
      : model_(model),
        set_(set),
        scaling_(scaling),
        upload_(model.device(), model.stream(), evaluation_batch, set.image_size()) {
    for (LoadedBatch& each : loaded_) each = LoadedBatch(model.device(), evaluation_batch, set.image_size());
  }

  void evaluate(Range range, kernels::LossSums* sums) {
    std::array<std::uint32_t, evaluation_batch> positions{};
    for (std::int64_t begin = range.begin; begin < range.end; begin += evaluation_batch) {
      const auto count = static_cast<int>(std::min<std::int64_t>(evaluation_batch, range.end - begin));
      std::iota(positions.begin(), positions.begin() + count, static_cast<std::uint32_t>(begin));
      upload_.wait_for_the_one_before();
      LoadedBatch& batch = loaded_[next_++ % 2];
      batch.load(set_, scaling_, positions.data(), count, begin, set_.count());
      model_.evaluate(upload_.put(batch.view()).whole(), sums);
    }
  }

 private:
  Model& model_;
  const ImageSet& set_;
  const Scaling& scaling_;
  Upload upload_;
  LoadedBatch loaded_[2];
  unsigned next_ = 0;
};
}  // namespace

Evaluation evaluate(Model& model, const ImageSet& set, const Scaling& scaling, Collective& collective, int blocks) {
  const int blocks_here = blocks / collective.size();
  LossBook book(model.device(), model.stream(), blocks_here, 1);
  book.begin();
  ImageReader reader(model, set, scaling);
  for (int i = 0; i < blocks_here; ++i) {
    reader.evaluate(share_of(set.count(), collective.rank() * blocks_here + i, blocks), book.block(i));
  }
  book.end();
  const LossBook::Entry here = book.take().front();
  std::array<double, 2> totals{here.loss, static_cast<double>(here.correct)};  // counts below 2^53 are exact
  collective.sum(std::span<double>(totals));
  const auto images = static_cast<double>(set.count());
  return {totals[0] / images, totals[1] / images, set.count()};
}

}  // namespace lockstep::runner
