// Token and position embeddings; gradients are added up in the order of the rows.
#include <algorithm>

#include "kernels/cpu/layout.hpp"
#include "kernels/cpu/loops.hpp"
#include "kernels/cpu/operations.hpp"

namespace lockstep::kernels::cpu {
namespace {

LOCKSTEP_VECTOR_CLONES void sum_of_two(const float* a, const float* b, float* y, std::int64_t columns) {
  for (std::int64_t i = 0; i < columns; ++i) y[i] = a[i] + b[i];
}

class CpuEmbedding : public Embedding {
 public:
  explicit CpuEmbedding(const EmbeddingShape& s)
      : shape_(s),
        tokens_(make_plain_layout({s.vocabulary, s.columns})),
        positions_(make_plain_layout({s.positions, s.columns})),
        y_(make_plain_layout({s.batch * s.length, s.columns})) {}

  void forward(const std::int32_t* ids, ConstView tokens, ConstView positions, View y, Stream& /*stream*/) override {
    expect(tokens, tokens_, "embedding forward: tokens");
    expect(positions, positions_, "embedding forward: positions");
    expect(y, y_, "embedding forward: y");
    const std::int64_t columns = shape_.columns;
    for (std::int64_t row = 0; row < shape_.batch * shape_.length; ++row) {
      sum_of_two(tokens.f32() + ids[row] * columns, positions.f32() + row % shape_.length * columns,
                 y.f32() + row * columns, columns);
    }
  }

  void backward(const std::int32_t* ids, ConstView dy, View dtokens, View dpositions, Stream& /*stream*/) override {
    expect(dy, y_, "embedding backward: dy");
    expect(dtokens, tokens_, "embedding backward: dtokens");
    expect(dpositions, positions_, "embedding backward: dpositions");
    const std::int64_t columns = shape_.columns;
    std::fill_n(dpositions.f32(), positions_->elements(), 0.0F);
    for (std::int64_t row = 0; row < shape_.batch * shape_.length; ++row) {
      float* token = dtokens.f32() + ids[row] * columns;
      float* position = dpositions.f32() + row % shape_.length * columns;
      sum_of_two(token, dy.f32() + row * columns, token, columns);
      sum_of_two(position, dy.f32() + row * columns, position, columns);
    }
  }

 private:
  EmbeddingShape shape_;
  LayoutPtr tokens_;
  LayoutPtr positions_;
  LayoutPtr y_;
};

}  // namespace

std::unique_ptr<Embedding> make_embedding(const EmbeddingShape& shape) { return std::make_unique<CpuEmbedding>(shape); }

}  // namespace lockstep::kernels::cpu
