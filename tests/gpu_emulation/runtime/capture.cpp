#include "tests/gpu_emulation/runtime/capture.hpp"

#include <algorithm>

namespace lockstep::emulation {

std::size_t Capture::add(CUstream_st::Work work, std::vector<std::size_t> after) {
  nodes_.push_back({std::move(work), std::move(after)});
  return nodes_.size() - 1;
}

bool Capture::all_lead_to(const std::vector<std::size_t>& ends) const {
  std::vector<bool> found(nodes_.size());
  std::vector<std::size_t> open = ends;
  while (!open.empty()) {
    const std::size_t node = open.back();
    open.pop_back();
    if (found[node]) continue;
    found[node] = true;
    open.insert(open.end(), nodes_[node].after.begin(), nodes_[node].after.end());
  }
  return std::all_of(found.begin(), found.end(), [](bool each) { return each; });
}

class Capture::Run {
 public:
  explicit Run(const std::vector<Node>& nodes) : nodes_(nodes), done_(nodes.size()) {}

  Attempt operator()() {
    std::vector<std::size_t> able;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const auto& after = nodes_[i].after;
      if (!done_[i] && std::all_of(after.begin(), after.end(), [this](std::size_t each) { return done_[each]; })) {
        able.push_back(i);
      }
    }
    if (able.empty()) return Attempt::done;
    while (!able.empty()) {
      const auto chosen = able.begin() + static_cast<std::ptrdiff_t>(streams().random(able.size()));
      const Attempt came = run(nodes_[*chosen].work);
      if (came == Attempt::done) done_[*chosen] = true;
      if (came != Attempt::late) return Attempt::moved;
      able.erase(chosen);
    }
    return Attempt::late;
  }

 private:
  static Attempt run(CUstream_st::Work& work) {
    if (work.attempt) return work.attempt();
    if (work.run) work.run();
    return Attempt::done;
  }

  std::vector<Node> nodes_;
  std::vector<bool> done_;
};

std::function<Attempt()> Capture::run() const { return Run(nodes_); }

// --- what StreamBook does for them ---
cudaError_t StreamBook::begin_capture(CUstream_st* stream) {
  if (!known(stream)) return fail(cudaErrorInvalidResourceHandle, "a stream was captured that is not there");
  if (stream->capture.in) return fail(cudaErrorIllegalState, "a stream was captured twice");
  stream->capture = {std::make_shared<Capture>(stream)};
  return error_;
}

cudaError_t StreamBook::end_capture(CUstream_st* stream, std::shared_ptr<Capture>& captured) {
  if (!known(stream) || !stream->capture.in || stream->capture.in->origin() != stream) {
    return fail(cudaErrorStreamCaptureUnmatched, "a capture was ended that this stream has not begun");
  }
  captured = stream->capture.in;
  const std::vector<std::size_t> ends = stream->capture.after;
  for (const auto& each : streams_) {
    if (each->capture.in == captured) each->capture = {};
  }
  if (!captured->invalid.empty()) {
    return fail(cudaErrorStreamCaptureInvalidated, captured->invalid + " while a stream was captured");
  }
  if (!captured->all_lead_to(ends)) {
    return fail(cudaErrorStreamCaptureUnjoined, "work was captured that the capturing stream never waits for");
  }
  return error_;
}

cudaError_t StreamBook::outside_captures(const char* what) {
  cudaError_t result = cudaSuccess;
  for (const auto& each : streams_) {
    if (!each->capture.in) continue;
    each->capture.in->invalid = what;
    result = cudaErrorStreamCaptureUnsupported;
  }
  return result;
}

cudaError_t StreamBook::record(CUevent_st& event, CUstream_st* stream) {
  if (known(stream) && stream->capture.in) {
    event.captured = stream->capture;
    return error_;
  }
  event.captured = {};
  const std::uint64_t ticket = ++event.recorded;
  return queue(stream, {"event", [done = event.done, ticket] { *done = ticket; }, nullptr, 0});
}

// What counts is the event's last record before this call; an event that was never recorded holds nobody up.
cudaError_t StreamBook::await(CUstream_st* stream, const CUevent_st& event) {
  const bool captures = known(stream) && stream->capture.in;
  if (!event.captured.in && !captures) {
    return queue(stream, {"wait for an event", {}, event.done, event.recorded});
  }
  if (captures && stream->capture.in != event.captured.in) {
    if (!event.captured.in && event.recorded == 0) return error_;
    return fail(cudaErrorStreamCaptureIsolation, "a captured stream waits for an event of outside");
  }
  if (!known(stream)) return fail(cudaErrorInvalidResourceHandle, "a stream waits that is not there");
  stream->capture.in = event.captured.in;
  stream->capture.after.insert(stream->capture.after.end(), event.captured.after.begin(), event.captured.after.end());
  return error_;
}

}  // namespace lockstep::emulation
