// The safetensors format (github.com/huggingface/safetensors, "Format"): 8 bytes little-endian: the header's length N;
// N bytes of JSON {"__metadata__": {text: text}, "<tensor>": {"dtype": "F32", "shape": [..], "data_offsets": [begin,
// end]}, ..}; then the data, which offsets count from. No gaps, no overlaps. We write and read F32 only.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::runner {

struct TensorBytes {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;  // as many as the shape says
};

struct SafetensorsEntry {
  std::vector<std::int64_t> shape;
  std::size_t offset = 0;  // of the values, in the file
  std::size_t count = 0;
};

struct SafetensorsIndex {
  std::map<std::string, SafetensorsEntry> tensors;
  std::map<std::string, std::string> metadata;
};

// The bytes of a file, tensors in the given order, data 8-byte aligned.
std::string write_safetensors(const std::vector<TensorBytes>& tensors,
                              const std::map<std::string, std::string>& metadata);

// Throws bad_input (`name` and reason) for anything that the format forbids: a header longer than the file or than 100
// MB, JSON that is not as above, types other than F32, offsets that don't fit shapes, leave gaps, overlap or pass the
// end.
SafetensorsIndex parse_safetensors(std::string_view bytes, const std::string& name);

// Copies a tensor out; `values` has entry.count elements.
void copy_tensor(std::string_view bytes, const SafetensorsEntry& entry, std::span<float> values);

}  // namespace lockstep::runner
