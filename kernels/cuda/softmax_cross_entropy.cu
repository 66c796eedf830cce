// loss = -log softmax(logits)[label]; dlogits = (softmax(logits) - onehot(label)) * scale; correct: whether the first
// largest logit is the label's. Each logit is read once, each gradient written once: up to 1024 classes a warp holds a
// row in registers; beyond, a block holds it in shared memory (largest and sum in one pass, online softmax: Milakov and
// Gimelshein 2018). A row that does not fit there, which on an H100 is one of 58,000 classes in float32 and of 116,000
// in bfloat16, is read twice, with the same bits as result.
// Traffic: 8 bytes an element in float32 (12 where a row is read twice), half of that in bfloat16. A row's label, loss
// and answer are 16 bytes, for which its warp asks for three sectors, 96: with rows of 32 classes a quarter of all.
// Several rows a warp would share them, but rows are few where classes are few, and would wait for each other. Beyond
// 1024 classes each of a block's 16 warps asks for the label and its logit, too: 1088 a row. Loss and answer are read
// once more to add them up: 12 a row.
#include <cmath>

#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/make_for.hpp"
#include "kernels/cuda/operations.hpp"
#include "kernels/cuda/reduce.hpp"

namespace lockstep::kernels::cuda {
namespace {

constexpr int warps_of_block = 4;
constexpr unsigned threads_of_row = 512;

struct RowAnswer {
  double* loss;
  std::int32_t* correct;
};

__device__ double row_loss(double sum, float maximum, float of_label) {
  return log(sum) - (static_cast<double>(of_label) - static_cast<double>(maximum));
}

// per_lane values of a row in each lane: class = lane + 32 * k.
template <class T, int per_lane>
__global__ void softmax_of_warps(const T* logits, const std::int32_t* labels, float scale, T* dlogits, RowAnswer answer,
                                 std::int64_t rows, int classes) {
  const int lane = static_cast<int>(threadIdx.x % warpSize);
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * warps_of_block + threadIdx.x / warpSize;
  if (row >= rows) return;  // the whole warp
  const T* x = logits + row * classes;
  const int label = labels[row];
  float value[per_lane];
  float maximum = -INFINITY;
  for (int k = 0; k < per_lane; ++k) {
    const int i = lane + 32 * k;
    value[k] = i < classes ? widened(x[i]) : -INFINITY;
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
    if (i < classes) dlogits[row * classes + i] = rounded<T>(value[k] * factor - (i == label ? scale : 0.0F));
  }
}

// A row in packs, of which the first may begin before it and the last end behind it: so packs lie at multiples of 16
// bytes in every row of any length, if `aligned`, the matrix does. Who has which element does not depend on that.
template <class T>
struct RowPacks {
  static constexpr int n = whole_pack<T>;
  int begin;  // of the row in its first pack
  int classes;
  bool aligned;
  __device__ int count() const { return (begin + classes + n - 1) / n; }
  __device__ int element(int pack, int k) const { return pack * n + k - begin; }
  __device__ bool inside(int i) const { return i >= 0 && i < classes; }
  __device__ bool whole(int pack) const { return aligned && inside(element(pack, 0)) && inside(element(pack, n - 1)); }
  // -infinity outside of the row
  __device__ Pack<T, n> get(const T* row, int pack) const {
    if (whole(pack)) return pack_at<n>(row + element(pack, 0), 0);
    Pack<T, n> values;
    for (int k = 0; k < n; ++k) {
      const int i = element(pack, k);
      values.value[k] = inside(i) ? row[i] : rounded<T>(-INFINITY);
    }
    return values;
  }
  __device__ void put(T* row, int pack, const Pack<T, n>& values) const {
    if (whole(pack)) return put_pack<n>(row + element(pack, 0), 0, values);
    for (int k = 0; k < n; ++k) {
      const int i = element(pack, k);
      if (inside(i)) row[i] = values.value[k];
    }
  }
};

// held: the row fits into shared memory.
template <class T, bool held>
__global__ void softmax_of_blocks(const T* logits, const std::int32_t* labels, float scale, T* dlogits,
                                  RowAnswer answer, int classes, bool aligned) {
  DYN_SHARED(T, in_shared);
  constexpr int n = whole_pack<T>;
  const std::int64_t row = blockIdx.x;
  const T* x = logits + row * classes;
  const RowPacks<T> packs{static_cast<int>(row * classes % n), classes, aligned};
  const int label = labels[row];
  const float of_label = widened(x[label]);
  float maximum = -INFINITY;
  float sum = 0;
  for (int pack = static_cast<int>(threadIdx.x); pack < packs.count(); pack += static_cast<int>(threads_of_row)) {
    const Pack<T, n> values = packs.get(x, pack);
    if constexpr (held) put_pack<n>(in_shared, pack, values);
    float largest = maximum;
    for (int k = 0; k < n; ++k) {
      const float value = widened(values.value[k]);
      largest = value > largest ? value : largest;
    }
    if (largest > maximum) sum *= expf(maximum - largest);
    maximum = largest;
    for (int k = 0; k < n; ++k) {
      const float value = widened(values.value[k]);
      // exp(-inf - -inf) would be NaN, where it is nothing to add; a NaN stays one.
      sum += value == -INFINITY ? 0.0F : expf(value - maximum);
    }
  }
  const auto larger = [](float a, float b) { return a > b ? a : b; };
  const float largest = block_reduce(maximum, -INFINITY, larger);
  const double total = block_sum(static_cast<double>(maximum == largest ? sum : sum * expf(maximum - largest)));
  int first = classes;
  const auto factor = static_cast<float>(static_cast<double>(scale) / total);
  for (int pack = static_cast<int>(threadIdx.x); pack < packs.count(); pack += static_cast<int>(threads_of_row)) {
    const Pack<T, n> values = held ? pack_at<n>(in_shared, pack) : packs.get(x, pack);
    Pack<T, n> gradients;
    for (int k = 0; k < n; ++k) {
      const int i = packs.element(pack, k);
      const float value = widened(values.value[k]);
      if (value == largest && i < first && packs.inside(i)) first = i;
      gradients.value[k] = rounded<T>(expf(value - largest) * factor - (i == label ? scale : 0.0F));
    }
    if (dlogits != nullptr) packs.put(dlogits + row * classes, pack, gradients);
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
  for (std::int64_t row = threadIdx.x; row < rows; row += threads_of_row) {
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

template <class T>
class CudaSoftmaxCrossEntropy : public SoftmaxCrossEntropy {
 public:
  CudaSoftmaxCrossEntropy(CudaDevice& device, std::int64_t rows, std::int64_t classes, DataType type)
      : layout_(make_layout({rows, classes}, type)),
        most_shared_bytes_(device.most_shared_bytes()),
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
      const std::size_t row_bytes = (static_cast<std::size_t>(classes) / whole_pack<T> + 2) * 16;
      const bool held = row_bytes <= most_shared_bytes_;
      launch({"softmax_of_blocks", dim3(static_cast<unsigned>(rows)), threads_of_row, held ? row_bytes : 0, of(stream)},
             held ? softmax_of_blocks<T, true> : softmax_of_blocks<T, false>, logits.as<T>(), labels, scale,
             dlogits.as<T>(), answer, classes, aligned_for_packs(logits.as<T>(), dlogits.as<T>()));
    } else {
      const auto blocks = static_cast<unsigned>((rows + warps_of_block - 1) / warps_of_block);
      const Launch how{"softmax_of_warps", dim3(blocks), dim3(32 * warps_of_block), 0, of(stream)};
      launch(how, kernel_for(classes), logits.as<T>(), labels, scale, dlogits.as<T>(), answer, rows, classes);
    }
    launch({"add_rows", 1, threads_of_row, 0, of(stream)}, add_rows, answer, rows, sums);
  }

 private:
  using WarpKernel = void (*)(const T*, const std::int32_t*, float, T*, RowAnswer, std::int64_t, int);
  static WarpKernel kernel_for(int classes) {
    if (classes <= 32) return softmax_of_warps<T, 1>;
    if (classes <= 128) return softmax_of_warps<T, 4>;
    if (classes <= 512) return softmax_of_warps<T, 16>;
    return softmax_of_warps<T, 32>;
  }

  LayoutPtr layout_;
  std::size_t most_shared_bytes_;
  Buffer loss_;
  Buffer correct_;
};

}  // namespace

std::unique_ptr<SoftmaxCrossEntropy> make_softmax_cross_entropy(CudaDevice& device, std::int64_t rows,
                                                                std::int64_t classes, DataType type) {
  return make_for<SoftmaxCrossEntropy, CudaSoftmaxCrossEntropy>(type, device, rows, classes, type);
}

}  // namespace lockstep::kernels::cuda
