#include "runner/collective/nccl/late_collective.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

RankRecord rank_at(std::int64_t started, std::int64_t finished, RankState state = RankState::running) {
  RankRecord record;
  record.progress = {started, started, finished, (finished + 1) << 20, Operation::all_gather, state};
  record.host = "node-" + std::to_string(started);
  return record;
}

// What is late; collective 0 when nothing is.
Late find(LateCollective& late, const std::vector<RankRecord>& ranks, double now_s = 0) {
  return late.look(ranks, now_s).value_or(Late{});
}

TEST(LateCollective, IsNoneWhileEverythingThatWasStartedIsDone) {
  LateCollective late;
  EXPECT_EQ(find(late, {rank_at(5, 5), rank_at(6, 6)}).number, 0);
}

TEST(LateCollective, IsTheOldestThatARankWaitsIn) {
  LateCollective late;
  const std::vector ranks = {rank_at(9, 8), rank_at(7, 7), rank_at(8, 7), rank_at(6, 6)};
  const Late found = find(late, ranks);
  EXPECT_EQ(name_of(found), "all-gather 8 (8.0 MiB)");
  EXPECT_THAT(found.missing, ElementsAre(1, 3));
  EXPECT_THAT(found.waiting, ElementsAre(2));
  EXPECT_EQ(who_is_missing(found, ranks), "ranks 1 (node-7, at 7), 3 (node-6, at 6) have not reached it");
}

TEST(LateCollective, IsTimedFromWhenItIsTheOldest) {
  LateCollective late;
  EXPECT_EQ(find(late, {rank_at(3, 2), rank_at(2, 2)}, 100).for_s, 0);
  EXPECT_EQ(find(late, {rank_at(4, 2), rank_at(2, 2)}, 107).for_s, 7);
  EXPECT_EQ(find(late, {rank_at(4, 3), rank_at(3, 3)}, 108).for_s, 0) << "3 is done, 4 is another one";
  EXPECT_EQ(find(late, {rank_at(4, 4), rank_at(4, 4)}, 109).number, 0);
  EXPECT_EQ(find(late, {rank_at(5, 4), rank_at(4, 4)}, 110).for_s, 0);
}

TEST(LateCollective, NamesWhoIsNotThroughWhenAllHaveReachedIt) {
  LateCollective late;
  const std::vector ranks = {rank_at(2, 2), rank_at(2, 1), rank_at(3, 1)};
  const Late found = find(late, ranks);
  EXPECT_THAT(found.missing, IsEmpty());
  EXPECT_EQ(who_is_missing(found, ranks),
            "all ranks have reached it, and ranks 1 (node-2, at 2), 2 (node-3, at 3) are not through");
}

TEST(LateCollective, IsNotThatOfARankWhichLeaves) {
  LateCollective late;
  EXPECT_EQ(find(late, {rank_at(5, 4, RankState::leaving), rank_at(4, 4)}).number, 0);
}

TEST(LateCollective, MissesRanksThatHaveLeftOrAreGone) {
  LateCollective late;
  std::vector ranks = {rank_at(5, 4), rank_at(4, 4, RankState::leaving), rank_at(4, 3)};
  ranks[2].gone = true;
  ranks[2].progress.finished = 4;
  const Late found = find(late, ranks);
  EXPECT_EQ(who_is_missing(found, ranks),
            "ranks 1 (node-4, at 4, leaving), 2 (node-4, at 4, gone) have not reached it");
}

TEST(LateCollective, TellsAHostThatIsLateFromAGpuThatIs) {
  LateCollective late;
  std::vector ranks = {rank_at(5, 4), rank_at(6, 4), rank_at(4, 4)};
  ranks[1].progress.reached = 4;
  EXPECT_EQ(who_is_missing(find(late, ranks), ranks),
            "ranks 1 (node-6, at 4, 2 more queued), 2 (node-4, at 4) have not reached it");
  ranks[0].progress.reached = 4;
  EXPECT_EQ(find(late, ranks).number, 0) << "nobody waits yet";
}

// Stopped in the middle of a collective that it has reached: only its silence tells it from those that wait for it.
TEST(LateCollective, SaysWhoHasFallenSilent) {
  LateCollective late;
  std::vector ranks = {rank_at(2, 1), rank_at(2, 1)};
  ranks[0].silent_s = 0.3;
  ranks[1].silent_s = 3;
  EXPECT_EQ(who_is_missing(find(late, ranks), ranks),
            "all ranks have reached it, and ranks 0 (node-2, at 2), 1 (node-2, at 2, silent for 3 s) are not through");
}

TEST(LateCollective, ListsTheFirstFewOfMany) {
  LateCollective late;
  std::vector<RankRecord> ranks(1000, rank_at(0, 0));
  ranks[0] = rank_at(1, 0);
  const std::string text = who_is_missing(find(late, ranks), ranks);
  EXPECT_THAT(text, ::testing::HasSubstr("ranks 1 (node-0, at 0), "));
  EXPECT_THAT(text, ::testing::EndsWith("991 more have not reached it"));
}

}  // namespace
}  // namespace lockstep::runner
