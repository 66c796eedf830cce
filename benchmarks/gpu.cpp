// The CUDA back-end's operations on a GPU: time against the time predicted from the device's own limits, and bytes and
// operations a second. Predicted is the longer of bytes by the memory's bandwidth and operations by the float32 units'
// rate. Bytes are the fewest that must move (every input read once, every output written once); operations are those of
// the definition, a multiply-add counting twice. tests/kernels holds the same operations to a reference.
//
//   bench_gpu [--tiny] [--limits BYTES/S FLOP/S]
//     --tiny: small shapes, once each, to see that it runs
//     --limits: a data sheet's, in place of what the driver says of the device
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "kernels/kernels.hpp"

namespace {

using namespace lockstep::kernels;  // NOLINT(google-build-using-namespace)

// Shapes are divided by it.
int divisor = 1;
DeviceLimits limits;

struct Case {
  std::string name;
  double bytes = 0;
  double flop = 0;
  std::function<void()> run;  // queues it once
};

class Bench {
 public:
  explicit Bench(Device& device) : device_(device), stream_(device.make_stream()) {}

  void head() const {
    fmt::print("{}\n", device_.name());
    fmt::print("| operation | us, median | us, best | us, predicted | of the predicted speed | GB/s | GFLOP/s |\n");
    fmt::print("|---|---|---|---|---|---|---|\n");
  }

  // Five rounds of as many runs as take 20 ms; a round is timed from outside, from idle to idle.
  void measure(const Case& each) {
    const int runs = divisor > 1 ? 1 : std::max(1, static_cast<int>(0.02 / seconds_of(each, 3) * 3));
    std::vector<double> rounds;
    for (int round = 0; round < 5; ++round) rounds.push_back(seconds_of(each, runs) / runs);
    std::sort(rounds.begin(), rounds.end());
    const double median = rounds[rounds.size() / 2];
    const double predicted = predicted_seconds(each);
    const bool known = predicted > 0;
    fmt::print("| {} | {:.1f} | {:.1f} | {} | {} | {:.0f} | {:.0f} |\n", each.name, 1e6 * median, 1e6 * rounds[0],
               known ? fmt::format("{:.1f}", 1e6 * predicted) : "not known",
               known ? fmt::format("{:.0f} %", 100 * predicted / median) : "not known", each.bytes / median / 1e9,
               each.flop / median / 1e9);
  }

  Stream& stream() { return *stream_; }
  View tensor(const LayoutPtr& layout) {
    layouts_.push_back(layout);
    memory_.push_back(device_.allocate(layout->bytes()));
    return {memory_.back().data(), layout.get()};
  }
  View plain(const Shape& shape) { return tensor(make_plain_layout(device_, shape, DataType::f32)); }
  std::span<float> arena(std::size_t count) {
    memory_.push_back(device_.allocate(count * sizeof(float)));
    return memory_.back().as<float>();
  }

 private:
  double seconds_of(const Case& each, int runs) {
    stream_->synchronize();
    const auto before = std::chrono::steady_clock::now();
    for (int i = 0; i < runs; ++i) each.run();
    stream_->synchronize();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  }
  // 0 where nobody says how fast the device is.
  static double predicted_seconds(const Case& each) {
    if (!(limits.bytes_per_s > 0 && limits.f32_flop_per_s > 0)) return 0;
    return std::max(each.bytes / limits.bytes_per_s, each.flop / limits.f32_flop_per_s);
  }

