// The CPU back-end's plans, one file each; planner.cpp gathers them.
#pragma once

#include <vector>

#include "kernels/cpu/device.hpp"
#include "kernels/operations.hpp"
#include "kernels/optimizers.hpp"

namespace lockstep::kernels::cpu {

std::unique_ptr<Planner> make_planner(CpuDevice& device);
std::unique_ptr<Reorder> make_reorder(CpuDevice& device, const LayoutPtr& from, const LayoutPtr& to);
std::unique_ptr<Dense> make_dense(CpuDevice& device, const DenseShape& shape, DataType type);
std::unique_ptr<Conv2d> make_conv2d(CpuDevice& device, const Conv2dShape& shape, DataType type);
std::unique_ptr<MaxPool> make_max_pool(CpuDevice& device, const MaxPoolShape& shape, DataType type);
std::unique_ptr<Relu> make_relu(const LayoutPtr& layout, DataType type);
std::unique_ptr<Dropout> make_dropout(const LayoutPtr& layout, float rate, DataType type);
std::unique_ptr<SoftmaxCrossEntropy> make_softmax_cross_entropy(std::int64_t rows, std::int64_t classes, DataType type);
std::unique_ptr<Sgd> make_sgd(std::vector<ParameterRange> ranges);
std::unique_ptr<AdamW> make_adamw(std::vector<ParameterRange> ranges);
std::unique_ptr<ArenaMath> make_arena_math();

}  // namespace lockstep::kernels::cpu
