// Convolution windows laid out as a matrix's rows, so that a convolution is one matrix product (im2col), and back.
#pragma once

#include "kernels/operations.hpp"

namespace lockstep::kernels::cuda {

// Images are channels-last. patches (samples * out_height * out_width, kernel * kernel * in_channels): row (s, y, x)
// has the window of that output, (row, column, channel) by (row, column, channel); zeros where it leaves the image.
template <class T>
void gather_patches(const Conv2dShape& shape, std::int64_t samples, const T* images, T* patches, Stream& stream);
// images = for each element the sum of its places in all patches.
template <class T>
void scatter_patches(const Conv2dShape& shape, std::int64_t samples, const T* patches, T* images, Stream& stream);

}  // namespace lockstep::kernels::cuda
