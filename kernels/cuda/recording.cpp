// A recording is a CUDA graph, captured from the streams.
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/device.hpp"

namespace lockstep::kernels::cuda {
namespace {

class CudaRecording final : public Recording {
 public:
  explicit CudaRecording(cudaGraph_t graph) { check(cudaGraphInstantiate(&graph_, graph, 0), "making a CUDA graph"); }
  CudaRecording(const CudaRecording&) = delete;
  CudaRecording& operator=(const CudaRecording&) = delete;
  ~CudaRecording() override { cudaGraphExecDestroy(graph_); }
  void run(Stream& stream) override { check(cudaGraphLaunch(graph_, of(stream)), "starting a CUDA graph"); }

 private:
  cudaGraphExec_t graph_ = nullptr;
};

// A stream that records from here on. Whatever happens, it does not when this is gone.
class Capture {
 public:
  explicit Capture(cudaStream_t stream) : stream_(stream) {
    // of this thread's calls: NCCL's own threads, and those that load batches, are not to be disturbed
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "beginning to record a stream");
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() {
    if (!ended_) cudaStreamEndCapture(stream_, &graph_);
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
  }
  std::unique_ptr<Recording> end() {
    ended_ = true;
    check(cudaStreamEndCapture(stream_, &graph_), "recording a stream");
    return std::make_unique<CudaRecording>(graph_);
  }

 private:
  cudaStream_t stream_;
  cudaGraph_t graph_ = nullptr;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Recording> CudaDevice::record(Stream& stream, const std::function<void()>& work) {
  Capture capture(of(stream));
  work();
  return capture.end();
}

}  // namespace lockstep::kernels::cuda
