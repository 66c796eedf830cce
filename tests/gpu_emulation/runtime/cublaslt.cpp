// A stand-in for the part of cuBLASLt that the CUDA back-end calls: column-major float32 or bfloat16 products with
// transposes, leading dimensions, bias and ReLU epilogues, computed in double when the stream gets there.
// TensorFloat-32 rounds the operands first. What the real library would refuse is refused: shapes that don't fit, a
// missing bias, memory that is not the device's, or less aligned than the algorithm was promised.
#include <cublasLt.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/bf16.hpp"
#include "tests/gpu_emulation/engine/engine.hpp"
#include "tests/gpu_emulation/runtime/memory.hpp"
#include "tests/gpu_emulation/runtime/streams.hpp"

using lockstep::emulation::memory;
using lockstep::emulation::MemoryKind;
using lockstep::emulation::streams;

// NVIDIA's types are opaque; what is behind them here.
namespace {

struct Operation {
  cublasOperation_t a = CUBLAS_OP_N;
  cublasOperation_t b = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
  bool tf32 = false;
};
struct Matrix {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::int64_t leading = 0;
  cudaDataType type = CUDA_R_32F;
  std::size_t element_bytes() const { return type == CUDA_R_32F ? 4 : 2; }
  std::size_t bytes() const { return static_cast<std::size_t>(leading) * columns * element_bytes(); }
};

float element_of(const void* data, std::uint64_t i, cudaDataType type) {
  if (type == CUDA_R_32F) return static_cast<const float*>(data)[i];
  return lockstep::kernels::to_f32(static_cast<const lockstep::kernels::Bf16*>(data)[i]);
}
void put_element(void* data, std::uint64_t i, cudaDataType type, double value) {
  const auto rounded = static_cast<float>(value);
  if (type == CUDA_R_32F) {
    static_cast<float*>(data)[i] = rounded;
  } else {
    static_cast<lockstep::kernels::Bf16*>(data)[i] = lockstep::kernels::to_bf16(rounded);
  }
}
// 10 bits of mantissa, to the nearest, ties to even.
float to_tf32(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0xFFFU + ((bits >> 13U) & 1U)) & ~0x1FFFU);
}

// Of the matrices, in bytes, as an algorithm may rely on them; what the library takes for granted unless told.
struct Alignments {
  std::uint32_t a = 256;
  std::uint32_t b = 256;
  std::uint32_t c = 256;
  std::uint32_t d = 256;
  bool hold_for(const void* at_a, const void* at_b, const void* at_c, const void* at_d) const {
    const auto holds = [](const void* at, std::uint32_t bytes) {
      return reinterpret_cast<std::uintptr_t>(at) % bytes == 0;
    };
    return holds(at_a, a) && holds(at_b, b) && holds(at_c, c) && holds(at_d, d);
  }
};

Alignments* of(cublasLtMatmulPreference_t it) { return reinterpret_cast<Alignments*>(it); }
Operation* of(cublasLtMatmulDesc_t it) { return reinterpret_cast<Operation*>(it); }
Matrix* of(cublasLtMatrixLayout_t it) { return reinterpret_cast<Matrix*>(it); }

struct Product {
  Operation operation;
  Matrix a;
  Matrix b;
  Matrix c;
  float alpha = 1;
  float beta = 0;

  std::uint64_t inner() const { return operation.a == CUBLAS_OP_N ? a.columns : a.rows; }
  bool fits() const {
    const std::uint64_t rows = operation.a == CUBLAS_OP_N ? a.rows : a.columns;
    const std::uint64_t columns = operation.b == CUBLAS_OP_N ? b.columns : b.rows;
    const std::uint64_t inner_of_b = operation.b == CUBLAS_OP_N ? b.rows : b.columns;
    return a.type == c.type && b.type == c.type && !(operation.tf32 && c.type != CUDA_R_32F) && rows == c.rows &&
           columns == c.columns && inner() == inner_of_b && inner() > 0 && rows > 0 && columns > 0;
  }
  bool has_bias() const {
    return operation.epilogue == CUBLASLT_EPILOGUE_BIAS || operation.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  }
  bool has_relu() const {
    return operation.epilogue == CUBLASLT_EPILOGUE_RELU || operation.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  }
  // op(m) with its inner axis along memory.
  std::vector<double> widened(const Matrix& m, const void* data, bool inner_is_row) const {
    std::vector<double> values(m.rows * m.columns);
    for (std::uint64_t column = 0; column < m.columns; ++column) {
      for (std::uint64_t row = 0; row < m.rows; ++row) {
        const float value = element_of(data, row + column * static_cast<std::uint64_t>(m.leading), m.type);
        values[inner_is_row ? column * m.rows + row : row * m.columns + column] =
            static_cast<double>(operation.tf32 ? to_tf32(value) : value);
      }
    }
    return values;
  }
  void run(const void* from_a, const void* from_b, void* to) const {
    const auto of_a = widened(a, from_a, operation.a == CUBLAS_OP_T);
    const auto of_b = widened(b, from_b, operation.b == CUBLAS_OP_N);
    for (std::uint64_t column = 0; column < c.columns; ++column) {
      for (std::uint64_t row = 0; row < c.rows; ++row) {
        double sum = 0;
        for (std::uint64_t k = 0; k < inner(); ++k) sum += of_a[row * inner() + k] * of_b[column * inner() + k];
        const std::uint64_t at = row + column * static_cast<std::uint64_t>(c.leading);
        double value = static_cast<double>(alpha) * sum;
        if (beta != 0) value += static_cast<double>(beta) * static_cast<double>(element_of(to, at, c.type));
        if (has_bias()) value += static_cast<double>(element_of(operation.bias, row, c.type));
        if (has_relu() && value < 0) value = 0;
        put_element(to, at, c.type, value);
      }
    }
  }
};

}  // namespace

