#include "runner/checkpoint/tensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace lockstep::runner {

static std::vector<TensorBytes> tensors_of(const TrainingState& state, std::span<float> arena,
                                           const std::string& prefix) {
  std::vector<TensorBytes> tensors;
  for (const TensorInfo& info : state.tensors()) {
    tensors.push_back({prefix + info.name, info.shape, arena.subspan(info.offset, info.count)});
  }
  return tensors;
}

std::vector<TensorBytes> model_tensors(const TrainingState& state) {
  return tensors_of(state, state.parameters().values, "");
}

std::vector<TensorBytes> optimizer_tensors(const TrainingState& state) {
  std::vector<TensorBytes> all;
  for (const TrainingState::Arena& arena : state.of_optimizer()) {
    const auto tensors = tensors_of(state, arena.values, arena.name + ".");
    all.insert(all.end(), tensors.begin(), tensors.end());
  }
  return all;
}

std::vector<std::string> tensor_mismatches(const std::vector<TensorBytes>& wanted, const SafetensorsIndex& index) {
  std::vector<std::string> mismatches;
  std::set<std::string> known;
  for (const TensorBytes& tensor : wanted) {
    known.insert(tensor.name);
    const auto found = index.tensors.find(tensor.name);
    if (found == index.tensors.end()) {
      mismatches.push_back(fmt::format("tensor {} is missing", tensor.name));
    } else if (found->second.shape != tensor.shape) {
      mismatches.push_back(fmt::format("tensor {} is ({}), here ({})", tensor.name,
                                       fmt::join(found->second.shape, ", "), fmt::join(tensor.shape, ", ")));
    }
  }
  for (const auto& [name, entry] : index.tensors) {
    if (!known.contains(name)) mismatches.push_back(fmt::format("tensor {} is unknown here", name));
  }
  return mismatches;
}

void copy_into(const std::vector<TensorBytes>& into, std::string_view bytes, const SafetensorsIndex& index) {
  for (const TensorBytes& tensor : into) {
    float* values = const_cast<float*>(tensor.values.data());  // the arenas are the caller's own, and not const
    copy_tensor(bytes, index.tensors.at(tensor.name), {values, tensor.values.size()});
  }
}

}  // namespace lockstep::runner
