// The CUDA back-end's operations on a GPU: time, bytes and operations a second, and what share of the device's own
// limits that is. Bytes are the fewest that must move (every input read once, every output written once); operations
// are those of the definition, a multiply-add counting twice. tests/kernels holds the same operations to a reference.
//
//   bench_gpu [--tiny]    --tiny: small shapes, once each, to see that it runs
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>

#include "kernels/kernels.hpp"

namespace {

using namespace lockstep::kernels;  // NOLINT(google-build-using-namespace)

// Shapes are divided by it.
int divisor = 1;

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
    fmt::print("| operation | us, median | us, best | GB/s | of the memory's | GFLOP/s | of the units' (float32) |\n");
    fmt::print("|---|---|---|---|---|---|---|\n");
  }

  // Five rounds of as many runs as take 20 ms; a round is timed from outside, from idle to idle.
  void measure(const Case& each) {
    const int runs = divisor > 1 ? 1 : std::max(1, static_cast<int>(0.02 / seconds_of(each, 3) * 3));
    std::vector<double> rounds;
    for (int round = 0; round < 5; ++round) rounds.push_back(seconds_of(each, runs) / runs);
    std::sort(rounds.begin(), rounds.end());
    const double median = rounds[rounds.size() / 2];
    const DeviceLimits limits = device_.limits();
    fmt::print("| {} | {:.1f} | {:.1f} | {:.0f} | {} | {:.0f} | {} |\n", each.name, 1e6 * median, 1e6 * rounds[0],
               each.bytes / median / 1e9, share(each.bytes / median, limits.bytes_per_s), each.flop / median / 1e9,
               share(each.flop / median, limits.f32_flop_per_s));
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
  static std::string share(double rate, double limit) {
    return limit > 0 ? fmt::format("{:.0f} %", 100 * rate / limit) : "not known";
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
  if (argc > 1 && std::strcmp(argv[1], "--tiny") == 0) divisor = 64;
  const auto device = make_cuda_device(0);
  Bench(*device).head();
  arenas(*device);
  activations(*device);
  products(*device);
  convolutions(*device);
  pooled_convolutions(*device);
  return 0;
}
