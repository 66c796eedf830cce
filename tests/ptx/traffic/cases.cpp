#include "tests/ptx/traffic/cases.hpp"

#include <fmt/format.h>

#include "kernels/cuda/column_sums.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/patches.hpp"
#include "kernels/cuda/transpose.hpp"
#include "kernels/philox.hpp"
#include "tests/ptx/on_interpreter/device.hpp"

namespace lockstep::ptx {

using kernels::Buffer;
using kernels::Conv2dShape;
using kernels::DataType;
using kernels::Device;
using kernels::LossSums;
using kernels::ParameterRange;
using kernels::Stream;
using kernels::cuda::make_layout;
using kernels::cuda::Order;

namespace {

constexpr std::int64_t million = 1 << 20;  // elements: 4 MiB of float32
constexpr double of_float = 4;

Buffer floats(Device& device, std::int64_t count) {
  return device.allocate(static_cast<std::size_t>(count) * sizeof(float));
}
float* data(const Buffer& buffer) { return static_cast<float*>(buffer.data()); }

void run_relu(Device& device, Stream& stream, bool forward) {
  const auto layout = make_layout({million});
  const Buffer x = floats(device, million);
  const Buffer y = floats(device, million);
  const Buffer z = floats(device, million);
  const auto plan = make_relu(device, layout, DataType::f32);
  if (forward) {
    plan->forward({x.data(), layout.get()}, {y.data(), layout.get()}, stream);
  } else {
    plan->backward({y.data(), layout.get()}, {x.data(), layout.get()}, {z.data(), layout.get()}, stream);
  }
  stream.synchronize();
}

void run_arena(Device& device, Stream& stream) {
  const Buffer x = floats(device, million);
  const Buffer y = floats(device, million);
  const Buffer result = device.allocate(sizeof(double));
  const auto math = make_arena_math(device);
  math->scale(x.as<float>(), 0.5F, stream);
  math->add(x.as<float>(), y.as<float>(), stream);
  math->sum_of_squares(x.as<float>(), static_cast<double*>(result.data()), stream);
  stream.synchronize();
}

void run_dropout(Device& device, Stream& stream) {
  const auto layout = make_layout({1024, 1024});
  const Buffer x = floats(device, million);
  const Buffer y = floats(device, million);
  make_dropout(device, layout, 0.3F, DataType::f32)
      ->forward({x.data(), layout.get()}, {y.data(), layout.get()}, {}, stream);
  stream.synchronize();
}

// The parameters of four dense layers with their biases.
constexpr std::int64_t parameters = 4 * (512 * 512 + 512);
std::vector<ParameterRange> ranges() {
  std::vector<ParameterRange> made;
  for (std::size_t layer = 0; layer < 4; ++layer) {
    const std::size_t begin = layer * (512 * 512 + 512);
    made.push_back({begin, begin + 512 * 512, true});
    made.push_back({begin + 512 * 512, begin + 512 * 512 + 512, false});
  }
  return made;
}

void run_optimizers(Device& device, Stream& stream) {
  const Buffer p = floats(device, parameters);
  const Buffer g = floats(device, parameters);
  const Buffer m = floats(device, parameters);
  const Buffer v = floats(device, parameters);
  make_sgd(device, ranges())->run(p.as<float>(), g.as<float>(), v.as<float>(), {0.1F, 0.9F}, stream);
  make_adamw(device, ranges())->run(p.as<float>(), g.as<float>(), m.as<float>(), v.as<float>(), {}, stream);
  stream.synchronize();
}

// The second half of the default cnn, before and after its pooling.
constexpr std::int64_t images = 32;
constexpr std::int64_t pooled_in = images * 64 * 14 * 14;
constexpr std::int64_t pooled_out = images * 64 * 7 * 7;
// 3 x 3 windows, two apart, overlap: 6 x 6 of them.
constexpr std::int64_t overlapping_out = images * 64 * 6 * 6;
void run_max_pool(Device& device, Stream& stream, std::int64_t kernel) {
  const auto layout = make_layout({images, 64, 14, 14}, Order::channels_last);
  const auto plan = make_max_pool(device, {layout, kernel, 2}, DataType::f32);
  const Buffer x = floats(device, pooled_in);
  const Buffer y = floats(device, pooled_out);
  std::uint32_t i = 0;
  for (float& each : x.as<float>()) each = kernels::unit_interval(kernels::philox4x32({++i, 0, 0, 0}, {0, 0})[0]);
  const Buffer winners = device.allocate(plan->workspace_bytes());
  plan->forward({x.data(), layout.get()}, {y.data(), plan->y().get()}, winners.data(), stream);
  plan->backward({y.data(), plan->y().get()}, winners.data(), {x.data(), layout.get()}, stream);
  stream.synchronize();
}

// A convolution over 14 x 14 images, of 32 channels, which go four at a time, and of 33, which don't.
constexpr std::int64_t image_elements(std::int64_t channels) { return images * channels * 14 * 14; }
// Of the places of a 3 x 3 kernel over 14 x 14, those inside the image: (3 * 14 - 2)^2 of (3 * 14)^2.
constexpr double inside = 40.0 * 40.0 / (42.0 * 42.0);
void run_patches(Device& device, Stream& stream, std::int64_t channels) {
  const Conv2dShape convolution{images, channels, 14, 14, 64};
  const Buffer image = floats(device, image_elements(channels));
  const Buffer patches = floats(device, 9 * image_elements(channels));
  kernels::cuda::gather_patches(convolution, images, data(image), data(patches), stream);
  kernels::cuda::scatter_patches(convolution, images, data(patches), data(image), stream);
  stream.synchronize();
}

TrafficCase patches(const std::string& kernel, std::int64_t channels, bool scatters) {
  const auto of_images = static_cast<double>(image_elements(channels));
  const double of_patches = 9 * of_images;
  const double of_runs = channels % 4 == 0 ? 1 : 1.5;
  return {kernel, fmt::format("{} x {} x 14 x 14, 3 x 3", images, channels), scatters ? of_images : of_patches,
          of_float * (of_runs * of_patches * inside + (scatters ? of_images : of_patches)),
          [=](Device& device, Stream& stream) { run_patches(device, stream, channels); }};
}

void run_softmax(Device& device, Stream& stream, std::int64_t rows, std::int64_t classes) {
  const auto layout = make_layout({rows, classes});
  const Buffer logits = floats(device, rows * classes);
  const Buffer dlogits = floats(device, rows * classes);
  const Buffer labels = floats(device, rows);  // zeros
  const Buffer sums = device.allocate(sizeof(LossSums));
  make_softmax_cross_entropy(device, rows, classes, DataType::f32)
      ->run({logits.data(), layout.get()}, static_cast<const std::int32_t*>(labels.data()), 1,
            {dlogits.data(), layout.get()}, static_cast<LossSums*>(sums.data()), stream);
  stream.synchronize();
}
TrafficCase softmax(const std::string& kernel, std::int64_t rows, std::int64_t classes, double accesses,
                    double of_row) {
  const auto elements = static_cast<double>(rows * classes);
  return {kernel, fmt::format("{} rows, {} classes", rows, classes), elements,
          accesses * of_float * elements + of_row * static_cast<double>(rows),
          [=](Device& device, Stream& stream) { run_softmax(device, stream, rows, classes); }};
}

void run_column_sums(Device& device, Stream& stream) {
  const Buffer x = floats(device, million);
  const Buffer total = floats(device, 256);
  kernels::cuda::ColumnSums(static_cast<kernels::cuda::CudaDevice&>(device), 4096, 256)
      .run(data(x), data(total), stream);
  stream.synchronize();
}

void run_transpose(Device& device, Stream& stream) {
  const Buffer from = floats(device, million);
  const Buffer to = floats(device, million);
  kernels::cuda::transpose(data(from), data(to), 4, 256, 1024, stream);
  stream.synchronize();
}

}  // namespace

const std::vector<TrafficCase>& traffic_cases() {
  constexpr double n = million;
  constexpr double answers = 1 << 17;
  static const std::vector<TrafficCase> all = {
      {"relu_forward", "2^20", n, 8 * n, [](auto& device, auto& stream) { run_relu(device, stream, true); }},
      {"relu_backward", "2^20", n, 12 * n, [](auto& device, auto& stream) { run_relu(device, stream, false); }},
      {"scale_all", "2^20", n, 8 * n, run_arena},
      {"add_all", "2^20", n, 12 * n, run_arena},
      {"squares_of_blocks", "2^20", n, 4 * n + 8 * 512, run_arena},
      {"sum_of_partial_sums", "512, always", 512, 8 * 512 + 8, run_arena},
      {"sum_parts", "4096 x 256", n, 4 * n + 8 * 8 * 256 + 4 * 256, run_column_sums},
      {"dropout", "1024 x 1024", n, 8 * n, run_dropout},
      {"sgd", "4 layers of 512 x 512", parameters, 20.0 * parameters, run_optimizers},
      {"adamw", "4 layers of 512 x 512", parameters, 28.0 * parameters, run_optimizers},
      {"max_pool_forward", "32 x 64 x 14 x 14, 2 x 2", pooled_in, 4.0 * pooled_in + 5.0 * pooled_out,
       [](auto& device, auto& stream) { run_max_pool(device, stream, 2); }},
      {"max_pool_backward_apart", "32 x 64 x 14 x 14, 2 x 2", pooled_in, 4.0 * pooled_in + 5.0 * pooled_out,
       [](auto& device, auto& stream) { run_max_pool(device, stream, 2); }},
      {"max_pool_backward", "32 x 64 x 14 x 14, 3 x 3 by 2", pooled_in, 4.0 * pooled_in + 5.0 * 9 * overlapping_out,
       [](auto& device, auto& stream) { run_max_pool(device, stream, 3); }},
      patches("gather", 33, false),
      patches("gather_fours", 32, false),
      patches("scatter<float>", 33, true),
      patches("scatter<float4>", 32, true),
      softmax("softmax_of_warps<1>", 32768, 32, 2, 96),
      softmax("softmax_of_warps<4>", 8192, 128, 2, 96),
      softmax("softmax_of_warps<16>", 2048, 512, 2, 96),
      softmax("softmax_of_warps<32>", 1024, 1024, 2, 96),
      softmax("softmax_of_blocks", 256, 4096, 3, 1088),
      {"add_rows", "2^17 rows", answers, 12 * answers + 32,
       [](auto& device, auto& stream) { run_softmax(device, stream, 1 << 17, 8); }},
      {"transpose_tiles", "4 x 256 x 1024", n, 8 * n, run_transpose},
  };
  return all;
}

LaunchRecord measure(const TrafficCase& what) {
  LaunchRecord sum{what.kernel, {}, {}};
  const auto device = make_device();
  const auto stream = device->make_stream();
  interpreter().on_launch = [&](const LaunchRecord& record) {
    if (record.kernel != what.kernel) return;
    sum.grid = record.grid;
    sum.counts += record.counts;
  };
  what.run(*device, *stream);
  interpreter().on_launch = {};
  return sum;
}

}  // namespace lockstep::ptx
