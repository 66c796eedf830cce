// loss = -log softmax(logits)[label]; dlogits = (softmax(logits) - onehot(label)) * scale; correct: whether the first
// largest logit is the label's. Up to 1024 classes a warp holds a row in registers: each logit is read once, each
// gradient written once. Beyond, a block takes a row and reads it twice (largest and sum in one pass, online softmax:
// Milakov and Gimelshein 2018); the second read comes from L2 where the rows in flight fit.
// Traffic: 8 bytes an element (12 beyond 1024 classes). A row's label, loss and answer are 16 bytes, for which its warp
// asks for three sectors, 96: with rows of 32 classes a quarter of all. Several rows a warp would share them, but rows
// are few where classes are few, and would wait for each other. Beyond 1024 classes each of a block's 16 warps asks for
// the label and its logit, too: 1088 a row. Loss and answer are read once more to add them up: 12 a row.
#include <cmath>

#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/operations.hpp"
#include "kernels/cuda/reduce.hpp"

namespace lockstep::kernels::cuda {
namespace {

constexpr int warps_of_block = 4;
constexpr unsigned row_threads = 512;

struct RowAnswer {
  double* loss;
  std::int32_t* correct;
};

__device__ double row_loss(double sum, float maximum, float of_label) {
  return log(sum) - (static_cast<double>(of_label) - static_cast<double>(maximum));
}

// per_lane values of a row in each lane: class = lane + 32 * k.
template <int per_lane>
__global__ void softmax_of_warps(const float* logits, const std::int32_t* labels, float scale, float* dlogits,
                                 RowAnswer answer, std::int64_t rows, int classes) {
  const int lane = static_cast<int>(threadIdx.x % warpSize);
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * warps_of_block + threadIdx.x / warpSize;
  if (row >= rows) return;  // the whole warp
  const float* x = logits + row * classes;
  const int label = labels[row];
  float value[per_lane];
  float maximum = -INFINITY;
  for (int k = 0; k < per_lane; ++k) {
    const int i = lane + 32 * k;
    value[k] = i < classes ? x[i] : -INFINITY;
    maximum = value[k] > maximum ? value[k] : maximum;
  }
  maximum = warp_reduce(maximum, [](float a, float b) { return a > b ? a : b; });
  int first = classes;  // the first class whose logit is the largest
  float of_label = 0;
  float sum = 0;
  for (int k = per_lane - 1; k >= 0; --k) {
    const int i = lane + 32 * k;
    if (i >= classes) continue;
    if (value[k] == maximum) first = i;
    if (i == label) of_label = value[k];
    value[k] = expf(value[k] - maximum);
    sum += value[k];
  }
  const double total = warp_sum(static_cast<double>(sum));
  first = warp_reduce(first, [](int a, int b) { return a < b ? a : b; });
  of_label = __shfl_sync(all_lanes, of_label, label % 32);
  if (lane == 0) {
    answer.loss[row] = row_loss(total, maximum, of_label);
    answer.correct[row] = first == label ? 1 : 0;
  }
  if (dlogits == nullptr) return;
  const auto factor = static_cast<float>(static_cast<double>(scale) / total);
  for (int k = 0; k < per_lane; ++k) {
    const int i = lane + 32 * k;
    if (i < classes) dlogits[row * classes + i] = value[k] * factor - (i == label ? scale : 0.0F);
  }
}

__global__ void softmax_of_blocks(const float* logits, const std::int32_t* labels, float scale, float* dlogits,
                                  RowAnswer answer, int classes) {
  const std::int64_t row = blockIdx.x;
  const float* x = logits + row * classes;
  const int label = labels[row];
  const float of_label = x[label];
  float maximum = -INFINITY;
  float sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < classes; i += static_cast<int>(row_threads)) {
    const float value = x[i];
    if (value > maximum) {
      sum *= expf(maximum - value);
      maximum = value;
    }
    sum += expf(value - maximum);
  }
  const auto larger = [](float a, float b) { return a > b ? a : b; };
  const float largest = block_reduce(maximum, -INFINITY, larger);
  // exp(-inf - -inf) would be NaN where the whole row is -inf.
  const double total = block_sum(static_cast<double>(maximum == largest ? sum : sum * expf(maximum - largest)));
  int first = classes;
  const auto factor = static_cast<float>(static_cast<double>(scale) / total);
  for (int i = static_cast<int>(threadIdx.x); i < classes; i += static_cast<int>(row_threads)) {
    const float value = x[i];
    if (value == largest && i < first) first = i;
    if (dlogits != nullptr) {
      dlogits[row * classes + i] = expf(value - largest) * factor - (i == label ? scale : 0.0F);
    }
  }
  first = block_reduce(first, classes, [](int a, int b) { return a < b ? a : b; });
  if (threadIdx.x == 0) {
    answer.loss[row] = row_loss(total, largest, of_label);
    answer.correct[row] = first == label ? 1 : 0;
  }
}

// One block, so that the order of the sum is the rows' alone.
__global__ void add_rows(RowAnswer answer, std::int64_t rows, LossSums* sums) {
  double loss = 0;
  int correct = 0;
  for (std::int64_t row = threadIdx.x; row < rows; row += row_threads) {
    loss += answer.loss[row];
    correct += answer.correct[row];
  }
  loss = block_sum(loss);
  correct = block_sum(correct);
  if (threadIdx.x == 0) {
    sums->loss += loss;
    sums->correct += correct;
  }
}

class CudaSoftmaxCrossEntropy : public SoftmaxCrossEntropy {
 public:
  CudaSoftmaxCrossEntropy(CudaDevice& device, std::int64_t rows, std::int64_t classes)
      : layout_(make_layout({rows, classes})),
        loss_(device.allocate(static_cast<std::size_t>(rows) * sizeof(double))),
        correct_(device.allocate(static_cast<std::size_t>(rows) * sizeof(std::int32_t))) {}

