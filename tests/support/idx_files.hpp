// IDX files for tests: written byte by byte, without the code under test.
#pragma once

#include <zlib.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace lockstep::testing {

inline std::string idx_header(const std::vector<std::uint32_t>& shape, char type = 0x08) {
  std::string bytes{0, 0, type, static_cast<char>(shape.size())};
  for (const std::uint32_t extent : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(extent >> shift & 255U);
  }
  return bytes;
}

inline std::string gzipped(const std::string& bytes) {
  z_stream stream{};
  constexpr int gzip = 16;
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + gzip, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

// Images that can be learnt: class c has a bright horizontal band at its own height, over noise that depends on `seed`.
struct SyntheticImages {
  std::uint32_t count = 640;
  std::uint32_t side = 12;
  std::uint32_t classes = 4;
  std::uint32_t seed = 1;
};

inline void write_synthetic(const std::filesystem::path& folder, const std::string& prefix,
                            const SyntheticImages& what) {
  std::string images = idx_header({what.count, what.side, what.side});
  std::string labels = idx_header({what.count});
  std::uint32_t state = what.seed * 2654435761U + 12345U;
  const auto random = [&state] { return (state = state * 1664525U + 1013904223U) >> 24U; };
  for (std::uint32_t i = 0; i < what.count; ++i) {
    const std::uint32_t label = i % what.classes;
    labels += static_cast<char>(label);
    for (std::uint32_t y = 0; y < what.side; ++y) {
      const bool band = y * what.classes / what.side == label;
      for (std::uint32_t x = 0; x < what.side; ++x) images += static_cast<char>(random() / 2 + (band ? 90 : 0));
    }
  }
  write_bytes(folder / (prefix + "-images-idx3-ubyte"), images);
  write_bytes(folder / (prefix + "-labels-idx1-ubyte.gz"), gzipped(labels));
}

inline void write_synthetic_data(const std::filesystem::path& folder, SyntheticImages train = {}) {
  write_synthetic(folder, "train", train);
  train.count /= 5;
  train.seed += 1;
  write_synthetic(folder, "t10k", train);
}

}  // namespace lockstep::testing
