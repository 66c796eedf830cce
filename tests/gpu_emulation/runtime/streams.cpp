#include "tests/gpu_emulation/runtime/streams.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/gpu_emulation/runtime/capture.hpp"
#include "tests/gpu_emulation/runtime/launches.hpp"

namespace lockstep::emulation {

StreamBook& streams() {
  static thread_local StreamBook book;
  return book;
}

CUstream_st* StreamBook::create() {
  streams_.push_back(std::make_unique<CUstream_st>());
  return streams_.back().get();
}

bool StreamBook::known(const CUstream_st* stream) const {
  return std::any_of(streams_.begin(), streams_.end(),
                     [&](const auto& each) { return each.get() == stream && !each->destroyed; });
}

std::size_t StreamBook::count() const {
  return static_cast<std::size_t>(
      std::count_if(streams_.begin(), streams_.end(), [](const auto& each) { return !each->destroyed; }));
}

cudaError_t StreamBook::fail(cudaError_t error, const std::string& text) {
  if (error_ == cudaSuccess) {
    error_ = error;
    error_text_ = text;
  }
  return error_;
}

void StreamBook::forget_error() {
  error_ = cudaSuccess;
  error_text_.clear();
}

cudaError_t StreamBook::destroy(CUstream_st* stream) {
  if (!known(stream)) return fail(cudaErrorInvalidResourceHandle, "a stream was destroyed that is not there");
  stream->destroyed = true;
  forget_destroyed();
  return error_;
}

void StreamBook::forget_destroyed() {
  std::erase_if(streams_, [](const auto& each) { return each->destroyed && each->queue.empty(); });
}

cudaError_t StreamBook::queue(CUstream_st* stream, CUstream_st::Work work) {
  // CUDA's null stream waits for all others and makes them wait: correct, and slow where nobody looks.
  if (stream == nullptr) return fail(cudaErrorInvalidResourceHandle, work.name + " was queued on the null stream");
  if (!known(stream))
    return fail(cudaErrorInvalidResourceHandle, work.name + " was queued on a stream that is not there");
  if (stream->capture.in) {
    stream->capture.after = {stream->capture.in->add(std::move(work), std::move(stream->capture.after))};
  } else {
    stream->queue.push_back(std::move(work));
  }
  return error_;
}

bool StreamBook::idle(const CUstream_st* stream) const { return stream->queue.empty(); }

bool StreamBook::has_work_of(const void* owner) const {
  return std::any_of(streams_.begin(), streams_.end(), [owner](const auto& stream) {
    return std::any_of(stream->queue.begin(), stream->queue.end(),
                       [owner](const auto& work) { return work.owner == owner; });
  });
}

std::uint64_t StreamBook::random(std::uint64_t below) {
  if (seeded_with_ != settings().seed) random_.seed(seeded_with_ = settings().seed);
  return random_() % below;
}

Attempt StreamBook::run_front(CUstream_st& stream) {
  try {
    if (stream.queue.front().attempt) {
      const Attempt came = stream.queue.front().attempt();
      if (came != Attempt::done) return came;
    }
    if (stream.queue.front().run) stream.queue.front().run();
  } catch (const KernelError& error) {
    fail(cudaErrorLaunchFailure, stream.queue.front().name + ": " + error.what());
  }
  stream.queue.pop_front();
  return Attempt::done;
}

StreamBook::Step StreamBook::run_one() {
  std::vector<CUstream_st*> able;
  for (const auto& each : streams_) {
    if (each->queue.empty()) continue;
    const auto& front = each->queue.front();
    if (!front.await || *front.await >= front.ticket) able.push_back(each.get());
  }
  if (able.empty()) return Step::stuck;
  while (!able.empty()) {
    const auto chosen = able.begin() + static_cast<std::ptrdiff_t>(random(able.size()));
    if (run_front(**chosen) != Attempt::late) {
      forget_destroyed();
      return Step::ran;
    }
    able.erase(chosen);
  }
  return Step::needs_other_ranks;
}

cudaError_t StreamBook::wait(const std::function<bool()>& done) {
  while (error_ == cudaSuccess && !done()) {
    const Step step = run_one();
    if (step == Step::stuck) return fail(cudaErrorUnknown, "every stream waits for an event that nobody records");
    if (step == Step::needs_other_ranks) std::this_thread::yield();
  }
  return error_;
}

cudaError_t StreamBook::wait_for_all() {
  ++counts.synchronizations;
  return wait([&] {
    return std::all_of(streams_.begin(), streams_.end(), [](const auto& each) { return each->queue.empty(); });
  });
}

cudaError_t queue_kernel(cudaStream_t stream, const char* name, const Grid& grid, std::function<void()> kernel,
                         FunctionCall call) {
  ++streams().counts.launches;
  const auto run = [all = KernelCall{name, grid, std::move(kernel), std::move(call)}] {
    if (settings().run_instead) {
      settings().run_instead(all);
    } else {
      run_grid(all.grid, all.kernel);
    }
    count_launch(all.call.function);
  };
  return streams().queue(stream, {name, run, nullptr, 0});
}

}  // namespace lockstep::emulation
