#include "kernels/cuda/attention.hpp"

#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/make_for.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels::cuda {
namespace {

template <class T>
class CudaAttention : public Attention {
 public:
  CudaAttention(CudaDevice& device, const AttentionShape& s, DataType type)
      : shape_(s),
        qkv_(make_layout({s.rows(), 3 * s.columns()}, type)),
        out_(make_layout({s.rows(), s.columns()}, type)),
        along_(device.allocate(static_cast<std::size_t>(s.rows() * s.heads) * sizeof(float))) {}

  void forward(ConstView qkv, View out, float* log_sum_exp, Stream& stream) override {
    expect(qkv, qkv_, "attention forward: qkv");
    expect(out, out_, "attention forward: out");
    attention_forward(shape_, qkv.as<T>(), out.as<T>(), log_sum_exp, stream);
  }

  void backward(ConstView qkv, ConstView out, const float* log_sum_exp, ConstView dout, View dqkv,
                Stream& stream) override {
    expect(qkv, qkv_, "attention backward: qkv");
    expect(out, out_, "attention backward: out");
    expect(dout, out_, "attention backward: dout");
    expect(dqkv, qkv_, "attention backward: dqkv");
    attention_backward(shape_, qkv.as<T>(), out.as<T>(), log_sum_exp, dout.as<T>(), static_cast<float*>(along_.data()),
                       dqkv.as<T>(), stream);
  }

 private:
  AttentionShape shape_;
  LayoutPtr qkv_;
  LayoutPtr out_;
  Buffer along_;
};

}  // namespace

std::unique_ptr<Attention> make_attention(CudaDevice& device, const AttentionShape& shape, DataType type) {
  return make_for<Attention, CudaAttention>(type, device, shape, type);
}

}  // namespace lockstep::kernels::cuda
