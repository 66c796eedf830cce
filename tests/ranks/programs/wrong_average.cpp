// lockstep-train with a planted mistake: LOCKSTEP_TEST_AVERAGE=sum leaves the sum of the ranks' means undivided, =twice
// divides by the number of ranks once more. A test that compares numbers of ranks must notice both.
#include <cstdlib>
#include <string>

#include "runner/program.hpp"

namespace {
using lockstep::runner::Collective;

class WrongAverage final : public Collective {
 public:
  WrongAverage(std::unique_ptr<Collective> real, bool twice) : real_(std::move(real)) {
    const auto ranks = static_cast<float>(real_->size());
    factor_ = twice ? 1 / ranks : ranks;
  }
  int rank() const override { return real_->rank(); }
  int size() const override { return real_->size(); }
  int local_rank() const override { return real_->local_rank(); }
  int local_size() const override { return real_->local_size(); }
  void start_sum(std::span<float> values) override { sum(values); }
  void progress() override {}
  void wait_sums() override {}
  void sum(std::span<float> values) override {
    real_->sum(values);
    for (float& value : values) value *= factor_;
  }
  void sum(std::span<double> values) override { real_->sum(values); }
  void max(std::span<std::int64_t> values) override { real_->max(values); }
  void broadcast(std::span<std::byte> bytes, int root) override { real_->broadcast(bytes, root); }
  void barrier() override { real_->barrier(); }
  void abort(int exit_code) override { real_->abort(exit_code); }
  std::int64_t started() const override { return real_->started(); }

 private:
  std::unique_ptr<Collective> real_;
  float factor_ = 1;
};
}  // namespace

int main(int argc, char** argv) {
  const char* mistake = std::getenv("LOCKSTEP_TEST_AVERAGE");
  lockstep::runner::Parts parts;
  parts.decorate = [&](std::unique_ptr<Collective> real) -> std::unique_ptr<Collective> {
    if (mistake == nullptr) return real;
    return std::make_unique<WrongAverage>(std::move(real), std::string(mistake) == "twice");
  };
  return lockstep::runner::run_program(argc, argv, parts);
}
