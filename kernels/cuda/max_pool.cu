// Maximum over kernel x kernel windows, in the layout of the input. A tie goes to the window's first element in
// row-major order; NaN wins over everything. Kernel sizes up to 16: a winner is a byte.
// Traffic, channels last: forward 4 bytes for each element of a window (where windows overlap, from the caches after
// the first time) and 5 an output; backward of windows that do not overlap 5 an output and 4 an input; of those that
// do, at most 5 for each element of a window and 4 an input. In plain memory neighbouring lanes are a stride apart, so
// every sector of x, or of dx, is asked for `stride` times.
#include "kernels/cuda/elementwise.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/operations.hpp"

namespace lockstep::kernels::cuda {
namespace {

struct PoolGeometry {
  std::int64_t batch;
  std::int64_t channels;
  std::int64_t height;
  std::int64_t width;
  std::int64_t out_height;
  std::int64_t out_width;
  int kernel;
  int stride;
  bool channels_last;
};

struct Place {
  std::int64_t sample;
  std::int64_t channel;
  std::int64_t row;
  std::int64_t column;
};

// The i-th element in memory of an image (height, width) for every sample and channel, and back.
__device__ Place place_at(std::int64_t i, const PoolGeometry& g, std::int64_t height, std::int64_t width) {
  if (g.channels_last) {
    return {i / (g.channels * width * height), i % g.channels, i / (g.channels * width) % height,
            i / g.channels % width};
  }
  return {i / (width * height * g.channels), i / (width * height) % g.channels, i / width % height, i % width};
}
__device__ std::int64_t index_of(const Place& at, const PoolGeometry& g, std::int64_t height, std::int64_t width) {
  if (g.channels_last) return ((at.sample * height + at.row) * width + at.column) * g.channels + at.channel;
  return ((at.sample * g.channels + at.channel) * height + at.row) * width + at.column;
}

// Of `stride` inputs each, along one side; the last may have fewer.
__host__ __device__ std::int64_t cells(std::int64_t side, const PoolGeometry& g) {
  return (side + g.stride - 1) / g.stride;
}

// A thread an output.
__global__ void max_pool_forward(const float* x, float* y, std::uint8_t* winners, std::int64_t count, PoolGeometry g) {
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t i = thread_of_grid(); i < count; i += stride) {
    const Place out = place_at(i, g, g.out_height, g.out_width);
    Place in{out.sample, out.channel, out.row * g.stride, out.column * g.stride};
    float best = x[index_of(in, g, g.height, g.width)];
    int winner = 0;
    for (int k = 1; k < g.kernel * g.kernel; ++k) {
      in.row = out.row * g.stride + k / g.kernel;
      in.column = out.column * g.stride + k % g.kernel;
      const float value = x[index_of(in, g, g.height, g.width)];
      if (value > best || (value != value && best == best)) {
        best = value;
        winner = k;
      }
    }
    y[i] = best;
    winners[i] = static_cast<std::uint8_t>(winner);
  }
}

// Windows that do not overlap (kernel <= stride). A thread a cell of stride x stride inputs, which has one window or,
// at the edges, none: what the window has is read once.
__global__ void max_pool_backward_apart(const float* dy, const std::uint8_t* winners, float* dx, std::int64_t count,
                                        PoolGeometry g) {
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t i = thread_of_grid(); i < count; i += stride) {
    const Place cell = place_at(i, g, cells(g.height, g), cells(g.width, g));
    int winner = -1;
    float gradient = 0;
    if (cell.row < g.out_height && cell.column < g.out_width) {
      const std::int64_t out = index_of(cell, g, g.out_height, g.out_width);
      winner = winners[out];
      gradient += dy[out];
    }
    for (int row = 0; row < g.stride && cell.row * g.stride + row < g.height; ++row) {
      for (int column = 0; column < g.stride && cell.column * g.stride + column < g.width; ++column) {
        const bool wins = column < g.kernel && row * g.kernel + column == winner;
        const Place in{cell.sample, cell.channel, cell.row * g.stride + row, cell.column * g.stride + column};
        dx[index_of(in, g, g.height, g.width)] = wins ? gradient : 0;
      }
    }
  }
}

