#include "tests/gpu_emulation/nccl/communicator.hpp"

#include <fmt/format.h>

#include "tests/gpu_emulation/runtime/memory.hpp"
#include "tests/gpu_emulation/runtime/streams.hpp"

namespace lockstep::emulation {

std::string& last_nccl_error() {
  static thread_local std::string text;
  return text;
}

Communicator::Communicator(const std::string& name, int ranks, int rank, bool blocking)
    : world_(name, ranks, rank), blocking_(blocking) {
  int device = 0;
  cudaGetDevice(&device);
  world_.join(device);
  while (blocking && state() == ncclInProgress) std::this_thread::yield();
}

ncclResult_t Communicator::fail(ncclResult_t error, const std::string& text) {
  last_nccl_error() = text;
  return state_ = error;
}

ncclResult_t Communicator::check(const Request& request, const void* send, const void* receive) {
  if (state_ == ncclInProgress) {
    return fail(ncclInvalidUsage, text_of(request) + " was called before the last call was done");
  }
  const std::size_t bytes = request.count * bytes_of(request.type);
  const auto all = static_cast<std::size_t>(world_.ranks());
  const bool is_root = request.root == world_.rank();
  const bool gives = request.kind != Kind::broadcast || is_root;
  const bool gets = request.kind != Kind::reduce || is_root;
  const std::size_t in = request.kind == Kind::reduce_scatter ? bytes * all : bytes;
  const std::size_t out = request.kind == Kind::all_gather ? bytes * all : bytes;
  if (bytes_of(request.type) == 0 || (request.operation != ncclSum && request.operation != ncclMax) ||
      request.root < 0 || request.root >= world_.ranks()) {
    return fail(ncclInvalidArgument, text_of(request) + " is not emulated");
  }
  if ((gives && !memory().holds(MemoryKind::device, send, in)) ||
      (gets && !memory().holds(MemoryKind::device, receive, out))) {
    return fail(ncclInvalidArgument, text_of(request) + ": a buffer is no device memory of that size");
  }
  return ncclSuccess;
}

ncclResult_t Communicator::collective(Request request, const void* send, void* receive, cudaStream_t stream) {
  request.number = ++started_;
  if (const ncclResult_t result = check(request, send, receive); result != ncclSuccess) return result;
  to_queue_.emplace_back([=, this] {
    auto attempt = [self = shared_from_this(), exchange = Exchange(world_, request, send, receive)]() mutable {
      return self->aborted_ || exchange.advance() ? Attempt::done : Attempt::late;
    };
    return streams().queue(stream, {"NCCL", {}, nullptr, 0, std::move(attempt), this});
  });
  return in_group_ ? ncclSuccess : start_or_wait();
}

ncclResult_t Communicator::end_group() {
  in_group_ = false;
  return start_or_wait();
}

ncclResult_t Communicator::finalize() {
  if (state_ == ncclInProgress) return fail(ncclInvalidUsage, "finalized before the last call was done");
  finalizing_ = true;
  return start_or_wait();
}

ncclResult_t Communicator::start_or_wait() {
  state_ = ncclInProgress;
  return blocking_ ? go_on() : ncclInProgress;
}

ncclResult_t Communicator::state() {
  const bool owner = std::this_thread::get_id() == owner_;
  return owner && state_ == ncclInProgress ? go_on() : state_.load();
}

ncclResult_t Communicator::go_on() {
  if (!joined_) {
    if (!world_.all_joined()) return ncclInProgress;
    joined_ = true;
    world_.forget_name();
    const std::string conflict = world_.conflict();
    if (!conflict.empty()) return fail(ncclInvalidUsage, conflict);
  }
  for (const auto& queue : to_queue_) {
    if (queue() != cudaSuccess) return fail(ncclUnhandledCudaError, streams().error_text());
  }
  to_queue_.clear();
  if (finalizing_ && streams().wait([this] { return !streams().has_work_of(this); }) != cudaSuccess) {
    return fail(ncclUnhandledCudaError, streams().error_text());
  }
  return state_ = ncclSuccess;
}

}  // namespace lockstep::emulation
