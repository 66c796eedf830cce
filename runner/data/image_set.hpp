// Labelled images as training wants them: bytes in memory, checked before the first step.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/file.hpp"
#include "runner/model/model.hpp"

namespace lockstep::runner {

struct ImageSet {
  ImageShape shape;
  std::vector<std::uint8_t> pixels;  // (count, channels, height, width)
  std::vector<std::uint8_t> labels;  // (count)

  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
  std::size_t image_size() const {
    return static_cast<std::size_t>(shape.channels) * static_cast<std::size_t>(shape.height) *
           static_cast<std::size_t>(shape.width);
  }
};

struct ImageFiles {
  fs::path images;
  fs::path labels;
};

// The training and the test files of a folder laid out as MNIST's: train-images-idx3-ubyte, t10k-labels-idx1-ubyte and
// so on, plain or with .gz, with '-' or '.' before idx. `prefix` is "train" or "t10k". nullopt: neither file is there;
// throws not_found when only one of the two is.
std::optional<ImageFiles> find_image_files(const fs::path& folder, const std::string& prefix);

// Throws bad_input (file and reason) when images and labels don't fit together. Images have 3 dimensions (count,
// height, width) or 4 (count, channels, height, width).
ImageSet load_images(const ImageFiles& files);

// `classes` as given, or the largest label + 1 when it is 0.
int class_count(const ImageSet& set, int classes);
// Throws bad_input when a label is not below `classes`, or when `set` has other image sizes than `shape`.
void check_images(const ImageSet& set, const ImageShape& shape, int classes, const std::string& name);

// The first `count` images stay in `set`, the others are returned.
ImageSet split_off(ImageSet& set, std::int64_t count);

// (pixel - mean) / standard deviation, as a table by pixel. Mean and deviation come from sums over integers, so every
// rank and every machine gets the same bits.
struct Scaling {
  double mean = 0;
  double deviation = 1;
  std::array<float, 256> table{};
};
Scaling scaling_of(const ImageSet& set);

}  // namespace lockstep::runner
