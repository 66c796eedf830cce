// How a device multiplies float32: as it is, or as TensorFloat-32 with 10 bits of mantissa.
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

class MatmulPrecisions : public OnDevice {
 protected:
  float product_of(MatmulPrecision precision, DataType of, double x) {
    device = make_cuda_device(0, precision);
    stream = device->make_stream();
    type = of;
    const auto one = plain({1, 1});
    const Tensor y = empty(one);
    make_dense(*device, {1, 1, 1, false, false}, type)
        ->forward(filled(one, std::vector<double>{x}), filled(one, std::vector<double>{1}), {}, y, *stream);
    return values(y)[0];
  }
};

TEST_F(MatmulPrecisions, Tf32RoundsOperandsAndIsChosenWithTheDevice) {
  EXPECT_EQ(product_of(MatmulPrecision::f32, DataType::f32, 1 + 0x1p-12), 1 + 0x1p-12F);
  EXPECT_EQ(product_of(MatmulPrecision::tf32, DataType::f32, 1 + 0x1p-12), 1);
  EXPECT_EQ(product_of(MatmulPrecision::tf32, DataType::f32, 1 + 0x1p-10), 1 + 0x1p-10F);
  EXPECT_EQ(product_of(MatmulPrecision::tf32, DataType::bf16, 1 + 0x1p-7), 1 + 0x1p-7F);
}

}  // namespace
}  // namespace lockstep::kernels
