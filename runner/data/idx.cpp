#include "runner/data/idx.hpp"

#include <algorithm>
#include <array>

#include "common/error.hpp"
#include "runner/data/inflate.hpp"

namespace lockstep::runner {

static std::vector<std::int64_t> read_shape(InflatingReader& reader, const std::string& name) {
  constexpr int unsigned_byte = 8;
  constexpr int most_dimensions = 4;
  std::array<std::uint8_t, 4> bytes{};
  if (reader.read(bytes.data(), 4) != 4) throw bad_input("{}: too short for an IDX file", name);
  if (bytes[0] != 0 || bytes[1] != 0) {
    throw bad_input("{}: not an IDX file (it starts with {:02x} {:02x} {:02x} {:02x}, not with 00 00)", name, bytes[0],
                    bytes[1], bytes[2], bytes[3]);
  }
  if (bytes[2] != unsigned_byte) {
    throw bad_input("{}: IDX values of type 0x{:02x}; only unsigned bytes (0x08) are read", name, bytes[2]);
  }
  const int dimensions = bytes[3];
  if (dimensions < 1 || dimensions > most_dimensions) {
    throw bad_input("{}: {} dimensions; 1 to {} make sense here", name, dimensions, most_dimensions);
  }
  std::vector<std::int64_t> shape;
  for (int i = 0; i < dimensions; ++i) {
    if (reader.read(bytes.data(), 4) != 4) throw bad_input("{}: ends within its header", name);
    shape.push_back(std::int64_t{bytes[0]} << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
  }
  return shape;
}

static std::uint64_t values_of(const std::vector<std::int64_t>& shape, const std::string& name, std::uint64_t limit) {
  std::uint64_t values = 1;
  for (const std::int64_t each : shape) {
    if (each == 0) throw bad_input("{}: a dimension of 0, so there is nothing in it", name);
    const auto extent = static_cast<std::uint64_t>(each);
    if (values > limit / extent) throw bad_input("{}: larger than the limit of {} values", name, limit);
    values *= extent;
  }
  return values;
}

IdxArray parse_idx(std::string_view bytes, const std::string& name, std::uint64_t limit) {
  constexpr std::uint64_t piece = std::uint64_t{16} << 20;
  InflatingReader reader(bytes, name);
  IdxArray array;
  array.shape = read_shape(reader, name);
  const std::uint64_t wanted = values_of(array.shape, name, limit);
  while (array.values.size() < wanted) {
    const std::size_t before = array.values.size();
    const std::size_t next = std::min(piece, wanted - before);
    array.values.resize(before + next);
    const std::size_t got = reader.read(array.values.data() + before, next);
    if (got < next) throw bad_input("{}: truncated: {} of {} values are there", name, before + got, wanted);
  }
  std::uint8_t extra = 0;
  if (reader.read(&extra, 1) != 0) throw bad_input("{}: longer than its header says ({} values)", name, wanted);
  return array;
}

IdxArray read_idx(const fs::path& file, std::uint64_t limit) {
  constexpr std::uint64_t header = 20;
  return parse_idx(read_file(file, limit + header), file.string(), limit);
}

}  // namespace lockstep::runner
