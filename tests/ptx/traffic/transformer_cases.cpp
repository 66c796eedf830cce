// The operations of kernels/transformer.hpp, in float32 and in bfloat16.
#include "kernels/philox.hpp"
#include "tests/ptx/traffic/case_memory.hpp"

namespace lockstep::ptx {

using kernels::Bf16;
using kernels::Buffer;
using kernels::Device;
using kernels::Stream;

namespace {

// A warp that takes an element a lane from rows that begin anywhere within sectors touches one sector more than it
// fills with each request: a byte an element, whatever the type.
constexpr double of_odd_rows = 1;

template <class T>
void run_bias_gelu(Device& device, Stream& stream, std::int64_t rows, std::int64_t columns) {
  const Tensor<T> x(device, {rows, columns});
  const Tensor<T> bias(device, {columns});
  const Tensor<T> y(device, {rows, columns});
  const auto plan = make_bias_gelu(device, rows, columns, TypeOf<T>::type);
  plan->forward(x, bias, y, stream);
  plan->backward(x, bias, y, y, bias, stream);
  stream.synchronize();
}
template <class T>
TrafficCase bias_gelu(const std::string& kernel, std::int64_t rows, std::int64_t columns, double of_element) {
  const auto n = static_cast<double>(rows * columns);
  return {kernel, fmt::format("{} x {}", rows, columns), n, of_element * n,
          [=](Device& device, Stream& stream) { run_bias_gelu<T>(device, stream, rows, columns); }};
}

template <class T>
void run_norm(Device& device, Stream& stream, std::int64_t rows, std::int64_t columns) {
  const Tensor<T> x(device, {rows, columns});
  const Tensor<T> residual(device, {rows, columns});
  const Tensor<T> sum(device, {rows, columns});
  const Tensor<T> y(device, {rows, columns});
  const Tensor<T> gamma(device, {columns});
  const Tensor<T> beta(device, {columns});
  const Tensor<float> mean(device, {rows});
  const Tensor<float> rstd(device, {rows});
  const auto plan = make_residual_layer_norm(device, rows, columns, TypeOf<T>::type);
  plan->forward(x, residual, gamma, beta, sum, y, mean.data(), rstd.data(), stream);
  plan->backward(y, residual, sum, gamma, mean.data(), rstd.data(), x, gamma, beta, stream);
  stream.synchronize();
}
// In bytes; `of_column`: of each column of each block of 16 rows.
template <class T>
TrafficCase norm(const std::string& kernel, std::int64_t rows, std::int64_t columns, double of_element, double of_row,
                 double of_column) {
  const auto n = static_cast<double>(rows * columns);
  return {kernel, fmt::format("{} x {}", rows, columns), n,
          of_element * n + of_row * static_cast<double>(rows) + of_column * n / 16,
          [=](Device& device, Stream& stream) { run_norm<T>(device, stream, rows, columns); }};
}

constexpr kernels::EmbeddingShape embedded{8, 256, 50257, 256, 512};
constexpr std::int64_t embedded_rows = embedded.batch * embedded.length;
constexpr kernels::EmbeddingShape embedded_singly{8, 64, 50257, 64, 511};
template <class T>
void run_embedding(Device& device, Stream& stream, const kernels::EmbeddingShape& s) {
  const std::int64_t rows = s.batch * s.length;
  const Tensor<T> tokens(device, {s.vocabulary, s.columns});
  const Tensor<T> positions(device, {s.positions, s.columns});
  const Tensor<T> y(device, {rows, s.columns});
  const Buffer ids = device.allocate(static_cast<std::size_t>(rows) * sizeof(std::int32_t));
  std::uint32_t i = 0;
  for (std::int32_t& id : ids.as<std::int32_t>()) {
    id = static_cast<std::int32_t>(kernels::philox4x32({++i, 0, 0, 0}, {0, 0})[0] % 50257);
  }
  const auto plan = make_embedding(device, s, TypeOf<T>::type);
  const auto* const read = static_cast<const std::int32_t*>(ids.data());
  plan->forward(read, tokens, positions, y, stream);
  plan->backward(read, y, tokens, positions, stream);
  stream.synchronize();
}
// In bytes; `of_row`: beside its elements.
template <class T>
TrafficCase embedding(const std::string& kernel, const kernels::EmbeddingShape& s, double of_element, double of_row) {
  const auto rows = static_cast<double>(s.batch * s.length);
  const double n = rows * static_cast<double>(s.columns);
  return {kernel, fmt::format("{} x {} ids, {} columns", s.batch, s.length, s.columns), n,
          of_element * n + of_row * rows, [=](Device& device, Stream& stream) { run_embedding<T>(device, stream, s); }};
}

constexpr std::int64_t length = 256;
template <class T>
void run_attention(Device& device, Stream& stream, std::int64_t heads, std::int64_t head_size) {
  const kernels::AttentionShape shape{1, length, heads, head_size};
  const Tensor<T> qkv(device, {length, 3 * shape.columns()});
  const Tensor<T> dqkv(device, {length, 3 * shape.columns()});
  const Tensor<T> out(device, {length, shape.columns()});
  const Tensor<T> dout(device, {length, shape.columns()});
  const Tensor<float> log_sum_exp(device, {heads, length});
  const auto plan = make_attention(device, shape, TypeOf<T>::type);
  plan->forward(qkv, out, log_sum_exp.data(), stream);
  plan->backward(qkv, out, log_sum_exp.data(), dout, dqkv, stream);
  stream.synchronize();
}

// Of 256 numbers a row in all: four heads of 64, whose tiles have 64 rows, or two of 128, whose tiles have 32.
// `once`: tensors of (length, 256) that move once; the two that the other side has move once for each tile that sees
// them, and with them `others_statistics` floats for each of their rows, which a block's four warps ask for.
template <class T>
TrafficCase attention(const std::string& kernel, std::int64_t heads, double once, double others_statistics,
                      double own_statistics) {
  const std::int64_t head_size = 256 / heads;
  const std::int64_t tile = head_size <= 64 ? 64 : 32;
  constexpr double rows = length;
  const std::int64_t tiles = length / tile;
  const double seen = rows * static_cast<double>(tiles + 1) / 2;  // rows, over all tiles of a head
  const auto of_heads = static_cast<double>(heads);
  return {
      kernel, fmt::format("{} rows, {} heads of {}", length, heads, head_size), rows * 256,
      bytes<T> * 256 * (once * rows + 2 * seen) + 4 * of_heads * (own_statistics * rows + 4 * others_statistics * seen),
      [=](Device& device, Stream& stream) { run_attention<T>(device, stream, heads, head_size); }};
}

template <class T>
void add_transformer_cases(std::vector<TrafficCase>& all) {
  constexpr double e = bytes<T>;
  const std::string type = TypeOf<T>::name;
  const auto packed = [&](const std::string& kernel) { return fmt::format("{}<{}, {}>", kernel, type, pack<T>); };
  const auto held = [&](const std::string& kernel, bool in_shared) {
    return fmt::format("{}<{}, {}, {}>", kernel, type, pack<T>, in_shared);
  };
  const auto tiles = [&](const std::string& kernel, int width) {
    return fmt::format("{}<{}, {}, {}>", kernel, type, width, width == 64 ? 4 : 2);
  };
  const double long_row = 49152 / e + 256;            // too long for forward's shared memory
  constexpr double of_sums = sizeof(T) == 4 ? 4 : 8;  // floats that a row moves to add to one of dgamma, one of dbeta
  constexpr double columns = embedded.columns;
  constexpr double packs_of_row = columns / pack<T>;
  // Each position is written once, for the batch.
  constexpr double with_positions = e * (1 + 1.0 / embedded.batch);
  all.insert(all.end(), {
                            bias_gelu<T>(packed("bias_gelu_forward"), 1024, 1024, 3 * e),
                            bias_gelu<T>(packed("bias_gelu_backward"), 1024, 1024, 4 * e),
                            norm<T>(held("norm_forward", true), 512, 1024, 6 * e, 64, 0),
                            norm<T>(held("norm_forward", false), 32, static_cast<std::int64_t>(long_row), 8 * e, 64, 0),
                            norm<T>(held("norm_backward", true), 512, 1024, 5 * e, 64 * 8, 4 * 2),
                            norm<T>(held("norm_backward", false), 64, 4096, 8 * e, 64 * 8, 4 * (2 + of_sums * 16)),
                            embedding<T>(packed("embedding_forward"), embedded, 3 * e, 32 * packs_of_row / 32),
                            embedding<T>(packed("add_token_rows"), embedded, 3 * e, 832 * packs_of_row / 32),
                            embedding<T>(packed("sum_positions"), embedded, with_positions, 0),
                            {fmt::format("sum_along<{}>", type), "256 rows, 4 heads of 64", length * 256,
                             2 * e * length * 256 + 32 * 4 * length,
                             [](auto& device, auto& stream) { run_attention<T>(device, stream, 4, 64); }},
                            attention<T>(tiles("forward_tiles", 64), 4, 2, 0, 1),
                            attention<T>(tiles("forward_tiles", 128), 2, 2, 0, 1),
                            attention<T>(tiles("query_gradients", 64), 4, 3, 0, 2),
                            attention<T>(tiles("query_gradients", 128), 2, 3, 0, 2),
                            attention<T>(tiles("key_gradients", 64), 4, 4, 2, 0),
                            attention<T>(tiles("key_gradients", 128), 2, 4, 2, 0),
                        });
}

// The same for rows that are no whole packs, an element at a time. Gamma and beta begin where a sector does, and so do
// the runs of a warp in what is taken as if there were no rows: x and y of bias_gelu, positions' gradients.
template <class T>
void add_single_cases_of(std::vector<TrafficCase>& all) {
  constexpr double e = bytes<T>;
  constexpr double odd = e + of_odd_rows;      // an element of a row that begins anywhere
  constexpr double odd_sum = 4 + of_odd_rows;  // and one of the block's sums
  constexpr double warps = 8;                  // of a block that takes a row
  constexpr double groups = 16;                // of 32 elements, of a row of embedded_singly
  constexpr std::int64_t long_row = 49152 / e + 1;
  const auto single = [](const std::string& kernel) { return fmt::format("{}<{}, 1>", kernel, TypeOf<T>::name); };
  const auto held = [](const std::string& kernel, bool in_shared) {
    return fmt::format("{}<{}, 1, {}>", kernel, TypeOf<T>::name, in_shared);
  };
  all.insert(all.end(),
             {
                 bias_gelu<T>(single("bias_gelu_forward"), 512, 1023, 2 * e + odd),
                 bias_gelu<T>(single("bias_gelu_backward"), 512, 1023, 3 * e + odd),
                 norm<T>(held("norm_forward", true), 512, 1023, 4 * odd + 2 * e, 64, 0),
                 norm<T>(held("norm_forward", false), 32, long_row, 6 * odd + 2 * e, 64, 0),
                 norm<T>(held("norm_backward", true), 512, 1023, 4 * odd + e, 64 * warps, 2 * odd_sum),
                 norm<T>(held("norm_backward", false), 64, 4095, 6 * odd + 2 * e, 64 * warps, (2 + 4 * 16) * odd_sum),
                 embedding<T>(single("embedding_forward"), embedded_singly, 3 * odd, 32 * warps),
                 embedding<T>(single("add_token_rows"), embedded_singly, 3 * odd, 832 * groups),
                 embedding<T>(single("sum_positions"), embedded_singly, e * (1 + 1.0 / embedded_singly.batch), 0),
             });
}

}  // namespace

std::vector<TrafficCase> transformer_cases() {
  constexpr double rows = embedded_rows;
  std::vector<TrafficCase> all = {
      {"sort_rows", "2048 ids", rows, 4 * rows * (rows / 256) + 4 * rows + 64 * rows,
       [](auto& device, auto& stream) { run_embedding<float>(device, stream, embedded); }},
  };
  add_transformer_cases<float>(all);
  add_transformer_cases<Bf16>(all);
  add_single_cases_of<float>(all);
  add_single_cases_of<Bf16>(all);
  return all;
}

}  // namespace lockstep::ptx
