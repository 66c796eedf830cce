// The CPU back-end's plans, one file each; planner.cpp gathers them. All are float32.
#pragma once

#include <vector>

#include "kernels/cpu/device.hpp"
#include "kernels/operations.hpp"
#include "kernels/optimizers.hpp"
#include "kernels/transformer.hpp"

namespace lockstep::kernels::cpu {

std::unique_ptr<Planner> make_planner(CpuDevice& device);
std::unique_ptr<Reorder> make_reorder(CpuDevice& device, const LayoutPtr& from, const LayoutPtr& to);
std::unique_ptr<Dense> make_dense(CpuDevice& device, const DenseShape& shape);
std::unique_ptr<Conv2d> make_conv2d(CpuDevice& device, const Conv2dShape& shape);
std::unique_ptr<MaxPool> make_max_pool(CpuDevice& device, const MaxPoolShape& shape);
std::unique_ptr<PooledConv2d> make_pooled_conv2d(CpuDevice& device, const PooledConv2dShape& shape);
std::unique_ptr<Relu> make_relu(const LayoutPtr& layout);
std::unique_ptr<Dropout> make_dropout(const LayoutPtr& layout, float rate);
std::unique_ptr<SoftmaxCrossEntropy> make_softmax_cross_entropy(std::int64_t rows, std::int64_t classes);
std::unique_ptr<BiasGelu> make_bias_gelu(std::int64_t rows, std::int64_t columns);
std::unique_ptr<ResidualLayerNorm> make_residual_layer_norm(std::int64_t rows, std::int64_t columns);
std::unique_ptr<Embedding> make_embedding(const EmbeddingShape& shape);
std::unique_ptr<Attention> make_attention(CpuDevice& device, const AttentionShape& shape);
std::unique_ptr<Sgd> make_sgd(std::vector<ParameterRange> ranges);
std::unique_ptr<AdamW> make_adamw(std::vector<ParameterRange> ranges);
std::unique_ptr<ArenaMath> make_arena_math();
std::unique_ptr<Cast> make_cast();

}  // namespace lockstep::kernels::cpu
