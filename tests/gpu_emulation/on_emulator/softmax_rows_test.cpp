// A row of logits that does not fit into shared memory is read twice, and nobody can tell by the result.
#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

class SoftmaxRows : public OnDevice {
 protected:
  static constexpr int rows = 3;
  static constexpr int classes = 4099;  // of rows that begin at four different places of 16 bytes

  struct Result {
    std::vector<float> dlogits;
    double loss;
    bool operator==(const Result&) const = default;
  };
  Result on_device_with(std::size_t shared_bytes) {
    emulation::settings().most_shared_bytes = shared_bytes;
    device = make_cuda_device(0);
    stream = device->make_stream();
    const auto layout = plain({rows, classes});
    const Tensor dlogits = empty(layout);
    const Buffer labels = moved(std::vector<std::int32_t>{0, 17, classes - 1});
    const Buffer sums = moved(std::vector<LossSums>(1));
    make_softmax_cross_entropy(*device, rows, classes, type)
        ->run(filled(layout, rounded(20 * random_matrix(rows, classes, 1))),
              static_cast<const std::int32_t*>(labels.data()), 1, dlogits, static_cast<LossSums*>(sums.data()),
              *stream);
    return {values(dlogits), back<LossSums>(sums)[0].loss};
  }
};

TEST_F(SoftmaxRows, GiveTheSameBitsHeldOrReadTwice) {
  in_every_type([&] {
    const Result held = on_device_with(std::size_t{227} << 10U);
    const Result read_twice = on_device_with(1024);
    EXPECT_TRUE(held == read_twice);
    EXPECT_GT(held.loss, 0);
  });
}

}  // namespace
}  // namespace lockstep::kernels