// A thread an input: it looks at every window that has it, so nobody adds to what another writes.
__global__ void max_pool_backward(const float* dy, const std::uint8_t* winners, float* dx, std::int64_t count,
                                  PoolGeometry g) {
  const std::int64_t stride = threads_of_grid();
  for (std::int64_t i = thread_of_grid(); i < count; i += stride) {
    const Place in = place_at(i, g, g.height, g.width);
    const auto first = [&g](std::int64_t at) { return at < g.kernel ? 0 : (at - g.kernel) / g.stride + 1; };
    float sum = 0;
    for (std::int64_t row = first(in.row); row < g.out_height && row * g.stride <= in.row; ++row) {
      for (std::int64_t column = first(in.column); column < g.out_width && column * g.stride <= in.column; ++column) {
        const std::int64_t out = index_of({in.sample, in.channel, row, column}, g, g.out_height, g.out_width);
        const std::int64_t k = (in.row - row * g.stride) * g.kernel + in.column - column * g.stride;
        if (winners[out] == k) sum += dy[out];
      }
    }
    dx[i] = sum;
  }
}

class CudaMaxPool : public MaxPool {
 public:
  CudaMaxPool(CudaDevice& device, const MaxPoolShape& shape) : device_(device), x_(shape.x) {
    const Shape& in = shape.x->shape();
    geometry_ = {in[0],
                 in[1],
                 in[2],
                 in[3],
                 (in[2] - shape.kernel) / shape.stride + 1,
                 (in[3] - shape.kernel) / shape.stride + 1,
                 static_cast<int>(shape.kernel),
                 static_cast<int>(shape.stride),
                 !shape.x->plain()};
    y_ = make_layout({in[0], in[1], geometry_.out_height, geometry_.out_width},
                     geometry_.channels_last ? Order::channels_last : Order::plain);
  }

  const LayoutPtr& y() const override { return y_; }
  std::size_t workspace_bytes() const override { return static_cast<std::size_t>(y_->elements()); }

  void forward(ConstView x, View y, void* workspace, Stream& stream) override {
    expect(x, x_, "max_pool forward: x");
    expect(y, y_, "max_pool forward: y");
    const std::int64_t count = y_->elements();
    launch(elementwise_launch("max_pool_forward", device_, {count, 0}, stream), max_pool_forward, x.f32(), y.f32(),
           static_cast<std::uint8_t*>(workspace), count, geometry_);
  }

  void backward(ConstView dy, const void* workspace, View dx, Stream& stream) override {
    expect(dy, y_, "max_pool backward: dy");
    expect(dx, x_, "max_pool backward: dx");
    const auto* winners = static_cast<const std::uint8_t*>(workspace);
    const auto queue = [&](const char* name, auto kernel, std::int64_t count) {
      launch(elementwise_launch(name, device_, {count, 0}, stream), kernel, dy.f32(), winners, dx.f32(), count,
             geometry_);
    };
    const PoolGeometry& g = geometry_;
    if (g.kernel <= g.stride) {
      queue("max_pool_backward_apart", max_pool_backward_apart,
            g.batch * g.channels * cells(g.height, g) * cells(g.width, g));
    } else {
      queue("max_pool_backward", max_pool_backward, x_->elements());
    }
  }

 private:
  CudaDevice& device_;
  LayoutPtr x_;
  LayoutPtr y_;
  PoolGeometry geometry_{};
};

}  // namespace

std::unique_ptr<MaxPool> make_max_pool(CudaDevice& device, const MaxPoolShape& shape) {
  return std::make_unique<CudaMaxPool>(device, shape);
}

}  // namespace lockstep::kernels::cuda
