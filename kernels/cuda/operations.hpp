// The CUDA back-end's plans, one file each; planner.cpp gathers them. Each takes the device it is for; its kernels run
// on the stream they are given.
#pragma once

#include <vector>

#include "kernels/cuda/device.hpp"

namespace lockstep::kernels::cuda {

std::unique_ptr<Planner> make_planner(CudaDevice& device);
std::unique_ptr<Reorder> make_reorder(CudaDevice& device, const LayoutPtr& from, const LayoutPtr& to);
std::unique_ptr<Dense> make_dense(CudaDevice& device, const DenseShape& shape, DataType type);
std::unique_ptr<Conv2d> make_conv2d(CudaDevice& device, const Conv2dShape& shape, DataType type);
std::unique_ptr<MaxPool> make_max_pool(CudaDevice& device, const MaxPoolShape& shape);
std::unique_ptr<PooledConv2d> make_pooled_conv2d(CudaDevice& device, const PooledConv2dShape& shape, DataType type);
std::unique_ptr<Relu> make_relu(CudaDevice& device, const LayoutPtr& layout);
std::unique_ptr<Dropout> make_dropout(CudaDevice& device, const LayoutPtr& layout, float rate);
std::unique_ptr<SoftmaxCrossEntropy> make_softmax_cross_entropy(CudaDevice& device, std::int64_t rows,
                                                                std::int64_t classes, DataType type);
std::unique_ptr<BiasGelu> make_bias_gelu(CudaDevice& device, std::int64_t rows, std::int64_t columns, DataType type);
std::unique_ptr<ResidualLayerNorm> make_residual_layer_norm(CudaDevice& device, std::int64_t rows, std::int64_t columns,
                                                            DataType type);
std::unique_ptr<Embedding> make_embedding(CudaDevice& device, const EmbeddingShape& shape, DataType type);
std::unique_ptr<Attention> make_attention(CudaDevice& device, const AttentionShape& shape, DataType type);
std::unique_ptr<Sgd> make_sgd(CudaDevice& device, std::vector<ParameterRange> ranges);
std::unique_ptr<AdamW> make_adamw(CudaDevice& device, std::vector<ParameterRange> ranges);
std::unique_ptr<ArenaMath> make_arena_math(CudaDevice& device);
std::unique_ptr<Cast> make_cast(CudaDevice& device);

}  // namespace lockstep::kernels::cuda
