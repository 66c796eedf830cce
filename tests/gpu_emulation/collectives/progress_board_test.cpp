#include "runner/collective/nccl/progress_board.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "tests/gpu_emulation/collectives/thread_ranks.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::runner {
namespace {

using testing::no_errors;
using testing::on_thread_ranks;

// Reads until `holds`.
template <class Condition>
void read_until(ProgressBoard& board, Condition holds) {
  const Fd never(::eventfd(0, EFD_CLOEXEC));
  const bool came = testing::wait_until([&] {
    board.read(milliseconds(20), never.get());
    return holds();
  });
  if (!came) throw std::runtime_error("the news never came");
}

Progress at(std::int64_t started, RankState state = RankState::running) {
  return {started, started, started - 1, 4096, Operation::reduce_scatter, state};
}

TEST(ProgressBoard, TellsRankZeroHowFarAllAre) {
  const auto errors = on_thread_ranks(4, [](Collective& ranks, kernels::Device& /*device*/) {
    ProgressBoard board(ranks);
    for (int step = 1; step <= 100; ++step) board.publish(at(step + ranks.rank()));
    if (ranks.rank() == 0) {
      for (std::size_t rank = 0; rank < 4; ++rank) {
        read_until(board, [&] { return board.ranks()[rank].progress == at(100 + static_cast<int>(rank)); });
        if (board.ranks()[rank].host.empty() || board.ranks()[rank].gone) throw std::runtime_error("host, or gone");
      }
    }
    ranks.barrier();
  });
  EXPECT_EQ(errors, no_errors(4));
}

TEST(ProgressBoard, TellsARankThatLeavesFromOneThatIsGone) {
  const auto errors = on_thread_ranks(3, [](Collective& ranks, kernels::Device& /*device*/) {
    std::optional<ProgressBoard> board(std::in_place, ranks);
    if (ranks.rank() == 1) board->publish(at(5, RankState::leaving));
    if (ranks.rank() != 0) board.reset();
    if (ranks.rank() == 0) {
      read_until(*board, [&] { return board->ranks()[2].gone; });
      read_until(*board, [&] { return board->ranks()[1].progress.state == RankState::leaving; });
      if (board->ranks()[1].gone) throw std::runtime_error("rank 1 said that it was leaving");
    }
    ranks.barrier();
  });
  EXPECT_EQ(errors, no_errors(3));
}

TEST(ProgressBoard, TellsAllWhetherRankZeroIsThere) {
  for (const bool says_so : {true, false}) {
    const auto errors = on_thread_ranks(3, [&](Collective& ranks, kernels::Device& /*device*/) {
      std::optional<ProgressBoard> board(std::in_place, ranks);
      if (ranks.rank() == 0) {
        if (says_so) board->publish(at(5, RankState::leaving));
        board.reset();
      } else {
        read_until(*board, [&] {
          const RankRecord& first = board->ranks()[0];
          return first.gone == !says_so && first.progress.state == (says_so ? RankState::leaving : RankState::running);
        });
      }
      ranks.barrier();
    });
    EXPECT_EQ(errors, no_errors(3));
  }
}

TEST(ProgressBoard, GoesOverAnAddressOfTheMachineWhenThereAreSeveral) {
  if (own_addresses().empty()) GTEST_SKIP() << "this machine has no address but loopback's";
  const auto errors = on_thread_ranks(2, [](testing::ThreadCollective& ranks, kernels::Device& /*device*/) {
    ranks.on_one_machine = false;
    ProgressBoard board(ranks);
    board.publish(at(5));
    if (ranks.rank() == 0) read_until(board, [&] { return board.ranks()[1].progress == at(5); });
    ranks.barrier();
  });
  EXPECT_EQ(errors, no_errors(2));
}

TEST(ProgressBoard, NeedsNoConnectionForOneRank) {
  const auto errors = on_thread_ranks(1, [](Collective& ranks, kernels::Device& /*device*/) {
    ProgressBoard board(ranks);
    board.publish(at(3));
    if (board.ranks()[0].progress != at(3)) throw std::runtime_error("its own progress");
  });
  EXPECT_EQ(errors, no_errors(1));
}

}  // namespace
}  // namespace lockstep::runner
