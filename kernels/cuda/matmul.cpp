#include "kernels/cuda/matmul.hpp"

#include "common/error.hpp"

namespace lockstep::kernels::cuda {
namespace {

constexpr std::size_t most_workspace = std::size_t{32} << 20U;  // what NVIDIA advises for Hopper; others need less

// Of all matrices. A tensor begins anywhere in its arena, if at a whole pack; the library would take 256 for granted.
constexpr std::uint32_t alignment = 16;

std::string text_of(const MatmulShape& s) {
  return fmt::format("a matrix product ({} x {}) ({} x {})", s.rows, s.inner, s.inner, s.columns);
}

void check_cublas(cublasStatus_t status, const MatmulShape& shape, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw failure("{}: {}: {}", text_of(shape), what, cublasLtGetStatusString(status));
  }
}

cublasLtMatrixLayout_t make_matrix_layout(const MatmulShape& shape, std::int64_t rows, std::int64_t columns) {
  cublasLtMatrixLayout_t made = nullptr;
  // A row-major matrix is the column-major one of its transpose.
  check_cublas(
      cublasLtMatrixLayoutCreate(&made, shape.type == DataType::bf16 ? CUDA_R_16BF : CUDA_R_32F,
                                 static_cast<std::uint64_t>(columns), static_cast<std::uint64_t>(rows), columns),
      shape, "describing a matrix");
  return made;
}

template <class Value>
void set(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute, const Value& value,
         const MatmulShape& shape) {
  check_cublas(cublasLtMatmulDescSetAttribute(operation, attribute, static_cast<const void*>(&value), sizeof value),
               shape, "describing it");
}

cublasStatus_t set_preferences(cublasLtMatmulPreference_t preference) {
  cublasStatus_t status = cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                               &most_workspace, sizeof most_workspace);
  for (const auto matrix : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    if (status != CUBLAS_STATUS_SUCCESS) break;
    status = cublasLtMatmulPreferenceSetAttribute(preference, matrix, &alignment, sizeof alignment);
  }
  return status;
}

cublasLtEpilogue_t library_epilogue(Epilogue epilogue) {
  switch (epilogue) {
    case Epilogue::none:
      return CUBLASLT_EPILOGUE_DEFAULT;
    case Epilogue::relu:
      return CUBLASLT_EPILOGUE_RELU;
    case Epilogue::bias:
      return CUBLASLT_EPILOGUE_BIAS;
    case Epilogue::bias_relu:
      return CUBLASLT_EPILOGUE_RELU_BIAS;
  }
  return CUBLASLT_EPILOGUE_DEFAULT;
}

}  // namespace

// c' = op(b)' op(a)', where ' is what column-major eyes see in row-major memory: cuBLASLt's A is our b.
Matmul::Matmul(CudaDevice& device, const MatmulShape& s) : shape_(s) {
  check_cublas(cublasLtCreate(&handle_), s, "starting cuBLASLt");
  const bool tf32 = s.type == DataType::f32 && device.matmul_precision() == MatmulPrecision::tf32;
  const cublasComputeType_t compute = tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  check_cublas(cublasLtMatmulDescCreate(&operation_, compute, CUDA_R_32F), s, "describing it");
  set(operation_, CUBLASLT_MATMUL_DESC_TRANSA, s.b_is_transposed ? CUBLAS_OP_T : CUBLAS_OP_N, s);
  set(operation_, CUBLASLT_MATMUL_DESC_TRANSB, s.a_is_transposed ? CUBLAS_OP_T : CUBLAS_OP_N, s);
  set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, library_epilogue(s.epilogue), s);
  a_ = s.b_is_transposed ? make_matrix_layout(s, s.columns, s.inner) : make_matrix_layout(s, s.inner, s.columns);
  b_ = s.a_is_transposed ? make_matrix_layout(s, s.inner, s.rows) : make_matrix_layout(s, s.rows, s.inner);
  c_ = make_matrix_layout(s, s.rows, s.columns);
  cublasLtMatmulPreference_t preference = nullptr;
  check_cublas(cublasLtMatmulPreferenceCreate(&preference), s, "choosing an algorithm");
  cublasLtMatmulHeuristicResult_t best{};
  int found = 0;
  cublasStatus_t status = set_preferences(preference);
  if (status == CUBLAS_STATUS_SUCCESS) {
    status = cublasLtMatmulAlgoGetHeuristic(handle_, operation_, a_, b_, c_, c_, preference, 1, &best, &found);
  }
  cublasLtMatmulPreferenceDestroy(preference);
  check_cublas(status, s, "choosing an algorithm");
  if (found == 0) throw failure("cuBLASLt has no algorithm for {}", text_of(s));
  algorithm_ = best.algo;
  workspace_ = device.allocate(best.workspaceSize);
}

Matmul::~Matmul() {
  for (cublasLtMatrixLayout_t each : {a_, b_, c_}) {
    if (each != nullptr) cublasLtMatrixLayoutDestroy(each);
  }
  if (operation_ != nullptr) cublasLtMatmulDescDestroy(operation_);
  if (handle_ != nullptr) cublasLtDestroy(handle_);
}

void Matmul::run(const void* a, const void* b, const void* bias, void* c, Stream& stream) {
  if (has_bias(shape_.epilogue)) set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias, shape_);
  const float one = 1;
  const float zero = 0;
  check_cublas(cublasLtMatmul(handle_, operation_, &one, b, a_, a, b_, &zero, c, c_, c, c_, &algorithm_,
                              workspace_.data(), workspace_.bytes(), of(stream)),
               shape_, "running it");
}

}  // namespace lockstep::kernels::cuda
