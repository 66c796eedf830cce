// The arenas of a training's state as named tensors, and back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runner/checkpoint/safetensors.hpp"
#include "runner/checkpoint/training_state.hpp"

namespace lockstep::runner {

// One tensor per row of state.tensors(), under its own name; optimizer state as "<state>.<tensor>"
// ("velocity.conv1.weight").
std::vector<TensorBytes> model_tensors(const TrainingState& state);
std::vector<TensorBytes> optimizer_tensors(const TrainingState& state);

// What keeps `index` from being exactly `wanted` (names and shapes), one line each; empty when it fits.
std::vector<std::string> tensor_mismatches(const std::vector<TensorBytes>& wanted, const SafetensorsIndex& index);

// Copies every tensor of a file that fits into the arenas that `into` was made from.
void copy_into(const std::vector<TensorBytes>& into, std::string_view bytes, const SafetensorsIndex& index);

}  // namespace lockstep::runner
