// Matrix products by cuBLASLt over row-major float32 or bfloat16, with a bias and a ReLU in the epilogue. Sums are
// float32; of bfloat16 operands the result is rounded once, of float32 ones the device says how they are multiplied.
#pragma once

#include <cublasLt.h>

#include "kernels/cuda/device.hpp"

namespace lockstep::kernels::cuda {

enum class Epilogue { none, relu, bias, bias_relu };

constexpr bool has_bias(Epilogue epilogue) { return epilogue == Epilogue::bias || epilogue == Epilogue::bias_relu; }
constexpr Epilogue epilogue_of(bool bias, bool relu) {
  if (bias) return relu ? Epilogue::bias_relu : Epilogue::bias;
  return relu ? Epilogue::relu : Epilogue::none;
}

// c (rows, columns) = op(a) op(b) [+ bias (columns), then max(., 0)], where op(a) is (rows, inner), op(b) (inner,
// columns). Transposed means that memory has the other shape: a (inner, rows), b (columns, inner). No axis may be 0.
struct MatmulShape {
  DataType type = DataType::f32;  // of all matrices and the bias
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t inner = 0;
  bool a_is_transposed = false;
  bool b_is_transposed = false;
  Epilogue epilogue = Epilogue::none;
};

// The library's plan for one shape: made once, with the algorithm that its heuristic names first.
class Matmul {
 public:
  Matmul(CudaDevice& device, const MatmulShape& shape);
  ~Matmul();
  Matmul(const Matmul&) = delete;
  Matmul& operator=(const Matmul&) = delete;
  void run(const void* a, const void* b, const void* bias, void* c, Stream& stream);

 private:
  MatmulShape shape_;
  cublasLtHandle_t handle_ = nullptr;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr;  // cuBLASLt's: what it calls A is our b
  cublasLtMatrixLayout_t b_ = nullptr;
  cublasLtMatrixLayout_t c_ = nullptr;
  cublasLtMatmulAlgo_t algorithm_{};
  Buffer workspace_;
};

}  // namespace lockstep::kernels::cuda
