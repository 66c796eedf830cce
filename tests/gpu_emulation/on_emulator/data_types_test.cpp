// What is refused between data types, and how a device multiplies float32: as it is, or as TensorFloat-32 with 10 bits
// of mantissa.
#include "common/error.hpp"
#include "tests/kernels/compare.hpp"

namespace lockstep::kernels {
namespace {

using DataTypes = OnDevice;

TEST_F(DataTypes, AreNeverMixedByAccident) {
  const auto wide = make_plain_layout(*device, {2, 8}, DataType::f32);
  const auto narrow = make_plain_layout(*device, {2, 8}, DataType::bf16);
  EXPECT_EQ(wide->bytes(), 64);
  EXPECT_EQ(narrow->bytes(), 32);
  const auto plan = make_relu(*device, narrow, DataType::bf16);
  EXPECT_THROW(plan->forward(empty(wide), empty(narrow), *stream), Error);
  EXPECT_THROW(plan->forward(empty(narrow), empty(wide), *stream), Error);
  EXPECT_THROW(make_relu(*device, narrow, DataType::f32), Error);
  EXPECT_THROW(make_dropout(*device, wide, 0.5F, DataType::bf16), Error);
  EXPECT_THROW(make_reorder(*device, wide, narrow), Error);
  plan->forward(empty(narrow), empty(narrow), *stream);
  stream->synchronize();
}

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
