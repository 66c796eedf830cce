// IDX, the format of MNIST and its relatives (yann.lecun.com/exdb/mnist, "THE IDX FILE FORMAT"): two zero bytes, a type
// (0x08: unsigned byte, the only one images and labels use), the number of dimensions, each dimension as 32 bits
// big-endian, then the values, the last dimension fastest. Plain or gzip.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.hpp"

namespace lockstep::runner {

struct IdxArray {
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> values;
};

inline constexpr std::uint64_t default_idx_limit = std::uint64_t{16} << 30;

// Throws bad_input, with `name` and the reason, for anything but a whole file of at most `limit` values: wrong magic,
// other types than unsigned byte, no or more than 4 dimensions, too few or too many bytes. A header that promises more
// than the file holds costs no memory.
IdxArray parse_idx(std::string_view bytes, const std::string& name, std::uint64_t limit = default_idx_limit);
IdxArray read_idx(const fs::path& file, std::uint64_t limit = default_idx_limit);

}  // namespace lockstep::runner
