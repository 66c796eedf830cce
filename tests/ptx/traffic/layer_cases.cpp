// The operations of kernels/operations.hpp, in float32 and in bfloat16.
#include "kernels/cuda/column_sums.hpp"
#include "kernels/cuda/patches.hpp"
#include "kernels/cuda/transpose.hpp"
#include "kernels/philox.hpp"
#include "tests/ptx/traffic/case_memory.hpp"

namespace lockstep::ptx {

using kernels::Bf16;
using kernels::Buffer;
using kernels::Conv2dShape;
using kernels::Device;
using kernels::LossSums;
using kernels::Stream;
using kernels::cuda::Order;

namespace {

template <class T>
void run_relu(Device& device, Stream& stream) {
  const Tensor<T> x(device, {million});
  const Tensor<T> y(device, {million});
  const Tensor<T> z(device, {million});
  const auto plan = make_relu(device, x.layout, TypeOf<T>::type);
  plan->forward(x, y, stream);
  plan->backward(y, x, z, stream);
  stream.synchronize();
}

template <class T>
void run_dropout(Device& device, Stream& stream) {
  const Tensor<T> x(device, {1024, 1024});
  const Tensor<T> y(device, {1024, 1024});
  make_dropout(device, x.layout, 0.3F, TypeOf<T>::type)->forward(x, y, {}, stream);
  stream.synchronize();
}

void number(Tensor<float>& x) {
  std::uint32_t i = 0;
  for (float& each : x.memory.as<float>()) {
    each = kernels::unit_interval(kernels::philox4x32({++i, 0, 0, 0}, {0, 0})[0]);
  }
}
void number(Tensor<Bf16>& x) {
  std::uint32_t i = 0;
  for (Bf16& each : x.memory.as<Bf16>()) {
    each = kernels::to_bf16(kernels::unit_interval(kernels::philox4x32({++i, 0, 0, 0}, {0, 0})[0]));
  }
}

// The second half of the default cnn, before and after its pooling.
constexpr std::int64_t images = 32;
constexpr std::int64_t pooled_in = images * 64 * 14 * 14;
constexpr std::int64_t pooled_out = images * 64 * 7 * 7;
// 3 x 3 windows, two apart, overlap: 6 x 6 of them.
constexpr std::int64_t overlapping_out = images * 64 * 6 * 6;
template <class T>
void run_max_pool(Device& device, Stream& stream, std::int64_t kernel) {
  Tensor<T> x(device, {images, 64, 14, 14}, Order::channels_last);
  number(x);
  const auto plan = make_max_pool(device, {x.layout, kernel, 2}, TypeOf<T>::type);
  const Buffer y = device.allocate(plan->y()->bytes());
  const Buffer winners = device.allocate(plan->workspace_bytes());
  plan->forward(x, {y.data(), plan->y().get()}, winners.data(), stream);
  plan->backward({y.data(), plan->y().get()}, winners.data(), x, stream);
  stream.synchronize();
}

// A convolution over 14 x 14 images, of 32 channels, which go by packs, and of 33, which don't.
constexpr std::int64_t image_elements(std::int64_t channels) { return images * channels * 14 * 14; }
// Of the places of a 3 x 3 kernel over 14 x 14, those inside the image: (3 * 14 - 2)^2 of (3 * 14)^2.
constexpr double inside = 40.0 * 40.0 / (42.0 * 42.0);
template <class T>
TrafficCase patches(const std::string& kernel, std::int64_t channels, bool scatters) {
  const auto of_images = static_cast<double>(image_elements(channels));
  const double of_patches = 9 * of_images;
  const double of_runs = channels % 8 == 0 ? 1 : sizeof(T) == 4 ? 1.5 : 2;
  return {kernel, fmt::format("{} x {} x 14 x 14, 3 x 3", images, channels), scatters ? of_images : of_patches,
          bytes<T> * (of_runs * of_patches * inside + (scatters ? of_images : of_patches)),
          [=](Device& device, Stream& stream) {
            const Conv2dShape convolution{images, channels, 14, 14, 64};
            const Tensor<T> image(device, {image_elements(channels)});
            const Tensor<T> patch(device, {9 * image_elements(channels)});
            kernels::cuda::gather_patches(convolution, images, image.data(), patch.data(), stream);
            kernels::cuda::scatter_patches(convolution, images, patch.data(), image.data(), stream);
            stream.synchronize();
          }};
}

// A pooled convolution over 14 x 14 images, which are one tile each.
constexpr std::int64_t pooled_images = 16;
enum class Directions { forward, weights, all };
template <class T>
TrafficCase pooled_conv2d(const std::string& kernel, std::int64_t in, std::int64_t out, Directions directions,
                          double elements, double stated) {
  return {kernel, fmt::format("{} x {} x 14 x 14 to {}", pooled_images, in, out), elements, stated,
          [=](Device& device, Stream& stream) {
            const bool data = directions != Directions::all;
            const auto plan = make_pooled_conv2d(device, {pooled_images, in, 14, 14, out, data}, TypeOf<T>::type);
            Tensor<T> x(device, {pooled_images, in, 14, 14}, Order::channels_last);
            number(x);
            const Tensor<T> y(device, {pooled_images, out, 7, 7}, Order::channels_last);
            Tensor<T> weight(device, {out, in, 3, 3});
            number(weight);
            const Tensor<T> bias(device, {out});
            const Buffer winners = device.allocate(plan->workspace_bytes());
            plan->forward(x, weight, bias, y, winners.data(), stream);
            if (directions == Directions::forward) return stream.synchronize();
            plan->backward(x, y, y, winners.data(), weight, x, weight, bias, stream);
            stream.synchronize();
          }};
}
template <class T>
void add_pooled_conv2d(std::vector<TrafficCase>& all) {
  const auto places = [](double channels) { return pooled_images * channels * 14 * 14; };
  const auto x = [&](double channels) { return bytes<T> * places(channels); };
  const auto y = [&](double channels) { return (bytes<T> + 1) * places(channels) / 4; };   // with its winners
  const auto weights = [](double pairs) { return pooled_images * bytes<T> * 9 * pairs; };  // once for each image
  constexpr double taps = 9 * 32 * 64;
  // As many as move no more than x and y do.
  const double shares = (sizeof(T) == 4 ? 4 : 2) * 4 * (taps + 64);
  const std::string type = TypeOf<T>::name;
  all.insert(all.end(), {
                            pooled_conv2d<T>("pooled_forward<" + type + ", 1>", 32, 32, Directions::forward, places(32),
                                             x(32) + weights(32 * 32) + y(32)),
                            pooled_conv2d<T>("pooled_forward<" + type + ", 2>", 32, 64, Directions::forward, places(64),
                                             x(32) + weights(32 * 64) + y(64)),
                            pooled_conv2d<T>("pooled_data<" + type + ", 1>", 32, 64, Directions::all, places(32),
                                             x(32) + weights(32 * 64) + y(64)),
                            pooled_conv2d<T>("pooled_data<" + type + ", 2>", 64, 32, Directions::all, places(64),
                                             x(64) + weights(32 * 64) + y(32)),
                            pooled_conv2d<T>("pooled_weights<" + type + ">", 32, 64, Directions::weights, places(32),
                                             2 * x(32) + 2 * y(64) + shares),
                            pooled_conv2d<T>("sum_shares<" + type + ">", 32, 64, Directions::weights, taps,
                                             shares + 32 * taps + bytes<T> * 64),
                        });
}

template <class T>
void run_softmax(Device& device, Stream& stream, std::int64_t rows, std::int64_t classes) {
  const Tensor<T> logits(device, {rows, classes});
  const Tensor<T> dlogits(device, {rows, classes});
  const Tensor<float> labels(device, {rows});  // zeros
  const Buffer sums = device.allocate(sizeof(LossSums));
  make_softmax_cross_entropy(device, rows, classes, TypeOf<T>::type)
      ->run(logits, reinterpret_cast<const std::int32_t*>(labels.data()), 1, dlogits,
            static_cast<LossSums*>(sums.data()), stream);
  stream.synchronize();
}
template <class T>
TrafficCase softmax(const std::string& kernel, std::int64_t rows, std::int64_t classes, double accesses,
                    double of_row) {
  const auto elements = static_cast<double>(rows * classes);
  return {kernel, fmt::format("{} rows, {} classes", rows, classes), elements,
          accesses * bytes<T> * elements + of_row * static_cast<double>(rows),
          [=](Device& device, Stream& stream) { run_softmax<T>(device, stream, rows, classes); }};
}

template <class From, class To>
void run_column_sums(Device& device, Stream& stream, std::int64_t rows, std::int64_t columns) {
  const Tensor<From> x(device, {rows, columns});
  const Tensor<To> total(device, {columns});
  kernels::cuda::ColumnSums(static_cast<kernels::cuda::CudaDevice&>(device), rows, columns)
      .run(x.data(), total.data(), stream);
  stream.synchronize();
}

template <class T>
void run_transpose(Device& device, Stream& stream) {
  const Tensor<T> from(device, {million});
  const Tensor<T> to(device, {million});
  kernels::cuda::transpose(from.data(), to.data(), 4, 256, 1024, stream);
  stream.synchronize();
}

template <class T>
void add_layer_cases(std::vector<TrafficCase>& all) {
  constexpr double n = million;
  constexpr double e = bytes<T>;
  const std::string type = TypeOf<T>::name;
  const auto of = [&](const std::string& kernel) { return kernel + "<" + type + ">"; };
  const auto with = [&](const std::string& kernel, const auto& parameter) {
    return fmt::format("{}<{}, {}>", kernel, type, parameter);
  };
  const auto pool = [](std::int64_t kernel) {
    return [=](Device& device, Stream& stream) { run_max_pool<T>(device, stream, kernel); };
  };
  const std::string windows = "32 x 64 x 14 x 14, 2 x 2";
  all.insert(
      all.end(),
      {
          {of("relu_forward"), "2^20", n, 2 * e * n, run_relu<T>},
          {of("relu_backward"), "2^20", n, 3 * e * n, run_relu<T>},
          {of("dropout"), "1024 x 1024", n, 2 * e * n, run_dropout<T>},
          {of("transpose_tiles"), "4 x 256 x 1024", n, 2 * e * n, run_transpose<T>},
          {of("max_pool_forward"), windows, pooled_in, e * pooled_in + (e + 1) * pooled_out, pool(2)},
          {of("max_pool_backward_apart"), windows, pooled_in, e * pooled_in + (e + 1) * pooled_out, pool(2)},
          {of("max_pool_backward"), "32 x 64 x 14 x 14, 3 x 3 by 2", pooled_in,
           e * pooled_in + (e + 1) * 9 * overlapping_out, pool(3)},
          patches<T>(of("gather"), 33, false),
          patches<T>(of("gather_packs"), 32, false),
          patches<T>(with("scatter", 1), 33, true),
          patches<T>(with("scatter", pack<T>), 32, true),
          softmax<T>(with("softmax_of_warps", 1), 32768, 32, 2, 96),
          softmax<T>(with("softmax_of_warps", 4), 8192, 128, 2, 96),
          softmax<T>(with("softmax_of_warps", 16), 2048, 512, 2, 96),
          softmax<T>(with("softmax_of_warps", 32), 1024, 1024, 2, 96),
          softmax<T>(with("softmax_of_blocks", true), 256, 4096, 2, 1088),
          softmax<T>(with("softmax_of_blocks", false), 4, static_cast<std::int64_t>(240000 / sizeof(T)), 3, 1088),
      });
}

}  // namespace

std::vector<TrafficCase> layer_cases() {
  constexpr double n = million;
  constexpr double answers = 1 << 17;
  // Of 4096 rows eight parts are summed side by side; what those leave is summed by another launch.
  constexpr double of_parts = 8 * 256;
  std::vector<TrafficCase> all = {
      {"sum_parts<float, float>", "4096 x 256", n, 4 * n + 8 * of_parts + 4 * 256,
       [](auto& device, auto& stream) { run_column_sums<float, float>(device, stream, 4096, 256); }},
      {"sum_parts<Bf16, float>", "4096 x 256", n, 2 * n + 4 * of_parts,
       [](auto& device, auto& stream) { run_column_sums<Bf16, Bf16>(device, stream, 4096, 256); }},
      {"sum_parts<float, Bf16>", "what is left of 4096 x 256", of_parts, 4 * of_parts + 2 * 256,
       [](auto& device, auto& stream) { run_column_sums<Bf16, Bf16>(device, stream, 4096, 256); }},
      {"sum_parts<Bf16, Bf16>", "512 x 2048", n, 2 * n + 2 * 2048,
       [](auto& device, auto& stream) { run_column_sums<Bf16, Bf16>(device, stream, 512, 2048); }},
      {"add_rows", "2^17 rows", answers, 12 * answers + 32,
       [](auto& device, auto& stream) { run_softmax<float>(device, stream, 1 << 17, 8); }},
  };
  add_layer_cases<float>(all);
  add_layer_cases<Bf16>(all);
  add_pooled_conv2d<float>(all);
  add_pooled_conv2d<Bf16>(all);
  return all;
}

}  // namespace lockstep::ptx
