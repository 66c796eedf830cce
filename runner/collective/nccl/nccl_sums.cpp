#include "runner/collective/nccl/nccl_sums.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/device.hpp"
#include "runner/collective/nccl/communicator.hpp"
#include "runner/collective/nccl/stream_marks.hpp"
#include "runner/collective/nccl/watchdog.hpp"

namespace lockstep::runner {

using kernels::cuda::check;

namespace {

// A stream that goes before others: a sum that starts late is waited for by every rank.
class UrgentStream {
 public:
  UrgentStream() {
    int least = 0;
    int greatest = 0;
    check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "asking for stream priorities");
    check(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, greatest), "making a stream");
  }
  UrgentStream(const UrgentStream&) = delete;
  UrgentStream& operator=(const UrgentStream&) = delete;
  ~UrgentStream() {
    cudaStreamSynchronize(stream_);  // what it still writes to goes next
    cudaStreamDestroy(stream_);
  }
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "making an event"); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { cudaEventDestroy(event_); }

  // Whatever `later` is given from here on runs after what `earlier` has by now. The event may be used again at once.
  void order(cudaStream_t earlier, cudaStream_t later) const {
    check(cudaEventRecord(event_, earlier), "recording an event");
    check(cudaStreamWaitEvent(later, event_, 0), "waiting for an event");
  }

 private:
  cudaEvent_t event_ = nullptr;
};

class NcclSums final : public ShardedSums {
 public:
  NcclSums(Collective& ranks, kernels::Device& device, const NcclOptions& options)
      : rank_(static_cast<std::size_t>(ranks.rank())),
        size_(static_cast<std::size_t>(ranks.size())),
        reached_(device),
        finished_(device),
        communicator_(ranks, options.timeout_s),
        watchdog_(
            ranks, options,
            {[this](std::int64_t last) { return reached_.passed(last); },
             [this](std::int64_t last) { return finished_.passed(last); }, [this] { return communicator_.error(); }}),
        exceptions_(std::uncaught_exceptions()) {}
  NcclSums(const NcclSums&) = delete;
  NcclSums& operator=(const NcclSums&) = delete;
  ~NcclSums() override {
    if (std::uncaught_exceptions() > exceptions_) return;  // the members give up what is under way
    try {
      communicator_.close();
    } catch (const std::exception& error) {
      fmt::print(stderr, "lockstep-train: {}\n", error.what());
    }
  }

  void start(std::span<float> values, kernels::Stream& after) override {
    queue(Operation::all_reduce, values, after, [&](ncclComm_t comm) {
      return ncclAllReduce(values.data(), values.data(), values.size(), ncclFloat32, ncclSum, comm, stream_.get());
    });
  }
  void start_reduce_scatter(std::span<float> values, kernels::Stream& after) override {
    const auto mine = part_of(values);
    queue(Operation::reduce_scatter, values, after, [&](ncclComm_t comm) {
      return ncclReduceScatter(values.data(), mine.data(), mine.size(), ncclFloat32, ncclSum, comm, stream_.get());
    });
  }
  void start_all_gather(std::span<float> values, kernels::Stream& after) override {
    const auto mine = part_of(values);
    queue(Operation::all_gather, values, after, [&](ncclComm_t comm) {
      return ncclAllGather(mine.data(), values.data(), mine.size(), ncclFloat32, comm, stream_.get());
    });
  }
  void progress() override {}  // NCCL needs no help of this thread
  void join(kernels::Stream& before) override { done_.order(stream_.get(), kernels::cuda::of(before)); }
  std::int64_t started() const override { return started_; }
  void begin_recording() override { recorded_.emplace(); }
  std::function<void()> end_recording() override {
    return [this, all = *std::exchange(recorded_, std::nullopt)] {
      for (const auto& [operation, bytes] : all) started_ = watchdog_.start(operation, bytes);
    };
  }

 private:
  struct Recorded {
    Operation operation;
    std::size_t bytes;
  };

  std::span<float> part_of(std::span<float> values) const {
    if (values.size() % size_ != 0) {
      throw failure("{} values can't be divided into equal parts for {} ranks", values.size(), size_);
    }
    const std::size_t part = values.size() / size_;
    return values.subspan(rank_ * part, part);
  }

  template <class Call>
  void queue(Operation operation, std::span<float> values, kernels::Stream& after, const Call& call) {
    given_.order(kernels::cuda::of(after), stream_.get());
    if (recorded_) {
      recorded_->push_back({operation, values.size_bytes()});
    } else {
      started_ = watchdog_.start(operation, values.size_bytes());
    }
    reached_.mark(stream_.get());
    communicator_.queue(name_of(operation), call);
    finished_.mark(stream_.get());
  }

  std::size_t rank_;
  std::size_t size_;
  std::int64_t started_ = 0;
  std::optional<std::vector<Recorded>> recorded_;  // while a recording is made
  StreamMarks reached_;                            // these outlive the stream that writes them
  StreamMarks finished_;
  UrgentStream stream_;
  Event given_;  // to order what is summed before the sums
  Event done_;   // to order the sums before what uses them
  Communicator communicator_;
  Watchdog watchdog_;  // looks at both of them
  int exceptions_;     // that were on their way when these sums were made
};

}  // namespace

std::unique_ptr<ShardedSums> make_nccl_sums(Collective& ranks, kernels::Device& device, const NcclOptions& options) {
  if (device.kind() != kernels::DeviceKind::cuda) throw failure("NCCL adds up on GPUs only, not on {}", device.name());
  return std::make_unique<NcclSums>(ranks, device, options);
}

std::unique_ptr<ShardedSums> make_gpu_sums(const Options& options, Collective& ranks, kernels::Device& device) {
  return make_nccl_sums(ranks, device, {options.collective_warn_s, options.collective_timeout_s});
}

}  // namespace lockstep::runner
