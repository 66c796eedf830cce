// Causal attention over tiles of 64 queries and 64 keys: products by oneDNN's sgemm, straight from the packed rows, and
// an online softmax between them (Dao 2023, FlashAttention-2). A tile of scores is all that there ever is of them.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "common/error.hpp"
#include "kernels/cpu/exponential.hpp"
#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/operations.hpp"
#include "kernels/plain_math.hpp"

namespace lockstep::kernels::cpu {
namespace {

constexpr std::int64_t side = 64;
using Tile = std::array<float, side * side>;

// Rows of a matrix that lie `stride` floats apart.
struct Rows {
  float* first;
  std::int64_t stride;
  float* row(std::int64_t i) const { return first + i * stride; }
  Rows from(std::int64_t i) const { return {row(i), stride}; }
};
struct ConstRows {
  const float* first;
  std::int64_t stride;
  ConstRows(const float* begin, std::int64_t apart) : first(begin), stride(apart) {}
  ConstRows(const Rows& rows) : first(rows.first), stride(rows.stride) {}  // NOLINT(google-explicit-constructor)
  const float* row(std::int64_t i) const { return first + i * stride; }
  ConstRows from(std::int64_t i) const { return {row(i), stride}; }
};

enum class Side : char { as_it_is = 'N', transposed = 'T' };

// c (rows, columns) = alpha * op(a) op(b), added to c if `adds`.
void product(Side side_a, Side side_b, std::int64_t rows, std::int64_t columns, std::int64_t inner, float alpha,
             ConstRows a, ConstRows b, bool adds, Rows c) {
  const auto status = dnnl::sgemm(static_cast<char>(side_a), static_cast<char>(side_b), rows, columns, inner, alpha,
                                  a.first, a.stride, b.first, b.stride, adds ? 1.0F : 0.0F, c.first, c.stride);
  if (status != dnnl::status::success) throw failure("attention: oneDNN refused a product");
}

LOCKSTEP_VECTOR_CLONES void scale_row(float* row, float factor, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) row[i] *= factor;
}

LOCKSTEP_VECTOR_CLONES float dot(const float* a, const float* b, std::int64_t count) {
  float lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + static_cast<std::int64_t>(kLanes) <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  for (std::size_t lane = 0; i < count; ++i, ++lane) lanes[lane] += a[i] * b[i];
  return sum_of_lanes(lanes);
}

// dscores = p * (dp - of_row), written over dp.
LOCKSTEP_VECTOR_CLONES void score_gradients(const float* p, float of_row, float* dp, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) dp[i] = p[i] * (dp[i] - of_row);
}

// One head of one sequence.
struct Head {
  std::int64_t length;
  std::int64_t size;
  ConstRows q;
  ConstRows k;
  ConstRows v;
  float scale() const { return 1 / std::sqrt(static_cast<float>(size)); }
  std::int64_t in_tile(std::int64_t first) const { return std::min(side, length - first); }

  void scores(std::int64_t first_query, std::int64_t first_key, Rows tile) const {
    product(Side::as_it_is, Side::transposed, in_tile(first_query), in_tile(first_key), size, scale(),
            q.from(first_query), k.from(first_key), false, tile);
  }
};

// How many of the tile's keys the query may see.
std::int64_t visible(std::int64_t query, std::int64_t first_key, std::int64_t keys) {
  return std::min(keys, query + 1 - first_key);
}

void forward_of(const Head& head, Rows out, float* log_sum_exp) {
  Tile memory;
  const Rows tile{memory.data(), side};
  for (std::int64_t first = 0; first < head.length; first += side) {
    const std::int64_t queries = head.in_tile(first);
    std::array<float, side> maximum;
    std::array<double, side> sum{};
    maximum.fill(-std::numeric_limits<float>::infinity());
    for (std::int64_t key = 0; key <= first; key += side) {
      const std::int64_t keys = head.in_tile(key);
      head.scores(first, key, tile);
      for (std::int64_t i = 0; i < queries; ++i) {
        const std::int64_t seen = visible(first + i, key, keys);
        const auto at = static_cast<std::size_t>(i);
        const float largest = std::max(maximum[at], row_maximum(tile.row(i), seen));
        const float shrunk = exp_of_non_positive(maximum[at] - largest);
        maximum[at] = largest;
        sum[at] = sum[at] * static_cast<double>(shrunk) + exponentials(tile.row(i), largest, tile.row(i), seen);
        std::fill(tile.row(i) + seen, tile.row(i) + keys, 0.0F);
        if (key > 0) scale_row(out.row(first + i), shrunk, head.size);
      }
      product(Side::as_it_is, Side::as_it_is, queries, head.size, keys, 1, tile, head.v.from(key), key > 0,
              out.from(first));
    }
    for (std::int64_t i = 0; i < queries; ++i) {
      const auto at = static_cast<std::size_t>(i);
      scale_row(out.row(first + i), static_cast<float>(1 / sum[at]), head.size);
      log_sum_exp[first + i] = maximum[at] + static_cast<float>(natural_logarithm(sum[at]));
    }
  }
}

