#include "runner/data/image_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/error.hpp"
#include "runner/data/idx.hpp"

namespace lockstep::runner {

static std::optional<fs::path> find_one(const fs::path& folder, const std::string& stem, const std::string& idx) {
  for (const char* dash : {"-", "."}) {
    for (const char* ending : {"", ".gz"}) {
      fs::path file = folder / fmt::format("{}{}{}{}", stem, dash, idx, ending);
      if (fs::is_regular_file(file)) return file;
    }
  }
  return std::nullopt;
}

std::optional<ImageFiles> find_image_files(const fs::path& folder, const std::string& prefix) {
  auto images = find_one(folder, prefix + "-images", "idx3-ubyte");
  if (!images) images = find_one(folder, prefix + "-images", "idx4-ubyte");
  const auto labels = find_one(folder, prefix + "-labels", "idx1-ubyte");
  if (!images && !labels) return std::nullopt;
  if (!images)
    throw not_found("{}: has {} but no {}-images-idx3-ubyte[.gz]", folder.string(), labels->string(), prefix);
  if (!labels)
    throw not_found("{}: has {} but no {}-labels-idx1-ubyte[.gz]", folder.string(), images->string(), prefix);
  return ImageFiles{*images, *labels};
}

static ImageShape shape_of(const IdxArray& images, const fs::path& file) {
  const auto& dims = images.shape;
  if (dims.size() != 3 && dims.size() != 4) {
    throw bad_input(
        "{}: images have 3 dimensions (count, height, width) or 4 (count, channels, height, width); this "
        "file has {}",
        file.string(), dims.size());
  }
  constexpr std::int64_t largest = 1 << 16;
  if (std::any_of(dims.begin() + 1, dims.end(), [](std::int64_t each) { return each > largest; })) {
    throw bad_input("{}: images of more than {} pixels a side", file.string(), largest);
  }
  const auto extent = [&](std::size_t from_end) { return static_cast<int>(dims[dims.size() - from_end]); };
  return {dims.size() == 4 ? extent(3) : 1, extent(2), extent(1)};
}

ImageSet load_images(const ImageFiles& files) {
  IdxArray images = read_idx(files.images);
  IdxArray labels = read_idx(files.labels);
  const ImageShape shape = shape_of(images, files.images);
  if (labels.shape.size() != 1) {
    throw bad_input("{}: labels have 1 dimension; this file has {}", files.labels.string(), labels.shape.size());
  }
  if (images.shape[0] != labels.shape[0]) {
    throw bad_input("{} has {} images, {} has {} labels", files.images.string(), images.shape[0], files.labels.string(),
                    labels.shape[0]);
  }
  return {shape, std::move(images.values), std::move(labels.values)};
}

int class_count(const ImageSet& set, int classes) {
  if (classes > 0) return classes;
  return 1 + *std::max_element(set.labels.begin(), set.labels.end());
}

void check_images(const ImageSet& set, const ImageShape& shape, int classes, const std::string& name) {
  if (set.shape.channels != shape.channels || set.shape.height != shape.height || set.shape.width != shape.width) {
    throw bad_input("the {} images are {}x{}x{} (channels, height, width), the training images {}x{}x{}", name,
                    set.shape.channels, set.shape.height, set.shape.width, shape.channels, shape.height, shape.width);
  }
  const auto wrong = std::find_if(set.labels.begin(), set.labels.end(), [&](int label) { return label >= classes; });
  if (wrong != set.labels.end()) {
    throw bad_input("the {} labels: label {} of image {} is outside the {} classes (0 to {})", name, *wrong,
                    wrong - set.labels.begin(), classes, classes - 1);
  }
}

ImageSet split_off(ImageSet& set, std::int64_t count) {
  const std::ptrdiff_t pixels = count * static_cast<std::ptrdiff_t>(set.image_size());
  ImageSet rest{set.shape,
                {set.pixels.begin() + pixels, set.pixels.end()},
                {set.labels.begin() + static_cast<std::ptrdiff_t>(count), set.labels.end()}};
  set.pixels.resize(static_cast<std::size_t>(pixels));
  set.labels.resize(static_cast<std::size_t>(count));
  return rest;
}

Scaling scaling_of(const ImageSet& set) {
  std::array<std::uint64_t, 256> histogram{};
  for (const std::uint8_t pixel : set.pixels) ++histogram[pixel];
  std::uint64_t sum = 0;
  std::uint64_t squares = 0;
  for (std::uint64_t value = 0; value < histogram.size(); ++value) {
    sum += histogram[value] * value;
    squares += histogram[value] * value * value;
  }
  const auto count = static_cast<double>(std::max<std::size_t>(1, set.pixels.size()));
  Scaling scaling;
  scaling.mean = static_cast<double>(sum) / count;
  const double variance = static_cast<double>(squares) / count - scaling.mean * scaling.mean;
  scaling.deviation = variance > 0 ? std::sqrt(variance) : 1;  // images of one colour: centred, not scaled
  for (std::size_t value = 0; value < scaling.table.size(); ++value) {
    scaling.table[value] = static_cast<float>((static_cast<double>(value) - scaling.mean) / scaling.deviation);
  }
  return scaling;
}

}  // namespace lockstep::runner
