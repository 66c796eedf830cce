// Traffic: gather reads every image element kernel^2 / stride^2 times (from the caches after the first) and writes 4
// bytes for each element of a patch; scatter reads those and writes 4 bytes for each of the images'. Threads run along
// channels.
#include "kernels/cuda/patches.hpp"

#include "kernels/cuda/elementwise.hpp"

namespace lockstep::kernels::cuda {
namespace {

struct Geometry {
  int channels;
  int height;
  int width;
  int out_height;
  int out_width;
  int kernel;
  int stride;
  int padding;
};

template <class T>
__global__ void gather(const T* images, T* patches, std::int64_t count, Geometry g) {
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t i = thread_of_grid(); i < count; i += stride) {
    const int channel = static_cast<int>(i % g.channels);
    const std::int64_t window = i / g.channels;
    const int in_kernel = static_cast<int>(window % (g.kernel * g.kernel));
    const std::int64_t place = window / (g.kernel * g.kernel);
    const int out_x = static_cast<int>(place % g.out_width);
    const int out_y = static_cast<int>(place / g.out_width % g.out_height);
    const std::int64_t sample = place / g.out_width / g.out_height;
    const int y = out_y * g.stride - g.padding + in_kernel / g.kernel;
    const int x = out_x * g.stride - g.padding + in_kernel % g.kernel;
    const bool inside = y >= 0 && y < g.height && x >= 0 && x < g.width;
    patches[i] = inside ? images[((sample * g.height + y) * g.width + x) * g.channels + channel] : T{};
  }
}

// A thread an image element: it looks at every window that has it, in their order.
template <class T>
__global__ void scatter(const T* patches, T* images, std::int64_t count, Geometry g) {
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t i = thread_of_grid(); i < count; i += stride) {
    const int channel = static_cast<int>(i % g.channels);
    const int x = static_cast<int>(i / g.channels % g.width);
    const int y = static_cast<int>(i / g.channels / g.width % g.height);
    const std::int64_t sample = i / g.channels / g.width / g.height;
    float sum = 0;
    for (int row = 0; row < g.kernel; ++row) {
      const int down = y + g.padding - row;
      if (down < 0 || down % g.stride != 0 || down / g.stride >= g.out_height) continue;
      for (int column = 0; column < g.kernel; ++column) {
        const int across = x + g.padding - column;
        if (across < 0 || across % g.stride != 0 || across / g.stride >= g.out_width) continue;
        const std::int64_t place = (sample * g.out_height + down / g.stride) * g.out_width + across / g.stride;
        sum += widened(patches[((place * g.kernel + row) * g.kernel + column) * g.channels + channel]);
      }
    }
    images[i] = rounded<T>(sum);
  }
}

Geometry geometry_of(const Conv2dShape& s) {
  return {static_cast<int>(s.in_channels),  static_cast<int>(s.height),      static_cast<int>(s.width),
          static_cast<int>(s.out_height()), static_cast<int>(s.out_width()), static_cast<int>(s.kernel),
          static_cast<int>(s.stride),       static_cast<int>(s.padding)};
}

Launch one_thread_each(const char* kernel, std::int64_t count, Stream& stream) {
  constexpr std::int64_t most_blocks = 65535;
  const std::int64_t wanted = (count + elementwise_threads - 1) / elementwise_threads;
  return {kernel, dim3(static_cast<unsigned>(wanted < most_blocks ? wanted : most_blocks)), dim3(elementwise_threads),
          0, of(stream)};
}

}  // namespace

template <class T>
void gather_patches(const Conv2dShape& shape, std::int64_t samples, const T* images, T* patches, Stream& stream) {
  const std::int64_t count =
      samples * shape.out_height() * shape.out_width() * shape.kernel * shape.kernel * shape.in_channels;
  launch(one_thread_each("gather", count, stream), gather<T>, images, patches, count, geometry_of(shape));
}

template <class T>
void scatter_patches(const Conv2dShape& shape, std::int64_t samples, const T* patches, T* images, Stream& stream) {
  const std::int64_t count = samples * shape.height * shape.width * shape.in_channels;
  launch(one_thread_each("scatter", count, stream), scatter<T>, patches, images, count, geometry_of(shape));
}

template void gather_patches(const Conv2dShape&, std::int64_t, const float*, float*, Stream&);
template void gather_patches(const Conv2dShape&, std::int64_t, const Bf16*, Bf16*, Stream&);
template void scatter_patches(const Conv2dShape&, std::int64_t, const float*, float*, Stream&);
template void scatter_patches(const Conv2dShape&, std::int64_t, const Bf16*, Bf16*, Stream&);

}  // namespace lockstep::kernels::cuda
