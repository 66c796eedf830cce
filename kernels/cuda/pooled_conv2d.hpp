// The kernels of a pooled convolution (kernels/operations.hpp has the formula), a file for each direction, for
// pooled_conv2d.cpp. Images are channels-last, weights plain. T: float or Bf16.
#pragma once

#include "kernels/bf16.hpp"
#include "kernels/cuda/device.hpp"

namespace lockstep::kernels::cuda {

// winners (batch, out_height, out_width, out_channels): the place in its window, in row-major order, of the element
// that y is; nobody where y is not above 0, so that no gradient passes.
constexpr std::uint8_t nobody = 4;

template <class T>
void pooled_conv2d_forward(const PooledConv2dShape& shape, const T* x, const T* weight, const T* bias, T* y,
                           std::uint8_t* winners, Stream& stream);

template <class T>
void pooled_conv2d_data(const PooledConv2dShape& shape, const T* dy, const std::uint8_t* winners, const T* weight,
                        T* dx, Stream& stream);

// With memory for sums of parts of the batch.
template <class T>
class PooledConv2dWeights {
 public:
  PooledConv2dWeights(CudaDevice& device, const PooledConv2dShape& shape);
  void run(const T* x, const T* dy, const std::uint8_t* winners, T* dweight, T* dbias, Stream& stream);

 private:
  PooledConv2dShape shape_;
  std::int64_t tiles_;  // of all images
  std::int64_t tiles_of_block_;
  std::int64_t blocks_;
  std::int64_t parts_;
  Buffer shares_;  // (parts, 9 * in_channels + 1, out_channels) floats
};

}  // namespace lockstep::kernels::cuda
