// Sums of a CPU's memory: the host does them itself, at once or a bit whenever it comes by.
#include "common/error.hpp"
#include "runner/collective/device_sums.hpp"

namespace lockstep::runner {

namespace {
class HostSums final : public DeviceSums {
 public:
  HostSums(Collective& ranks, Overlap overlap) : ranks_(ranks), overlap_(overlap) {}

  void start(std::span<float> values, kernels::Stream& after) override {
    after.synchronize();
    ++started_;
    if (overlap_ == Overlap::on) {
      ranks_.start_sum(values);
    } else {
      ranks_.sum(values);
    }
  }
  void progress() override { ranks_.progress(); }
  void join(kernels::Stream& /*before*/) override { ranks_.wait_sums(); }
  std::int64_t started() const override { return started_; }
  void begin_recording() override { throw failure("sums that the host does can't be recorded"); }
  std::function<void()> end_recording() override { return {}; }

 private:
  Collective& ranks_;
  Overlap overlap_;
  std::int64_t started_ = 0;
};
}  // namespace

std::unique_ptr<DeviceSums> make_host_sums(Collective& ranks, Overlap overlap) {
  return std::make_unique<HostSums>(ranks, overlap);
}

}  // namespace lockstep::runner
