#include "runner/data/prefetch.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "common/error.hpp"

namespace lockstep::runner {

// Image i is the pixel i with label i % 5, unscaled.
static ImageSet numbered(int count) {
  ImageSet set{{1, 1, 1}, {}, {}};
  for (int i = 0; i < count; ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(i));
    set.labels.push_back(static_cast<std::uint8_t>(i % 5));
  }
  return set;
}

static Scaling unscaled() {
  Scaling scaling;
  for (std::size_t i = 0; i < 256; ++i) scaling.table[i] = static_cast<float>(i);
  return scaling;
}

static std::vector<int> images_of(const BatchView& batch) { return {batch.images, batch.images + batch.count}; }

static kernels::Device& cpu() {
  static const auto device = kernels::make_cpu_device();
  return *device;
}

TEST(Prefetcher, ShowsEveryImageOncePerEpoch) {
  const ImageSet set = numbered(100);
  const Scaling scaling = unscaled();
  Prefetcher batches(cpu(), set, scaling, {3, 16, 0, 1}, 0, 14);
  for (int epoch = 0; epoch < 2; ++epoch) {
    std::multiset<int> seen;
    for (int step = 0; step < 7; ++step) {
      const BatchView& batch = batches.next();
      EXPECT_EQ(batch.global_count, step == 6 ? 4 : 16);
      for (const int image : images_of(batch)) seen.insert(image);
      for (int i = 0; i < batch.count; ++i) {
        EXPECT_EQ(batch.labels[i], images_of(batch)[static_cast<std::size_t>(i)] % 5);
      }
    }
    EXPECT_EQ(seen.size(), 100U);
    EXPECT_EQ(std::set<int>(seen.begin(), seen.end()).size(), 100U);
  }
}

TEST(Prefetcher, RanksTogetherSeeTheGlobalBatchOfOneRank) {
  const ImageSet set = numbered(50);
  const Scaling scaling = unscaled();
  for (const int ranks : {2, 3, 4}) {
    Prefetcher whole(cpu(), set, scaling, {9, 20, 0, 1}, 0, 3);
    std::vector<std::unique_ptr<Prefetcher>> parts;
    parts.reserve(static_cast<std::size_t>(ranks));
    for (int rank = 0; rank < ranks; ++rank) {
      parts.push_back(std::make_unique<Prefetcher>(cpu(), set, scaling, TrainingOrder{9, 20, rank, ranks}, 0, 3));
    }
    for (int step = 0; step < 3; ++step) {
      std::vector<int> together;
      for (auto& part : parts) {
        const BatchView& batch = part->next();
        EXPECT_EQ(batch.first_in_global, static_cast<std::int64_t>(together.size()));
        const auto images = images_of(batch);
        together.insert(together.end(), images.begin(), images.end());
      }
      EXPECT_EQ(together, images_of(whole.next())) << ranks << " ranks, step " << step;
    }
  }
}

TEST(Prefetcher, StartsInTheMiddleWhereAnUninterruptedOneWouldBe) {
  const ImageSet set = numbered(40);
  const Scaling scaling = unscaled();
  const TrainingOrder order{1, 16, 0, 1};
  Prefetcher from_start(cpu(), set, scaling, order, 0, 9);
  for (int step = 0; step < 5; ++step) from_start.next();
  Prefetcher from_five(cpu(), set, scaling, order, 5, 9);
  for (int step = 5; step < 9; ++step) EXPECT_EQ(images_of(from_five.next()), images_of(from_start.next()));
  EXPECT_THROW(from_five.next(), Error);
}

TEST(Prefetcher, LeavesARankWithoutImagesInASmallLastBatch) {
  const ImageSet set = numbered(9);
  const Scaling scaling = unscaled();
  Prefetcher batches(cpu(), set, scaling, {1, 8, 0, 4}, 0, 2);
  EXPECT_EQ(batches.next().count, 2);
  const BatchView& last = batches.next();
  EXPECT_EQ(last.count, 0);
  EXPECT_EQ(last.global_count, 1);
}

TEST(Prefetcher, CanBeLeftAtAnyTime) {
  const ImageSet set = numbered(100);
  const Scaling scaling = unscaled();
  for (int taken = 0; taken < 4; ++taken) {
    Prefetcher batches(cpu(), set, scaling, {1, 2, 0, 1}, 0, 1000);
    for (int i = 0; i < taken; ++i) batches.next();
  }
}

}  // namespace lockstep::runner
