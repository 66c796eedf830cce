// SGD with momentum and AdamW over a whole arena in one launch, the formulas of kernels/optimizers.hpp operation by
// operation (no fused multiply-add), so that CPU and GPU give the same bits.
// Traffic per parameter: SGD reads p, g, v and writes p, v: 20 bytes; AdamW reads p, g, m, v and writes p, m, v: 28; a
// bfloat16 copy is 2 more. The few ranges and the step's numbers come from the caches.
#include <cmath>

#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/operations.hpp"
#include "kernels/optimizer_factors.hpp"

namespace lockstep::kernels::cuda {
namespace {

struct Range {
  std::int64_t begin;
  std::int64_t end;
  bool decay;
};
struct Ranges {
  const Range* first;
  int count;
};

// Calls four(group, decay) for groups of four that lie in one range, one(i, decay) for the elements of the others. A
// thread's elements ascend, and so does the range it looks at.
template <class Four, class One>
__device__ void for_ranges(const Extent& extent, const Ranges& ranges, const Four& four, const One& one) {
  const std::int64_t stride = threads_of_grid();
  int at = 0;
  const auto element = [&](std::int64_t i) {
    int in = at;
    while (in < ranges.count && ranges.first[in].end <= i) ++in;
    if (in < ranges.count && ranges.first[in].begin <= i) one(i, ranges.first[in].decay);
  };
  for (std::int64_t group = thread_of_grid(); group < extent.groups; group += stride) {
    while (at < ranges.count && ranges.first[at].end <= 4 * group) ++at;
    if (at == ranges.count) break;
    const Range& range = ranges.first[at];
    if (range.begin <= 4 * group && 4 * group + 4 <= range.end) {
      four(group, range.decay);
    } else {
      for (int k = 0; k < 4; ++k) element(4 * group + k);
    }
  }
  at = 0;
  for (std::int64_t i = 4 * extent.groups + thread_of_grid(); i < extent.count; i += stride) element(i);
}

__device__ float scale_of(float gradient_scale, const Clipping& clipping) {
  if (clipping.sum_of_squares == nullptr) return gradient_scale;
  return clipped_scale(gradient_scale, clipping.max_norm, sqrt(*clipping.sum_of_squares));
}

__device__ void copy_group(Bf16* copy, std::int64_t group, const float4& p) {
  if (copy != nullptr)
    put_pack<4>(copy, group, Pack<Bf16, 4>{{to_bf16(p.x), to_bf16(p.y), to_bf16(p.z), to_bf16(p.w)}});
}
__device__ void copy_element(Bf16* copy, std::int64_t i, float p) {
  if (copy != nullptr) copy[i] = to_bf16(p);
}

struct SgdFactors {
  float rate;
  float momentum;
  float decay;  // of ranges with decay
  float scale;
};
__device__ void sgd_element(float& p, float g, float& v, const SgdFactors& f, float decay) {
  v = f.momentum * v + (f.scale * g + decay * p);
  p = p - f.rate * v;
}

__global__ void sgd(float* p, const float* g, float* v, Bf16* copy, Extent extent, Ranges ranges, SgdFactors step,
                    const StepNumbers* now, Clipping clipping) {
  step.scale = scale_of(step.scale, clipping);
  if (now != nullptr) step.rate = now->learning_rate;
  const auto decay_of = [&step](bool decay) { return decay ? step.decay : 0.0F; };
  for_ranges(
      extent, ranges,
      [&](std::int64_t group, bool decay) {
        float4 parameter = four_at(p, group);
        float4 velocity = four_at(v, group);
        const float4 gradient = four_at(g, group);
        sgd_element(parameter.x, gradient.x, velocity.x, step, decay_of(decay));
        sgd_element(parameter.y, gradient.y, velocity.y, step, decay_of(decay));
        sgd_element(parameter.z, gradient.z, velocity.z, step, decay_of(decay));
        sgd_element(parameter.w, gradient.w, velocity.w, step, decay_of(decay));
        reinterpret_cast<float4*>(p)[group] = parameter;
        reinterpret_cast<float4*>(v)[group] = velocity;
        copy_group(copy, group, parameter);
      },
      [&](std::int64_t i, bool decay) {
        sgd_element(p[i], g[i], v[i], step, decay_of(decay));
        copy_element(copy, i, p[i]);
      });
}

__device__ void adamw_element(float& p, float g, float& m, float& v, const AdamWFactors& f, float keep) {
  const float gradient = f.scale * g;
  m = f.beta1 * m + (1 - f.beta1) * gradient;
  v = f.beta2 * v + (1 - f.beta2) * (gradient * gradient);
  p = keep * p - f.rate * (m * f.correction1) / (sqrtf(v * f.correction2) + f.epsilon);
}

__global__ void adamw(float* p, const float* g, float* m, float* v, Bf16* copy, Extent extent, Ranges ranges,
                      AdamWFactors f, float weight_decay, const StepNumbers* now, Clipping clipping) {
  f.scale = scale_of(f.scale, clipping);
  if (now != nullptr) at_now(f, *now);
  const float keep_decayed = adamw_keep(f.rate, weight_decay);
  const auto keep_of = [&](bool decay) { return decay ? keep_decayed : f.keep; };
  for_ranges(
      extent, ranges,
      [&](std::int64_t group, bool decay) {
        float4 parameter = four_at(p, group);
        float4 first = four_at(m, group);
        float4 second = four_at(v, group);
        const float4 gradient = four_at(g, group);
        adamw_element(parameter.x, gradient.x, first.x, second.x, f, keep_of(decay));
        adamw_element(parameter.y, gradient.y, first.y, second.y, f, keep_of(decay));
        adamw_element(parameter.z, gradient.z, first.z, second.z, f, keep_of(decay));
        adamw_element(parameter.w, gradient.w, first.w, second.w, f, keep_of(decay));
        reinterpret_cast<float4*>(p)[group] = parameter;
        reinterpret_cast<float4*>(m)[group] = first;
        reinterpret_cast<float4*>(v)[group] = second;
        copy_group(copy, group, parameter);
      },
      [&](std::int64_t i, bool decay) {
        adamw_element(p[i], g[i], m[i], v[i], f, keep_of(decay));
        copy_element(copy, i, p[i]);
      });
}

// The ranges in device memory.
class RangeTable {
 public:
  RangeTable(CudaDevice& device, const std::vector<ParameterRange>& ranges)
      : memory_(device.allocate(ranges.size() * sizeof(Range))),
        count_(static_cast<int>(ranges.size())),
        end_(ranges.empty() ? 0 : static_cast<std::int64_t>(ranges.back().end)) {
    std::vector<Range> table;
    for (const auto& each : ranges) {
      table.push_back({static_cast<std::int64_t>(each.begin), static_cast<std::int64_t>(each.end), each.decay});
    }
    const auto stream = device.make_stream();
    device.copy(memory_.data(), table.data(), table.size() * sizeof(Range), *stream);
    stream->synchronize();
  }
  Ranges get() const { return {static_cast<const Range*>(memory_.data()), count_}; }
  std::int64_t end() const { return end_; }

