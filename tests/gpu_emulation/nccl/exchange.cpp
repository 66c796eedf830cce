#include "tests/gpu_emulation/nccl/exchange.hpp"

#include <cuda_bf16.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "tests/gpu_emulation/engine/engine.hpp"

namespace lockstep::emulation {
namespace {

// Calls with a value of the type, and of the type that it is added up in.
template <class Act>
void with_type(ncclDataType_t type, Act act) {
  switch (type) {
    case ncclFloat32:
      return act(float{}, float{});
    case ncclFloat64:
      return act(double{}, double{});
    case ncclBfloat16:
      return act(__nv_bfloat16{}, float{});
    case ncclInt32:
      return act(std::int32_t{}, std::int32_t{});
    case ncclInt64:
      return act(std::int64_t{}, std::int64_t{});
    case ncclUint8:
      return act(std::uint8_t{}, std::uint8_t{});
    default:
      break;
  }
}

// In the order of the ranks; NCCL leaves its order open, and rounds bf16 at places of its own.
void reduce(const World& world, const Request& request, std::size_t count, std::byte* to) {
  with_type(request.type, [&](auto element, auto wide) {
    using Element = decltype(element);
    using Wide = decltype(wide);
    std::vector<Wide> sums(count);
    for (int rank = 0; rank < world.ranks(); ++rank) {
      const auto* from = reinterpret_cast<const Element*>(world.bytes_of(rank));
      for (std::size_t i = 0; i < count; ++i) {
        const auto value = static_cast<Wide>(from[i]);
        if (rank == 0) {
          sums[i] = value;
        } else {
          sums[i] = request.operation == ncclMax ? std::max(sums[i], value) : static_cast<Wide>(sums[i] + value);
        }
      }
    }
    auto* results = reinterpret_cast<Element*>(to);
    for (std::size_t i = 0; i < count; ++i) results[i] = static_cast<Element>(sums[i]);
  });
}

bool same(const Request& a, const Request& b) {
  return a.number == b.number && a.kind == b.kind && a.type == b.type && a.operation == b.operation &&
         a.count == b.count && a.root == b.root;
}

}  // namespace

std::size_t bytes_of(ncclDataType_t type) {
  std::size_t bytes = 0;
  with_type(type, [&](auto element, auto /*wide*/) { bytes = sizeof element; });
  return bytes;
}

std::size_t Exchange::input_count() const {
  return request_.kind == Kind::reduce_scatter ? request_.count * static_cast<std::size_t>(world_.ranks())
                                               : request_.count;
}

bool Exchange::advance() {
  const std::size_t size = bytes_of(request_.type);
  while (true) {
    if (!waiting_) {
      posted_ = std::min(World::chunk_bytes / size, input_count() - done_);
      const bool gives = request_.kind != Kind::broadcast || request_.root == world_.rank();
      world_.post(request_, send_ + done_ * size, gives ? posted_ * size : 0);
      waiting_ = true;
    }
    if (!world_.have_all_posted()) return false;
    waiting_ = false;
    check_same();
    take(done_, posted_);
    done_ += posted_;
    if (done_ == input_count()) return true;
  }
}

void Exchange::check_same() const {
  const Request& first = world_.request_of(0);
  for (int rank = 1; rank < world_.ranks(); ++rank) {
    if (same(world_.request_of(rank), first)) continue;
    throw KernelError(
        fmt::format("rank {} came for {}, rank 0 for {}", rank, text_of(world_.request_of(rank)), text_of(first)));
  }
}

// Elements [begin, begin + count) of every rank's input have arrived.
void Exchange::take(std::size_t begin, std::size_t count) {
  const std::size_t size = bytes_of(request_.type);
  auto* receive = static_cast<std::byte*>(receive_);
  switch (request_.kind) {
    case Kind::reduce:
      if (request_.root != world_.rank()) return;
      [[fallthrough]];
    case Kind::all_reduce:
      return reduce(world_, request_, count, receive + begin * size);
    case Kind::broadcast:
      std::memcpy(receive + begin * size, world_.bytes_of(request_.root), count * size);
      return;
    case Kind::all_gather:
      for (int rank = 0; rank < world_.ranks(); ++rank) {
        const std::size_t place = static_cast<std::size_t>(rank) * request_.count + begin;
        std::memcpy(receive + place * size, world_.bytes_of(rank), count * size);
      }
      return;
    case Kind::reduce_scatter: {
      const std::size_t mine = static_cast<std::size_t>(world_.rank()) * request_.count;
      const std::size_t from = std::max(begin, mine);
      const std::size_t to = std::min(begin + count, mine + request_.count);
      if (from >= to) return;
      std::vector<std::byte> sums(count * size);
      reduce(world_, request_, count, sums.data());
      std::memcpy(receive + (from - mine) * size, sums.data() + (from - begin) * size, (to - from) * size);
      return;
    }
  }
}

}  // namespace lockstep::emulation
