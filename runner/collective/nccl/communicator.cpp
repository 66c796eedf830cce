#include "runner/collective/nccl/communicator.hpp"

#include <chrono>
#include <thread>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "runner/agreement.hpp"

namespace lockstep::runner {

static std::string text_of(ncclResult_t result, ncclComm_t comm) {
  const std::string more = ncclGetLastError(comm);
  return fmt::format("{}{}{}", ncclGetErrorString(result), more.empty() ? "" : ": ", more);
}

static ncclUniqueId make_id(Collective& ranks) {
  ncclUniqueId id{};
  agreed(ranks, [&] {
    if (ranks.rank() != 0) return true;
    if (const ncclResult_t result = ncclGetUniqueId(&id); result != ncclSuccess) {
      throw failure("NCCL could not start: {}", text_of(result, nullptr));
    }
    return true;
  });
  ranks.broadcast(std::as_writable_bytes(std::span(id.internal)), 0);
  return id;
}

Communicator::Communicator(Collective& ranks, double time_limit_s) : time_limit_s_(time_limit_s) {
  const ncclUniqueId id = make_id(ranks);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  try {
    settle(ncclCommInitRankConfig(&comm_, ranks.size(), id, ranks.rank(), &config),
           fmt::format("connect the {} ranks", ranks.size()));
  } catch (...) {
    if (comm_ != nullptr) ncclCommAbort(comm_);
    throw;
  }
}

Communicator::~Communicator() {
  if (comm_ != nullptr) ncclCommAbort(comm_);
}

void Communicator::settle(ncclResult_t result, const std::string& what) {
  const std::int64_t end = monotonic_ms() + static_cast<std::int64_t>(time_limit_s_ * 1000);
  while (result == ncclInProgress) {
    if (monotonic_ms() > end) {
      throw failure(
          "NCCL could not {} within {} s: a rank that is late, or a network that loses its messages? "
          "NCCL_DEBUG=INFO in the environment says more",
          what, time_limit_s_);
    }
    std::this_thread::yield();
    const std::lock_guard lock(mutex_);
    ncclResult_t asked = ncclCommGetAsyncError(comm_, &result);
    if (asked != ncclSuccess) result = asked;
  }
  if (result != ncclSuccess) {
    throw failure("NCCL could not {}: {} (NCCL_DEBUG=INFO in the environment says more)", what, text_of(result, comm_));
  }
}

void Communicator::queue(const char* what, const std::function<ncclResult_t(ncclComm_t)>& call) {
  ncclResult_t result = ncclSuccess;
  {
    const std::lock_guard lock(mutex_);
    result = call(comm_);
  }
  settle(result, std::string("start an ") + what);
}

void Communicator::close() {
  ncclResult_t result = ncclSuccess;
  {
    const std::lock_guard lock(mutex_);
    result = ncclCommFinalize(comm_);
  }
  settle(result, "end its work");
  const std::lock_guard lock(mutex_);
  result = ncclCommDestroy(std::exchange(comm_, nullptr));
  if (result != ncclSuccess) throw failure("NCCL could not leave: {}", ncclGetErrorString(result));
}

std::optional<std::string> Communicator::error() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || comm_ == nullptr) return std::nullopt;
  ncclResult_t result = ncclSuccess;
  const ncclResult_t asked = ncclCommGetAsyncError(comm_, &result);
  if (asked != ncclSuccess) result = asked;
  if (result == ncclSuccess || result == ncclInProgress) return std::nullopt;
  return text_of(result, comm_);
}

}  // namespace lockstep::runner
