#include "runner/data/image_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/error.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::runner {

using lockstep::testing::gzipped;
using lockstep::testing::idx_header;
using lockstep::testing::TemporaryFolder;
using lockstep::testing::write_bytes;
using ::testing::HasSubstr;

template <class Work>
static std::string error_of_work(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ImageSet, FindsFilesByTheNamesOfMnist) {
  const TemporaryFolder folder;
  EXPECT_FALSE(find_image_files(folder.path(), "train"));
  write_bytes(folder / "train-images-idx3-ubyte.gz", "");
  EXPECT_THAT(error_of_work([&] { find_image_files(folder.path(), "train"); }),
              HasSubstr("no train-labels-idx1-ubyte"));
  write_bytes(folder / "train-labels.idx1-ubyte", "");
  const auto files = find_image_files(folder.path(), "train").value_or(ImageFiles{});
  EXPECT_EQ(files.images, folder / "train-images-idx3-ubyte.gz");
  EXPECT_EQ(files.labels, folder / "train-labels.idx1-ubyte");
}

TEST(ImageSet, LoadsGreyAndColouredImagesOfAnySize) {
  const TemporaryFolder folder;
  write_bytes(folder / "grey", idx_header({2, 3, 5}) + std::string(30, 'g'));
  write_bytes(folder / "colour", gzipped(idx_header({2, 3, 4, 1}) + std::string(24, 'c')));
  write_bytes(folder / "labels", idx_header({2}) + std::string("\1\0", 2));
  const ImageSet grey = load_images({folder / "grey", folder / "labels"});
  EXPECT_EQ(grey.count(), 2);
  EXPECT_EQ(grey.image_size(), 15U);
  const ImageSet colour = load_images({folder / "colour", folder / "labels"});
  EXPECT_EQ(colour.shape.channels, 3);
  EXPECT_EQ(colour.shape.height, 4);
  EXPECT_EQ(colour.shape.width, 1);
  EXPECT_EQ(class_count(colour, 0), 2);
  EXPECT_EQ(class_count(colour, 7), 7);
}

TEST(ImageSet, RefusesFilesThatDoNotFitTogether) {
  const TemporaryFolder folder;
  write_bytes(folder / "images", idx_header({2, 2, 2}) + std::string(8, 'a'));
  write_bytes(folder / "flat", idx_header({8}) + std::string(8, 'a'));
  write_bytes(folder / "three", idx_header({3}) + std::string(3, '\0'));
  EXPECT_THAT(error_of_work([&] { load_images({folder / "images", folder / "three"}); }), HasSubstr("has 2 images"));
  EXPECT_THAT(error_of_work([&] { load_images({folder / "images", folder / "three"}); }), HasSubstr("has 3 labels"));
  EXPECT_THAT(error_of_work([&] {
                load_images({folder / "images", folder / "images"});
              }),
              HasSubstr("labels have 1 dim"));
  EXPECT_THAT(error_of_work([&] { load_images({folder / "flat", folder / "three"}); }), HasSubstr("this file has 1"));
}

TEST(ImageSet, RefusesLabelsOutsideTheClassesAndOtherSizes) {
  const ImageSet set{{1, 1, 1}, {1, 2, 3}, {0, 4, 1}};
  EXPECT_EQ(error_of_work([&] { check_images(set, {1, 1, 1}, 5, "test"); }), "no error");
  EXPECT_THAT(error_of_work([&] {
                check_images(set, {1, 1, 1}, 4, "test");
              }),
              HasSubstr("the test labels: label 4 of image 1 is outside the 4 classes (0 to 3)"));
  EXPECT_THAT(error_of_work([&] { check_images(set, {3, 32, 32}, 5, "test"); }), HasSubstr("3x32x32"));
}

TEST(ImageSet, ScalesToMeanZeroAndDeviationOne) {
  ImageSet set{{1, 1, 1}, {}, {}};
  for (int i = 0; i < 1000; ++i) set.pixels.push_back(static_cast<std::uint8_t>(i * i % 251));
  const Scaling scaling = scaling_of(set);
  double sum = 0;
  double squares = 0;
  for (const auto pixel : set.pixels) {
    const double value = static_cast<double>(scaling.table[pixel]);
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 1000, 0, 1e-6);
  EXPECT_NEAR(squares / 1000, 1, 1e-5);
}

TEST(ImageSet, CentresImagesOfOneColourWithoutDividingByZero) {
  const Scaling scaling = scaling_of({{1, 1, 2}, {9, 9}, {0}});
  EXPECT_EQ(scaling.table[9], 0.0F);
  EXPECT_EQ(scaling.table[10], 1.0F);
}

TEST(ImageSet, SplitsOffTheLastImages) {
  ImageSet set{{1, 1, 2}, {1, 2, 3, 4, 5, 6}, {0, 1, 2}};
  const ImageSet rest = split_off(set, 2);
  EXPECT_EQ(set.count(), 2);
  EXPECT_EQ(set.pixels, (std::vector<std::uint8_t>{1, 2, 3, 4}));
  EXPECT_EQ(rest.labels, std::vector<std::uint8_t>{2});
  EXPECT_EQ(rest.pixels, (std::vector<std::uint8_t>{5, 6}));
}

}  // namespace lockstep::runner