extern "C" {

const char* cublasLtGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "success";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "an unsupported value or parameter was passed";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "the requested functionality is not supported";
    default:
      return "an internal operation failed";
  }
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = reinterpret_cast<cublasLtHandle_t>(new char);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete reinterpret_cast<char*>(handle);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* made, cublasComputeType_t compute, cudaDataType_t scale) {
  const bool tf32 = compute == CUBLAS_COMPUTE_32F_FAST_TF32;
  if ((compute != CUBLAS_COMPUTE_32F && !tf32) || scale != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  auto* operation = new Operation;
  operation->tf32 = tf32;
  *made = reinterpret_cast<cublasLtMatmulDesc_t>(operation);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t it) {
  delete of(it);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t it, cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, std::size_t bytes) {
  const auto take = [&](auto& to) {
    if (bytes != sizeof to) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(static_cast<void*>(&to), value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return take(of(it)->a);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return take(of(it)->b);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return take(of(it)->epilogue);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return take(of(it)->bias);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* made, cudaDataType type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t leading) {
  if (type != CUDA_R_32F && type != CUDA_R_16BF) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (leading < static_cast<std::int64_t>(rows)) return CUBLAS_STATUS_INVALID_VALUE;
  *made = reinterpret_cast<cublasLtMatrixLayout_t>(new Matrix{rows, columns, leading, type});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t it) {
  delete of(it);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* made) {
  *made = reinterpret_cast<cublasLtMatmulPreference_t>(new Alignments);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t it) {
  delete of(it);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t it,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                                    std::size_t bytes) {
  const auto take = [&](std::uint32_t& to) {
    if (bytes != sizeof to) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(&to, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (attribute) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
      return bytes == sizeof(std::size_t) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
      return take(of(it)->a);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
      return take(of(it)->b);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
      return take(of(it)->c);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
      return take(of(it)->d);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t /*handle*/, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t /*d*/,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t* results, int* found) {
  *found = 0;
  if (wanted < 1 || !Product{*of(operation), *of(a), *of(b), *of(c)}.fits()) return CUBLAS_STATUS_INVALID_VALUE;
  results[0] = {};
  static_assert(sizeof(Alignments) <= sizeof results[0].algo);
  std::memcpy(&results[0].algo, of(preference), sizeof(Alignments));
  results[0].workspaceSize = 1024;
  results[0].state = CUBLAS_STATUS_SUCCESS;
  *found = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t /*handle*/, cublasLtMatmulDesc_t operation, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
                              cublasLtMatrixLayout_t c_layout, void* d, cublasLtMatrixLayout_t /*d_layout*/,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace, std::size_t workspace_bytes,
                              cudaStream_t stream) {
  const Product product{*of(operation),
                        *of(a_layout),
                        *of(b_layout),
                        *of(c_layout),
                        *static_cast<const float*>(alpha),
                        *static_cast<const float*>(beta)};
  const auto on_device = [](const void* begin, std::size_t bytes) {
    return memory().holds(MemoryKind::device, begin, bytes);
  };
  Alignments alignments;
  std::memcpy(static_cast<void*>(&alignments), algorithm, sizeof alignments);
  const bool sound =
      product.fits() && alignments.hold_for(a, b, c, d) && c == d && on_device(a, product.a.bytes()) &&
      on_device(b, product.b.bytes()) && on_device(d, product.c.bytes()) && on_device(workspace, workspace_bytes) &&
      (!product.has_bias() || on_device(product.operation.bias, product.c.rows * product.c.element_bytes()));
  if (!sound) return CUBLAS_STATUS_INVALID_VALUE;
  ++streams().counts.launches;
  const cudaError_t queued =
      streams().queue(stream, {"cublasLtMatmul", [product, a, b, d] { product.run(a, b, d); }, nullptr, 0});
  return queued == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
