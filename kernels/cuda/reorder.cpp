// Between plain and channels-last memory; between equal layouts a copy. Either side may lie in host memory only where
// the layouts are equal.
#include "common/error.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/make_for.hpp"
#include "kernels/cuda/operations.hpp"
#include "kernels/cuda/transpose.hpp"

namespace lockstep::kernels::cuda {
namespace {

template <class T>
class CudaReorder : public Reorder {
 public:
  CudaReorder(CudaDevice& device, const LayoutPtr& from, const LayoutPtr& to) : device_(device), from_(from), to_(to) {
    if (from->shape() != to->shape() || from->type() != to->type()) {
      throw failure("a reorder needs two layouts of one shape and type");
    }
    if (from->plain() == to->plain()) return;
    staging_ = device.allocate(from->bytes());
  }

  void run(ConstView from, View to, Stream& stream) override {
    expect(from, from_, "reorder: source");
    expect(to, to_, "reorder: destination");
    ++device_.counters().reorders;
    if (from_->plain() == to_->plain()) return device_.copy(to.data, from.data, from_->bytes(), stream);
    // What is plain may be the host's.
    const Shape& shape = from_->shape();
    const std::int64_t places = shape[2] * shape[3];
    auto* staging = static_cast<T*>(staging_.data());
    if (from_->plain()) {
      device_.copy(staging, from.data, from_->bytes(), stream);
      transpose(staging, to.as<T>(), shape[0], shape[1], places, stream);
    } else {
      transpose(from.as<T>(), staging, shape[0], places, shape[1], stream);
      device_.copy(to.data, staging, to_->bytes(), stream);
    }
  }

 private:
  CudaDevice& device_;
  LayoutPtr from_;
  LayoutPtr to_;
  Buffer staging_;
};

}  // namespace

std::unique_ptr<Reorder> make_reorder(CudaDevice& device, const LayoutPtr& from, const LayoutPtr& to) {
  return make_for<Reorder, CudaReorder>(from->type(), device, from, to);
}

}  // namespace lockstep::kernels::cuda
