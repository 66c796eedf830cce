// Stand-ins for the functions of libcudart that record and run CUDA graphs.
#include <cuda_runtime.h>

#include "tests/gpu_emulation/runtime/capture.hpp"

using lockstep::emulation::Capture;
using lockstep::emulation::streams;

struct CUgraph_st {
  std::shared_ptr<const Capture> captured;
};
struct CUgraphExec_st {
  std::shared_ptr<const Capture> captured;
};

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode /*mode*/) {
  return streams().begin_capture(stream);
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  std::shared_ptr<Capture> captured;
  const cudaError_t result = streams().end_capture(stream, captured);
  *graph = result == cudaSuccess ? new CUgraph_st{std::move(captured)} : nullptr;
  return result;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long /*flags*/) {
  *exec = new CUgraphExec_st{graph->captured};
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  ++streams().counts.graph_launches;
  return streams().queue(stream, {"graph", {}, nullptr, 0, exec->captured->run()});
}

}  // extern "C"
