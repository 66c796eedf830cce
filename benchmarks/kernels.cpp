// GF/s of each operation on one thread beside what the core can do at most, and whole training steps in samples/s.
// Rates are per second of this thread's CPU time, so a busy machine disturbs them less. What is timed here is held to a
// double-precision reference by tests/kernels.
#include <benchmark/benchmark.h>
#include <immintrin.h>

#include "kernels/kernels.hpp"
#include "runner/model/model.hpp"

namespace {

using namespace lockstep;           // NOLINT(google-build-using-namespace)
using namespace lockstep::kernels;  // NOLINT(google-build-using-namespace)

// Eight multiply-adds in flight: latency (4) times units (2). The empty statements keep the compiler from seeing that
// all eight compute the same.
constexpr int kChains = 8;
#define LOCKSTEP_KEEP_APART asm volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d), "+v"(e), "+v"(f), "+v"(g), "+v"(h))

__attribute__((target("avx512f"))) void multiply_add_avx512(std::int64_t rounds) {
  const __m512 k = _mm512_set1_ps(0.999F);
  __m512 a = k, b = k, c = k, d = k, e = k, f = k, g = k, h = k;
  for (std::int64_t i = 0; i < rounds; ++i) {
    LOCKSTEP_KEEP_APART;
    a = _mm512_fmadd_ps(a, k, k), b = _mm512_fmadd_ps(b, k, k), c = _mm512_fmadd_ps(c, k, k);
    d = _mm512_fmadd_ps(d, k, k), e = _mm512_fmadd_ps(e, k, k), f = _mm512_fmadd_ps(f, k, k);
    g = _mm512_fmadd_ps(g, k, k), h = _mm512_fmadd_ps(h, k, k);
  }
  LOCKSTEP_KEEP_APART;
}

__attribute__((target("avx2,fma"))) void multiply_add_avx2(std::int64_t rounds) {
  const __m256 k = _mm256_set1_ps(0.999F);
  __m256 a = k, b = k, c = k, d = k, e = k, f = k, g = k, h = k;
  for (std::int64_t i = 0; i < rounds; ++i) {
    LOCKSTEP_KEEP_APART;
    a = _mm256_fmadd_ps(a, k, k), b = _mm256_fmadd_ps(b, k, k), c = _mm256_fmadd_ps(c, k, k);
    d = _mm256_fmadd_ps(d, k, k), e = _mm256_fmadd_ps(e, k, k), f = _mm256_fmadd_ps(f, k, k);
    g = _mm256_fmadd_ps(g, k, k), h = _mm256_fmadd_ps(h, k, k);
  }
  LOCKSTEP_KEEP_APART;
}

void report(benchmark::State& state, double flops) {
  state.counters["GF/s"] =
      benchmark::Counter(flops * static_cast<double>(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}

void peak(benchmark::State& state) {
  constexpr std::int64_t rounds = 100000;
  const bool wide = __builtin_cpu_supports("avx512f");
  if (!wide && !__builtin_cpu_supports("fma")) {
    state.SkipWithError("this machine has no fused multiply-add");
    return;
  }
  for (auto _ : state) wide ? multiply_add_avx512(rounds) : multiply_add_avx2(rounds);
  report(state, 2.0 * kChains * rounds * (wide ? 16 : 8));
}

// A device, and memory for the tensors of a benchmark.
struct Bench {
  View tensor(const LayoutPtr& layout) {
    memory.push_back(device->allocate(layout->bytes()));
    for (std::size_t i = 0; i < layout->bytes() / sizeof(float); ++i) {
      memory.back().as<float>()[i] = static_cast<float>(i % 1000) / 1000 - 0.5F;
    }
    layouts.push_back(layout);
    return {memory.back().data(), layout.get()};
  }
  View plain(const Shape& shape) { return tensor(make_plain_layout(*device, shape, DataType::f32)); }

  explicit Bench(const CpuWays& ways = {}) : device(make_cpu_device(ways)) {}

  std::unique_ptr<Device> device;
  std::unique_ptr<Stream> stream = device->make_stream();
  std::vector<Buffer> memory;
  std::vector<LayoutPtr> layouts;
};

enum Direction : std::int64_t { forward, backward_data, backward_weights };

void dense(benchmark::State& state) {
  Bench with;
  const DenseShape s{state.range(0), state.range(1), state.range(2), true};
  const auto plan = make_dense(*with.device, s, DataType::f32);
  const View x = with.plain({s.rows, s.in});
  const View w = with.plain({s.out, s.in});
  const View b = with.plain({s.out});
  const View y = with.plain({s.rows, s.out});
  for (auto _ : state) {
    if (state.range(3) == forward) plan->forward(x, w, b, y, *with.stream);
    if (state.range(3) == backward_data) plan->backward_data(y, w, x, *with.stream);
    if (state.range(3) == backward_weights) plan->backward_weights(x, y, w, b, *with.stream);
  }
  report(state, 2.0 * static_cast<double>(s.rows * s.in * s.out));
}

void conv2d(benchmark::State& state) {
  Bench with({.winograd = state.range(4) == 1});
  Conv2dShape s{128, state.range(0), state.range(1), state.range(1), state.range(2)};
  s.relu = true;
  s.x_is_data = state.range(0) <= 3;
  const auto plan = make_conv2d(*with.device, s, DataType::f32);
  const Conv2d::Layouts& in = plan->layouts();
  const View x = with.tensor(in.x);
  const View y = with.tensor(in.y);
  const View w = with.tensor(in.weight);
  const View w_backward = s.x_is_data ? View{} : with.tensor(in.weight_backward);
  const View dw = with.tensor(in.dweight);
  const View b = with.tensor(in.bias);
  for (auto _ : state) {
    if (state.range(3) == forward) plan->forward(x, w, b, y, *with.stream);
    if (state.range(3) == backward_data) plan->backward_data(y, w_backward, x, *with.stream);
    if (state.range(3) == backward_weights) plan->backward_weights(x, y, dw, b, *with.stream);
  }
  report(state, 18.0 * static_cast<double>(s.batch * s.in_channels * s.out_channels * s.height * s.width));
}

void dropout(benchmark::State& state) {
  Bench with;
  const View x = with.plain({128, 512});
  const auto plan = make_dropout(*with.device, with.layouts.back(), 0.2F, DataType::f32);
  DropoutKey key;
  for (auto _ : state) {
    ++key.step;
    plan->forward(x, x, key, *with.stream);
  }
  state.SetItemsProcessed(state.iterations() * 128 * 512);
}

// One sequence through GPT-2's 12 heads of 64. Counted are the products of the scores that causality leaves: 2 forward,
// 5 backward.
void attention(benchmark::State& state) {
  Bench with;
  const AttentionShape s{1, state.range(0), 12, 64};
  const auto plan = make_attention(*with.device, s, DataType::f32);
  const View qkv = with.plain({s.rows(), 3 * s.columns()});
  const View out = with.plain({s.rows(), s.columns()});
  const View dqkv = with.plain({s.rows(), 3 * s.columns()});
  const Buffer memory = with.device->allocate(static_cast<std::size_t>(s.rows() * s.heads) * sizeof(float));
  float* log_sum_exp = memory.as<float>().data();
  plan->forward(qkv, out, log_sum_exp, *with.stream);
  for (auto _ : state) {
    if (state.range(1) == forward) plan->forward(qkv, out, log_sum_exp, *with.stream);
    if (state.range(1) == backward_data) plan->backward(qkv, out, log_sum_exp, out, dqkv, *with.stream);
  }
  const double product = static_cast<double>(s.heads * s.length * s.length * s.head_size);
  report(state, (state.range(1) == forward ? 2 : 5) * product);
}

// GPT-2's rows: items are elements.
void gelu_and_layer_norm(benchmark::State& state) {
  Bench with;
  const std::int64_t columns = state.range(0) == 0 ? 3072 : 768;
  const View x = with.plain({1024, columns});
  const View y = with.plain({1024, columns});
  const View to = with.plain({1024, columns});
  const View row = with.plain({columns});
  const View other = with.plain({columns});
  const View dgamma = with.plain({columns});
  const Buffer statistics = with.device->allocate(2048 * sizeof(float));
  float* mean = statistics.as<float>().data();
  const auto gelu = make_bias_gelu(*with.device, 1024, columns, DataType::f32);
  const auto norm = make_residual_layer_norm(*with.device, 1024, columns, DataType::f32);
  norm->forward(x, {}, row, row, {}, y, mean, mean + 1024, *with.stream);
  const bool forwards = state.range(1) == forward;
  for (auto _ : state) {
    if (state.range(0) == 0 && forwards) gelu->forward(x, row, y, *with.stream);
    if (state.range(0) == 0 && !forwards) gelu->backward(x, row, y, to, other, *with.stream);
    if (state.range(0) == 1 && forwards) norm->forward(x, x, row, row, to, y, mean, mean + 1024, *with.stream);
    if (state.range(0) == 1 && !forwards)
      norm->backward(y, x, x, row, mean, mean + 1024, to, dgamma, other, *with.stream);
  }
  state.SetItemsProcessed(state.iterations() * 1024 * columns);
}

void optimizer(benchmark::State& state) {
  Bench with;
  constexpr std::size_t count = 1 << 20;
  std::vector<Buffer> arenas(4);
  for (Buffer& arena : arenas) arena = with.device->allocate(count * sizeof(float));
  const auto at = [&](std::size_t i) { return arenas[i].as<float>(); };
  const auto sgd = make_sgd(*with.device, {{0, count}});
  const auto adamw = make_adamw(*with.device, {{0, count}});
  for (auto _ : state) {
    if (state.range(0) == 0) sgd->run(at(0), at(1), at(2), {0.1F, 0.9F, 1e-4F}, *with.stream);
    if (state.range(0) == 1) adamw->run(at(0), at(1), at(2), at(3), {0.1F}, *with.stream);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

// Forward, backward and SGD of one rank; items are samples.
void training_step(benchmark::State& state) {
  constexpr int batch = 128;
  runner::ModelSpec spec;
  spec.name = state.range(0) == 0 ? "mlp" : "cnn";
  const auto device = make_cpu_device();
  const auto model = runner::make_model(spec, batch, *device);
  const auto sgd = make_sgd(*device, {{0, model->parameters().size()}});
  const Buffer velocity = device->allocate(model->parameters().size_bytes());
  std::vector<float> images(std::size_t{batch} * 784);
  std::vector<std::int32_t> labels(batch);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i * 7919 % 1000) / 1000 - 0.5F;
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i * 7 % 10);
  StepNumbers now{.step = 0, .learning_rate = 0.01F};
  LossSums sums;
  for (auto _ : state) {
    model->train({images.data(), labels.data(), batch, 0}, 1.0F / batch, &now, &sums, {});
    sgd->run(model->parameters(), model->gradients(), velocity.as<float>(), {0.01F, 0.9F}, model->stream());
    ++now.step;
  }
  state.SetItemsProcessed(state.iterations() * batch);
  state.SetLabel(spec.name);
}

BENCHMARK(peak);
BENCHMARK(dense)
    ->ArgNames({"rows", "in", "out", "direction"})
    ->ArgsProduct({{128}, {784}, {512}, {forward, backward_data, backward_weights}})
    ->ArgsProduct({{128}, {3136}, {128}, {forward, backward_data, backward_weights}})
    ->ArgsProduct({{128}, {512}, {10}, {forward, backward_data, backward_weights}});
BENCHMARK(conv2d)
    ->ArgNames({"in", "size", "out", "direction", "winograd"})
    ->ArgsProduct({{1}, {28}, {32}, {forward, backward_weights}, {0}})
    ->ArgsProduct({{32, 128}, {14}, {64, 256}, {forward, backward_data, backward_weights}, {0, 1}});
BENCHMARK(dropout);
BENCHMARK(attention)->ArgNames({"length", "direction"})->ArgsProduct({{128, 1024}, {forward, backward_data}});
BENCHMARK(gelu_and_layer_norm)->ArgNames({"norm", "direction"})->ArgsProduct({{0, 1}, {forward, backward_data}});
BENCHMARK(optimizer)->ArgName("adamw")->Arg(0)->Arg(1);
BENCHMARK(training_step)->ArgName("cnn")->Arg(0)->Arg(1);

}  // namespace

BENCHMARK_MAIN();