  Device& device_;
  std::unique_ptr<Stream> stream_;
  std::vector<LayoutPtr> layouts_;
  std::vector<Buffer> memory_;
};

void arenas(Device& device) {
  Bench with(device);
  const std::size_t count = (std::size_t{1} << 26) / static_cast<std::size_t>(divisor);
  const double bytes = static_cast<double>(count) * sizeof(float);
  const auto p = with.arena(count);
  const auto g = with.arena(count);
  const auto m = with.arena(count);
  const auto v = with.arena(count);
  const auto sum = with.arena(2);
  const auto sgd = make_sgd(device, {{0, count}});
  const auto adamw = make_adamw(device, {{0, count}});
  const auto math = make_arena_math(device);
  Stream& stream = with.stream();
  const std::string size = fmt::format(" {} Mi", count >> 20U);
  with.measure({"add" + size, 3 * bytes, 0, [&] { math->add(p, g, stream); }});
  with.measure({"scale" + size, 2 * bytes, 0, [&] { math->scale(p, 1, stream); }});
  with.measure({"sum of squares" + size, bytes, 0,
                [&] { math->sum_of_squares(p, reinterpret_cast<double*>(sum.data()), stream); }});
  with.measure({"SGD" + size, 5 * bytes, 0, [&] { sgd->run(p, g, v, {0.1F, 0.9F}, stream); }});
  with.measure({"AdamW" + size, 7 * bytes, 0, [&] { adamw->run(p, g, m, v, {0.1F}, stream); }});
}

void activations(Device& device) {
  Bench with(device);
  const std::int64_t rows = 65536 / divisor;
  const View x = with.plain({rows, 1024});
  const View y = with.plain({rows, 1024});
  const double bytes = static_cast<double>(x.layout->bytes());
  Stream& stream = with.stream();
  const auto layout = make_plain_layout(device, {rows, 1024}, DataType::f32);
  const auto relu = make_relu(device, layout, DataType::f32);
  const auto dropout = make_dropout(device, layout, 0.1F, DataType::f32);
  const auto loss = make_softmax_cross_entropy(device, rows, 1024, DataType::f32);
  const auto labels = with.arena(static_cast<std::size_t>(rows));
  const auto sums = with.arena(sizeof(LossSums) / sizeof(float));
  const std::string size = fmt::format(" {}x1024", rows);
  with.measure({"ReLU, backward" + size, 3 * bytes, 0, [&] { relu->backward(x, y, y, stream); }});
  with.measure({"dropout" + size, 2 * bytes, 0, [&] { dropout->forward(x, y, {}, stream); }});
  with.measure({"softmax cross-entropy, both ways" + size, 2 * bytes, 0, [&] {
                  loss->run(x, reinterpret_cast<const std::int32_t*>(labels.data()), 1, y,
                            reinterpret_cast<LossSums*>(sums.data()), stream);
                }});
}

void products(Device& device) {
  for (const std::int64_t side : {1024, 4096}) {
    Bench with(device);
    const DenseShape s{side / divisor, side / divisor, side / divisor, true};
    const auto plan = make_dense(device, s, DataType::f32);
    const View x = with.plain({s.rows, s.in});
    const View w = with.plain({s.out, s.in});
    const View b = with.plain({s.out});
    const View y = with.plain({s.rows, s.out});
    const double bytes = static_cast<double>(x.layout->bytes() + w.layout->bytes() + y.layout->bytes());
    const double flop = 2.0 * static_cast<double>(s.rows * s.in * s.out);
    const std::string size = fmt::format(" {0}x{0}x{0}", s.rows);
    with.measure({"dense, forward" + size, bytes, flop, [&] { plan->forward(x, w, b, y, with.stream()); }});
    with.measure({"dense, data" + size, bytes, flop, [&] { plan->backward_data(y, w, x, with.stream()); }});
    with.measure({"dense, weights" + size, bytes, flop, [&] { plan->backward_weights(x, y, w, b, with.stream()); }});
  }
}

void convolutions(Device& device) {
  Bench with(device);
  Conv2dShape s{256 / divisor, 64, 28, 28, 64};
  const auto plan = make_conv2d(device, s, DataType::f32);
  const Conv2d::Layouts& in = plan->layouts();
  const View x = with.tensor(in.x);
  const View y = with.tensor(in.y);
  const View w = with.tensor(in.weight);
  const View w_backward = with.tensor(in.weight_backward);
  const View dw = with.tensor(in.dweight);
  const View b = with.tensor(in.bias);
  const double bytes = static_cast<double>(x.layout->bytes() + y.layout->bytes() + w.layout->bytes());
  const double flop = 18.0 * static_cast<double>(s.batch * s.in_channels * s.out_channels * s.height * s.width);
  const std::string size = fmt::format(" {}x64x28x28 to 64", s.batch);
  with.measure({"3x3 convolution, forward" + size, bytes, flop, [&] { plan->forward(x, w, b, y, with.stream()); }});
  with.measure({"... data" + size, bytes, flop, [&] { plan->backward_data(y, w_backward, x, with.stream()); }});
  with.measure({"... weights" + size, bytes, flop, [&] { plan->backward_weights(x, y, dw, b, with.stream()); }});
}

void rows_of_transformers(Device& device) {
  Bench with(device);
  const std::int64_t rows = 16384 / divisor;
  constexpr std::int64_t columns = 1024;
  const View x = with.plain({rows, columns});
  const View residual = with.plain({rows, columns});
  const View sum = with.plain({rows, columns});
  const View y = with.plain({rows, columns});
  const View gamma = with.plain({columns});
  const View beta = with.plain({columns});
  float* const mean = with.arena(static_cast<std::size_t>(rows)).data();
  float* const rstd = with.arena(static_cast<std::size_t>(rows)).data();
  const auto bytes = static_cast<double>(x.layout->bytes());
  Stream& stream = with.stream();
  const auto gelu = make_bias_gelu(device, rows, columns, DataType::f32);
  const auto norm = make_residual_layer_norm(device, rows, columns, DataType::f32);
  const std::string size = fmt::format(" {}x{}", rows, columns);
  with.measure({"bias and GELU, forward" + size, 2 * bytes, 0, [&] { gelu->forward(x, beta, y, stream); }});
  with.measure({"... backward" + size, 3 * bytes, 0, [&] { gelu->backward(x, beta, y, sum, gamma, stream); }});
  with.measure({"residual and layer norm, forward" + size, 4 * bytes, 0,
                [&] { norm->forward(x, residual, gamma, beta, sum, y, mean, rstd, stream); }});
  with.measure({"... backward" + size, 4 * bytes, 0,
                [&] { norm->backward(y, residual, sum, gamma, mean, rstd, x, gamma, beta, stream); }});

  const EmbeddingShape s{16, rows / 16, 50257, rows / 16, columns};
  const View tokens = with.plain({s.vocabulary, columns});
  const View positions = with.plain({s.positions, columns});
  std::vector<std::int32_t> ids(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * 7919 % 50257);
  const auto at_ids = with.arena(ids.size());
  device.copy(at_ids.data(), ids.data(), at_ids.size_bytes(), stream);
  stream.synchronize();
  const auto* const id = reinterpret_cast<const std::int32_t*>(at_ids.data());
  const auto embedding = make_embedding(device, s, DataType::f32);
  with.measure(
      {"embedding, forward" + size, 2 * bytes, 0, [&] { embedding->forward(id, tokens, positions, y, stream); }});
  with.measure({"... backward" + size, 3 * bytes, 0, [&] { embedding->backward(id, y, tokens, positions, stream); }});
}

void attentions(Device& device) {
  Bench with(device);
  const AttentionShape s{8, 1024 / divisor, 16, 64};
  const View qkv = with.plain({s.rows(), 3 * s.columns()});
  const View dqkv = with.plain({s.rows(), 3 * s.columns()});
  const View out = with.plain({s.rows(), s.columns()});
  float* const log_sum_exp = with.arena(static_cast<std::size_t>(s.rows() * s.heads)).data();
  const auto bytes = static_cast<double>(out.layout->bytes());
  // Of a product of all queries with all keys, a row is on average half seen.
  const double of_product = static_cast<double>(s.rows() * s.length * s.columns());
  const auto plan = make_attention(device, s, DataType::f32);
  const std::string size = fmt::format(" {}x{}, {} heads of {}", s.batch, s.length, s.heads, s.head_size);
  with.measure({"attention, forward" + size, 4 * bytes, 2 * of_product,
                [&] { plan->forward(qkv, out, log_sum_exp, with.stream()); }});
  with.measure({"... backward" + size, 8 * bytes, 5 * of_product,
                [&] { plan->backward(qkv, out, log_sum_exp, out, dqkv, with.stream()); }});
}

// With its pooling and ReLU, as the cnn has it.
void pooled_convolutions(Device& device) {
  Bench with(device);
  const PooledConv2dShape s{256 / divisor, 64, 28, 28, 64};
  const auto plan = make_pooled_conv2d(device, s, DataType::f32);
  const Conv2d::Layouts& in = plan->layouts();
  const View x = with.tensor(in.x);
  const View dx = with.tensor(in.x);
  const View y = with.tensor(in.y);
  const View w = with.tensor(in.weight);
  const View dw = with.tensor(in.dweight);
  const View b = with.tensor(in.bias);
  const Buffer winners = device.allocate(plan->workspace_bytes());
  const double bytes = static_cast<double>(x.layout->bytes() + y.layout->bytes() + w.layout->bytes());
  const double flop = 18.0 * static_cast<double>(s.batch * s.in_channels * s.out_channels * s.height * s.width);
  const std::string size = fmt::format(" {}x64x28x28 to 64", s.batch);
  with.measure({"3x3 convolution, pooled, forward" + size, bytes, flop,
                [&] { plan->forward(x, w, b, y, winners.data(), with.stream()); }});
  with.measure({"... backward" + size, 2 * bytes, 2 * flop,
                [&] { plan->backward(x, y, y, winners.data(), w, dx, dw, b, with.stream()); }});
}

}  // namespace

int main(int argc, char** argv) {
  const CudaDevices found = find_cuda_devices();
  if (found.count == 0) {
    fmt::print("skipped: {}\n", found.why_none);
    return 0;
  }
  const auto device = make_cuda_device(0);
  limits = device->limits();
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--tiny") == 0) {
      divisor = 64;
    } else if (std::strcmp(argv[i], "--limits") == 0 && i + 2 < argc) {
      limits = {std::strtod(argv[i + 1], nullptr), std::strtod(argv[i + 2], nullptr)};
      i += 2;
    } else {
      fmt::print(stderr, "bench_gpu [--tiny] [--limits BYTES/S FLOP/S]\n");
      return 2;
    }
  }
  Bench(*device).head();
  arenas(*device);
  activations(*device);
  products(*device);
  convolutions(*device);
  pooled_convolutions(*device);
  rows_of_transformers(*device);
  attentions(*device);
  return 0;
}
