#include "runner/loss_book.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"

namespace lockstep::runner {

TEST(LossBook, GivesEveryEntryItsBlocksAndBeginsAgain) {
  const auto device = kernels::make_cpu_device();
  const auto stream = device->make_stream();
  LossBook book(*device, *stream, 4, 3);
  for (int round = 0; round < 2; ++round) {
    for (int entry = 0; entry < 3; ++entry) {
      book.begin();
      for (int block = 0; block < 4; ++block) {
        EXPECT_EQ(book.block(block)->loss, 0);  // also after the first entry
        *book.block(block) = {100.0 * entry + block, 10 * entry + block};
      }
      book.end();
    }
    EXPECT_TRUE(book.full());
    EXPECT_THROW(book.end(), Error);
    const auto entries = book.take();
    ASSERT_EQ(entries.size(), 3U);
    for (int entry = 0; entry < 3; ++entry) {
      EXPECT_EQ(entries[static_cast<std::size_t>(entry)].loss, 400.0 * entry + 6);
      EXPECT_EQ(entries[static_cast<std::size_t>(entry)].correct, 40 * entry + 6);
    }
    EXPECT_EQ(book.entries(), 0);
  }
}

}  // namespace lockstep::runner