struct HeadGradients {
  Rows dq;
  Rows dk;
  Rows dv;
};

// With p the softmax of the scores: dv = p^T dout; dscores = p * (dout v^T - sum(dout * out)); dq = scale * dscores k;
// dk = scale * dscores^T q.
void backward_of(const Head& head, ConstRows out, const float* log_sum_exp, ConstRows dout, const HeadGradients& to) {
  Tile p_memory;
  Tile dp_memory;
  const Rows p{p_memory.data(), side};
  const Rows dp{dp_memory.data(), side};
  for (std::int64_t first = 0; first < head.length; first += side) {
    const std::int64_t queries = head.in_tile(first);
    for (std::int64_t key = 0; key <= first; key += side) {
      const std::int64_t keys = head.in_tile(key);
      head.scores(first, key, p);
      product(Side::as_it_is, Side::transposed, queries, keys, head.size, 1, dout.from(first), head.v.from(key), false,
              dp);
      for (std::int64_t i = 0; i < queries; ++i) {
        const std::int64_t query = first + i;
        const std::int64_t seen = visible(query, key, keys);
        exponentials(p.row(i), log_sum_exp[query], p.row(i), seen);
        score_gradients(p.row(i), dot(dout.row(query), out.row(query), head.size), dp.row(i), seen);
        std::fill(p.row(i) + seen, p.row(i) + keys, 0.0F);
        std::fill(dp.row(i) + seen, dp.row(i) + keys, 0.0F);
      }
      const bool first_of_keys = key == first;
      product(Side::transposed, Side::as_it_is, keys, head.size, queries, 1, p, dout.from(first), !first_of_keys,
              to.dv.from(key));
      product(Side::transposed, Side::as_it_is, keys, head.size, queries, head.scale(), dp, head.q.from(first),
              !first_of_keys, to.dk.from(key));
      product(Side::as_it_is, Side::as_it_is, queries, head.size, keys, head.scale(), dp, head.k.from(key), key > 0,
              to.dq.from(first));
    }
  }
}

class CpuAttention : public Attention {
 public:
  CpuAttention(CpuDevice& device, const AttentionShape& s)
      : device_(device),
        shape_(s),
        qkv_(make_plain_layout({s.rows(), 3 * s.columns()})),
        out_(make_plain_layout({s.rows(), s.columns()})) {}

  void forward(ConstView qkv, View out, float* log_sum_exp, Stream& /*stream*/) override {
    expect(qkv, qkv_, "attention forward: qkv");
    expect(out, out_, "attention forward: out");
    device_.use_threads();
    for_heads([&](std::int64_t i, std::int64_t in, std::int64_t at) {
      forward_of(head(qkv, in), {out.f32() + at, shape_.columns()}, log_sum_exp + i * shape_.length);
    });
  }

  void backward(ConstView qkv, ConstView out, const float* log_sum_exp, ConstView dout, View dqkv,
                Stream& /*stream*/) override {
    expect(qkv, qkv_, "attention backward: qkv");
    expect(out, out_, "attention backward: out");
    expect(dout, out_, "attention backward: dout");
    expect(dqkv, qkv_, "attention backward: dqkv");
    device_.use_threads();
    const std::int64_t columns = shape_.columns();
    for_heads([&](std::int64_t i, std::int64_t in, std::int64_t at) {
      float* to = dqkv.f32() + in;
      backward_of(head(qkv, in), {out.f32() + at, columns}, log_sum_exp + i * shape_.length, {dout.f32() + at, columns},
                  {{to, 3 * columns}, {to + columns, 3 * columns}, {to + 2 * columns, 3 * columns}});
    });
  }

 private:
  // use(number of the head, where its q begins in qkv, where its columns begin in out)
  template <class Use>
  void for_heads(Use use) const {
    for (std::int64_t i = 0; i < shape_.batch * shape_.heads; ++i) {
      const std::int64_t row = i / shape_.heads * shape_.length;
      const std::int64_t column = i % shape_.heads * shape_.head_size;
      use(i, row * 3 * shape_.columns() + column, row * shape_.columns() + column);
    }
  }
  Head head(const ConstView& qkv, std::int64_t at) const {
    const float* q = qkv.f32() + at;
    const std::int64_t columns = shape_.columns();
    return {
        shape_.length, shape_.head_size, {q, 3 * columns}, {q + columns, 3 * columns}, {q + 2 * columns, 3 * columns}};
  }

  CpuDevice& device_;
  AttentionShape shape_;
  LayoutPtr qkv_;
  LayoutPtr out_;
};

}  // namespace

std::unique_ptr<Attention> make_attention(CpuDevice& device, const AttentionShape& shape) {
  return std::make_unique<CpuAttention>(device, shape);
}

}  // namespace lockstep::kernels::cpu