 private:
  Buffer memory_;
  int count_;
  std::int64_t end_;
};

class CudaSgd : public Sgd {
 public:
  CudaSgd(CudaDevice& device, std::vector<ParameterRange> ranges)
      : device_(device), ranges_(std::move(ranges)), table_(device, ranges_) {}

  void run(std::span<float> parameters, std::span<const float> gradients, std::span<float> velocity,
           const SgdStep& step, Stream& stream) override {
    expect_room(ranges_, {parameters.size(), gradients.size(), velocity.size()});
    if (!step.copy.empty()) expect_room(ranges_, {step.copy.size()});
    if (table_.end() == 0) return;
    const Extent extent =
        extent_of(table_.end(), parameters.data(), gradients.data(), velocity.data(), step.copy.data());
    launch(elementwise_launch("sgd", device_, extent, stream), sgd, parameters.data(), gradients.data(),
           velocity.data(), step.copy.data(), extent, table_.get(),
           SgdFactors{step.learning_rate, step.momentum, step.weight_decay, step.gradient_scale}, step.now,
           step.clipping);
  }

 private:
  CudaDevice& device_;
  std::vector<ParameterRange> ranges_;
  RangeTable table_;
};

class CudaAdamW : public AdamW {
 public:
  CudaAdamW(CudaDevice& device, std::vector<ParameterRange> ranges)
      : device_(device), ranges_(std::move(ranges)), table_(device, ranges_) {}

  void run(std::span<float> parameters, std::span<const float> gradients, std::span<float> m, std::span<float> v,
           const AdamWStep& step, Stream& stream) override {
    expect_room(ranges_, {parameters.size(), gradients.size(), m.size(), v.size()});
    if (!step.copy.empty()) expect_room(ranges_, {step.copy.size()});
    if (table_.end() == 0) return;
    const Extent extent =
        extent_of(table_.end(), parameters.data(), gradients.data(), m.data(), v.data(), step.copy.data());
    launch(elementwise_launch("adamw", device_, extent, stream), adamw, parameters.data(), gradients.data(), m.data(),
           v.data(), step.copy.data(), extent, table_.get(), adamw_factors(step), step.weight_decay, step.now,
           step.clipping);
  }

 private:
  CudaDevice& device_;
  std::vector<ParameterRange> ranges_;
  RangeTable table_;
};

}  // namespace

std::unique_ptr<Sgd> make_sgd(CudaDevice& device, std::vector<ParameterRange> ranges) {
  return std::make_unique<CudaSgd>(device, std::move(ranges));
}

std::unique_ptr<AdamW> make_adamw(CudaDevice& device, std::vector<ParameterRange> ranges) {
  return std::make_unique<CudaAdamW>(device, std::move(ranges));
}

}  // namespace lockstep::kernels::cuda
