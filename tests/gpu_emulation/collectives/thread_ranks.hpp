// Ranks that are threads of a test, each with an emulated GPU of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "kernels/device.hpp"
#include "runner/collective/collective.hpp"

namespace lockstep::testing {

// Where threads meet. When one has failed nobody waits for it: the others fail too.
class Meeting {
 public:
  explicit Meeting(int ranks) : inputs(static_cast<std::size_t>(ranks)), ranks_(ranks) {}
  void meet() {
    std::unique_lock lock(mutex_);
    const int round = round_;
    if (++here_ == ranks_) {
      here_ = 0;
      ++round_;
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return round_ != round || broken_; });
    if (round_ == round) throw std::runtime_error("another rank has failed");
  }
  void leave_broken() {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    changed_.notify_all();
  }
  std::vector<const void*> inputs;  // of each rank, between two meetings

 private:
  int ranks_;
  int here_ = 0;
  int round_ = 0;
  bool broken_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
};

class ThreadCollective final : public runner::Collective {
 public:
  ThreadCollective(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(meeting_.inputs.size()); }
  int local_rank() const override { return on_one_machine ? rank_ : 0; }
  int local_size() const override { return on_one_machine ? size() : 1; }
  void start_sum(std::span<float> values) override { sum(values); }
  void progress() override {}
  void wait_sums() override {}
  void sum(std::span<float> values) override { reduce(values, std::plus<float>()); }
  void sum(std::span<double> values) override { reduce(values, std::plus<double>()); }
  void max(std::span<std::int64_t> values) override {
    reduce(values, [](std::int64_t a, std::int64_t b) { return std::max(a, b); });
  }
  void broadcast(std::span<std::byte> bytes, int root) override {
    meeting_.inputs[static_cast<std::size_t>(rank_)] = bytes.data();
    meeting_.meet();
    const auto* from = static_cast<const std::byte*>(meeting_.inputs[static_cast<std::size_t>(root)]);
    if (rank_ != root) std::copy(from, from + bytes.size(), bytes.begin());
    meeting_.meet();
  }
  void barrier() override { meeting_.meet(); }
  void abort(int /*exit_code*/) override { meeting_.leave_broken(); }
  std::int64_t started() const override { return 0; }

  bool on_one_machine = true;

 private:
  template <class T, class Reduce>
  void reduce(std::span<T> values, Reduce reduce) {
    const std::vector<T> mine(values.begin(), values.end());
    meeting_.inputs[static_cast<std::size_t>(rank_)] = mine.data();
    meeting_.meet();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<const T*>(meeting_.inputs[0])[i];
      for (std::size_t rank = 1; rank < meeting_.inputs.size(); ++rank) {
        values[i] = reduce(values[i], static_cast<const T*>(meeting_.inputs[rank])[i]);
      }
    }
    meeting_.meet();
  }

  Meeting& meeting_;
  int rank_;
};

// Runs act(collective, device) on every rank; gives what each failed with, "" where it did not.
template <class Act>
std::vector<std::string> on_thread_ranks(int ranks, Act act) {
  Meeting meeting(ranks);
  std::vector<std::string> errors(static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadCollective collective(meeting, rank);
      try {
        const auto device = kernels::make_cuda_device(rank);
        act(collective, *device);
      } catch (const std::exception& error) {
        errors[static_cast<std::size_t>(rank)] = error.what();
        meeting.leave_broken();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return errors;
}

inline std::vector<std::string> no_errors(int ranks) {
  return std::vector<std::string>(static_cast<std::size_t>(ranks));
}

}  // namespace lockstep::testing
