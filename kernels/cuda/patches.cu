// Threads run along channels.
// Traffic: gather writes 4 bytes for each element of a patch and reads 4 for each that lies inside the image, so every
// image element kernel^2 / stride^2 times, from the caches after the first; scatter reads 4 bytes for each of those and
// writes 4 for each of the images'. Channels that are no multiple of four go one at a time: a warp's run of them begins
// and ends within sectors, and is two where it goes over to another place, which is up to two sectors more than the
// four that it needs, so half as much again of what is read.
#include "kernels/cuda/patches.hpp"

#include <algorithm>
#include <type_traits>

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

__global__ void gather(const float* images, float* patches, std::int64_t count, Geometry g) {
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
    patches[i] = inside ? images[((sample * g.height + y) * g.width + x) * g.channels + channel] : 0.0F;
  }
}

// Four channels at a time: a thread an output place and four channels, for all of its window.
__global__ void gather_fours(const float4* images, float4* patches, std::int64_t count, Geometry g) {
  const int groups = g.channels / 4;
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t i = thread_of_grid(); i < count; i += stride) {
    const int group = static_cast<int>(i % groups);
    const std::int64_t place = i / groups;
    const int left = static_cast<int>(place % g.out_width) * g.stride - g.padding;
    const int top = static_cast<int>(place / g.out_width % g.out_height) * g.stride - g.padding;
    const std::int64_t sample = place / g.out_width / g.out_height;
    const float4* image = images + sample * g.height * g.width * groups + group;
    float4* patch = patches + place * g.kernel * g.kernel * groups + group;
    for (int y = top; y < top + g.kernel; ++y) {
      for (int x = left; x < left + g.kernel; ++x, patch += groups) {
        const bool inside = y >= 0 && y < g.height && x >= 0 && x < g.width;
        *patch = inside ? image[(static_cast<std::int64_t>(y) * g.width + x) * groups] : float4{0, 0, 0, 0};
      }
    }
  }
}

__device__ void add(float& sum, float value) { sum += value; }
__device__ void add(float4& sum, const float4& value) {
  sum.x += value.x;
  sum.y += value.y;
  sum.z += value.z;
  sum.w += value.w;
}

// A thread an image element, or four channels of one: it looks at every window that has it, the last one first, which
// is the order of its places in them.
template <class T>
__global__ void scatter(const T* patches, T* images, std::int64_t count, Geometry g) {
  const int channels = std::is_same_v<T, float4> ? g.channels / 4 : g.channels;
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t i = thread_of_grid(); i < count; i += stride) {
    const int channel = static_cast<int>(i % channels);
    const int across = static_cast<int>(i / channels % g.width) + g.padding;
    const int down = static_cast<int>(i / channels / g.width % g.height) + g.padding;
    const std::int64_t sample = i / channels / g.width / g.height;
    const int last_x = std::min(across / g.stride, g.out_width - 1);
    const int last_y = std::min(down / g.stride, g.out_height - 1);
    // From a window to the one before it: a patch back, and `stride` columns on within it.
    const std::int64_t step = static_cast<std::int64_t>(g.stride - g.kernel * g.kernel) * channels;
    T sum{};
    for (int out_y = last_y; out_y >= 0 && down - out_y * g.stride < g.kernel; --out_y) {
      const int row = down - out_y * g.stride;
      int column = across - last_x * g.stride;
      const std::int64_t place = (sample * g.out_height + out_y) * g.out_width + last_x;
      std::int64_t at = ((place * g.kernel + row) * g.kernel + column) * channels + channel;
      for (int out_x = last_x; out_x >= 0 && column < g.kernel; --out_x, column += g.stride, at += step) {
        add(sum, patches[at]);
      }
    }
    images[i] = sum;
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

// Whether memory may be taken four channels at a time.
bool in_fours(const Conv2dShape& shape, const float* images, const float* patches) {
  return shape.in_channels % 4 == 0 && extent_of(4, images, patches).groups == 1;
}

}  // namespace

void gather_patches(const Conv2dShape& shape, std::int64_t samples, const float* images, float* patches,
                    Stream& stream) {
  const std::int64_t places = samples * shape.out_height() * shape.out_width();
  if (in_fours(shape, images, patches)) {
    const std::int64_t count = places * shape.in_channels / 4;
    launch(one_thread_each("gather_fours", count, stream), gather_fours, reinterpret_cast<const float4*>(images),
           reinterpret_cast<float4*>(patches), count, geometry_of(shape));
  } else {
    const std::int64_t count = places * shape.kernel * shape.kernel * shape.in_channels;
    launch(one_thread_each("gather", count, stream), gather, images, patches, count, geometry_of(shape));
  }
}

void scatter_patches(const Conv2dShape& shape, std::int64_t samples, const float* patches, float* images,
                     Stream& stream) {
  const std::int64_t count = samples * shape.height * shape.width * shape.in_channels;
  if (in_fours(shape, images, patches)) {
    launch(one_thread_each("scatter<float4>", count / 4, stream), scatter<float4>,
           reinterpret_cast<const float4*>(patches), reinterpret_cast<float4*>(images), count / 4, geometry_of(shape));
  } else {
    launch(one_thread_each("scatter<float>", count, stream), scatter<float>, patches, images, count,
           geometry_of(shape));
  }
}

}  // namespace lockstep::kernels::cuda
