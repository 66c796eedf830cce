#include "runner/collective/nccl/nccl_sums.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "kernels/cuda/device.hpp"
#include "runner/collective/nccl/communicator.hpp"
#include "runner/collective/nccl/stream_marks.hpp"
#include "runner/collective/nccl/watchdog.hpp"

namespace lockstep::runner {

namespace {

// A sum that starts late is waited for by every rank. What the stream still writes to goes after it: it goes when it is
// done.
class SumStream {
 public:
  explicit SumStream(kernels::Device& device) : stream_(device.make_urgent_stream()) {}
  SumStream(const SumStream&) = delete;
  SumStream& operator=(const SumStream&) = delete;
  ~SumStream() { cudaStreamSynchronize(cuda()); }
  kernels::Stream& get() const { return *stream_; }
  cudaStream_t cuda() const { return kernels::cuda::of(*stream_); }

 private:
  std::unique_ptr<kernels::Stream> stream_;
};

class NcclSums final : public ShardedSums {
 public:
  NcclSums(Collective& ranks, kernels::Device& device, const NcclOptions& options)
      : rank_(static_cast<std::size_t>(ranks.rank())),
        size_(static_cast<std::size_t>(ranks.size())),
        wire_(options.gradients),
        device_(device),
        reached_(device),
        finished_(device),
        stream_(device),
        given_(device.make_event()),
        done_(device.make_event()),
        cast_(kernels::make_cast(device)),
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
    const Wire wire = begin_wire(Operation::all_reduce, values, after);
    queue(Operation::all_reduce, [&](ncclComm_t comm) {
      return ncclAllReduce(wire.data, wire.data, values.size(), wire.type, ncclSum, comm, stream_.cuda());
    });
    end_wire(values, 0, values.size());
  }
  void start_reduce_scatter(std::span<float> values, kernels::Stream& after) override {
    const std::size_t part = part_of(values);
    const Wire wire = begin_wire(Operation::reduce_scatter, values, after);
    queue(Operation::reduce_scatter, [&](ncclComm_t comm) {
      return ncclReduceScatter(wire.data, wire.at(rank_ * part), part, wire.type, ncclSum, comm, stream_.cuda());
    });
    end_wire(values, rank_ * part, part);
  }
  void start_all_gather(std::span<float> values, kernels::Stream& after) override {
    const std::size_t part = part_of(values);
    begin(Operation::all_gather, values.size_bytes(), after);
    queue(Operation::all_gather, [&](ncclComm_t comm) {
      return ncclAllGather(&values[rank_ * part], values.data(), part, ncclFloat32, comm, stream_.cuda());
    });
    finished_.mark(stream_.cuda());
  }
  void progress() override {}  // NCCL needs no help of this thread
  void join(kernels::Stream& before) override {
    done_->record(stream_.get());
    done_->hold_back(before);
  }
  std::int64_t started() const override { return started_; }
  void begin_recording() override { records_ = true; }
  std::function<void()> end_recording() override {
    records_ = false;
    return [this, all = std::exchange(recorded_, {})] {
      for (const auto& [operation, bytes] : all) started_ = watchdog_.start(operation, bytes);
    };
  }

 private:
  struct Recorded {
    Operation operation;
    std::size_t bytes;
  };

  // Gradients as they travel: themselves, or their copy in bfloat16.
  struct Wire {
    void* data;
    ncclDataType_t type;
    void* at(std::size_t i) const { return static_cast<std::byte*>(data) + i * (type == ncclFloat32 ? 4 : 2); }
  };

  std::size_t part_of(std::span<float> values) const {
    if (values.size() % size_ != 0) {
      throw failure("{} values can't be divided into equal parts for {} ranks", values.size(), size_);
    }
    return values.size() / size_;
  }

  void begin(Operation operation, std::size_t bytes, kernels::Stream& after) {
    given_->record(after);
    given_->hold_back(stream_.get());
    if (records_) {
      recorded_.push_back({operation, bytes});
    } else {
      started_ = watchdog_.start(operation, bytes);
    }
    reached_.mark(stream_.cuda());
  }
  Wire begin_wire(Operation operation, std::span<float> values, kernels::Stream& after) {
    begin(operation, values.size() * kernels::bytes_of(wire_), after);
    if (wire_ == kernels::DataType::f32) return {values.data(), ncclFloat32};
    // one after the other, so they can share the memory; it grows, and waits for the GPU for that, in the first step
    if (rounded_.bytes() < values.size() * sizeof(kernels::Bf16)) {
      rounded_ = with_purpose("gradients on their way",
                              [&] { return device_.allocate(values.size() * sizeof(kernels::Bf16)); });
    }
    cast_->narrow(values, rounded_.as<kernels::Bf16>().first(values.size()), stream_.get());
    return {rounded_.data(), ncclBfloat16};
  }
  void queue(Operation operation, const std::function<ncclResult_t(ncclComm_t)>& call) {
    communicator_.queue(name_of(operation), call);
  }
  // values[begin, begin + count) have come.
  void end_wire(std::span<float> values, std::size_t begin, std::size_t count) {
    if (wire_ == kernels::DataType::bf16) {
      const auto come = rounded_.as<kernels::Bf16>().subspan(begin, count);
      cast_->widen(come, values.subspan(begin, count), stream_.get());
    }
    finished_.mark(stream_.cuda());
  }

  std::size_t rank_;
  std::size_t size_;
  kernels::DataType wire_;
  kernels::Device& device_;
  std::int64_t started_ = 0;
  bool records_ = false;            // a recording is being made
  std::vector<Recorded> recorded_;  // of its sums
  StreamMarks reached_;             // these outlive the stream that writes them
  StreamMarks finished_;
  kernels::Buffer rounded_;
  SumStream stream_;
  std::unique_ptr<kernels::Event> given_;  // to order what is summed before the sums
  std::unique_ptr<kernels::Event> done_;   // to order the sums before what uses them
  std::unique_ptr<kernels::Cast> cast_;
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
  return make_nccl_sums(ranks, device,
                        {options.collective_warn_s, options.collective_timeout_s,
                         options.gradient_precision == "bf16" ? kernels::DataType::bf16 : kernels::DataType::f32});
}

}  // namespace lockstep::runner