  void run(ConstView logits, const std::int32_t* labels, float scale, View dlogits, LossSums* sums,
           Stream& stream) override {
    expect(logits, layout_, "softmax_cross_entropy: logits");
    if (dlogits.data != nullptr) expect(dlogits, layout_, "softmax_cross_entropy: dlogits");
    const std::int64_t rows = layout_->shape()[0];
    const auto classes = static_cast<int>(layout_->shape()[1]);
    const RowAnswer answer{static_cast<double*>(loss_.data()), static_cast<std::int32_t*>(correct_.data())};
    if (classes > 1024) {
      launch({"softmax_of_blocks", dim3(static_cast<unsigned>(rows)), row_threads, 0, of(stream)}, softmax_of_blocks,
             logits.f32(), labels, scale, dlogits.f32(), answer, classes);
    } else {
      const auto blocks = static_cast<unsigned>((rows + warps_of_block - 1) / warps_of_block);
      const Launch how{"softmax_of_warps", dim3(blocks), dim3(32 * warps_of_block), 0, of(stream)};
      launch(how, kernel_for(classes), logits.f32(), labels, scale, dlogits.f32(), answer, rows, classes);
    }
    launch({"add_rows", 1, row_threads, 0, of(stream)}, add_rows, answer, rows, sums);
  }

 private:
  using WarpKernel = void (*)(const float*, const std::int32_t*, float, float*, RowAnswer, std::int64_t, int);
  static WarpKernel kernel_for(int classes) {
    if (classes <= 32) return softmax_of_warps<1>;
    if (classes <= 128) return softmax_of_warps<4>;
    if (classes <= 512) return softmax_of_warps<16>;
    return softmax_of_warps<32>;
  }

  LayoutPtr layout_;
  Buffer loss_;
  Buffer correct_;
};

}  // namespace

std::unique_ptr<SoftmaxCrossEntropy> make_softmax_cross_entropy(CudaDevice& device, std::int64_t rows,
                                                                std::int64_t classes) {
  return std::make_unique<CudaSoftmaxCrossEntropy>(device, rows, classes);
}

}  // namespace lockstep::kernels::cuda
