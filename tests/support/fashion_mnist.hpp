// A slice of Fashion-MNIST (Debian's dataset-fashion-mnist), small enough for emulated GPUs.
#pragma once

#include <zlib.h>

#include <stdexcept>

#include "tests/support/idx_files.hpp"

namespace lockstep::testing {

inline std::string begin_of_gzipped(const std::filesystem::path& file, std::size_t count) {
  std::string bytes(count, '\0');
  gzFile from = gzopen(file.c_str(), "rb");
  const int got = from == nullptr ? -1 : gzread(from, bytes.data(), static_cast<unsigned>(count));
  if (from != nullptr) gzclose(from);
  if (got != static_cast<int>(count)) throw std::runtime_error("cannot read " + file.string());
  return bytes;
}

// The first images of a set, 12 x 12: without their border of two, each place the mean of 2 x 2.
inline void write_fashion_mnist(const std::filesystem::path& folder, const std::string& prefix, std::uint32_t count) {
  const std::filesystem::path data = "/usr/share/datasets/fashion-mnist";
  constexpr std::size_t from_side = 28;
  constexpr std::uint32_t side = 12;
  constexpr std::size_t images_header = 16;
  constexpr std::size_t labels_header = 8;
  const std::string whole =
      begin_of_gzipped(data / (prefix + "-images-idx3-ubyte.gz"), images_header + count * from_side * from_side);
  std::string images = idx_header({count, side, side});
  for (std::size_t image = 0; image < count; ++image) {
    for (std::size_t y = 0; y < side; ++y) {
      for (std::size_t x = 0; x < side; ++x) {
        const std::size_t at = images_header + (image * from_side + 2 + 2 * y) * from_side + 2 + 2 * x;
        unsigned sum = 0;
        for (const std::size_t place : {at, at + 1, at + from_side, at + from_side + 1}) {
          sum += static_cast<unsigned char>(whole[place]);
        }
        images += static_cast<char>(sum / 4);
      }
    }
  }
  write_bytes(folder / (prefix + "-images-idx3-ubyte"), images);
  const std::string labels = begin_of_gzipped(data / (prefix + "-labels-idx1-ubyte.gz"), labels_header + count);
  write_bytes(folder / (prefix + "-labels-idx1-ubyte"), idx_header({count}) + labels.substr(labels_header));
}

}  // namespace lockstep::testing
