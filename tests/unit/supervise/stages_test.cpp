#include "launcher/supervise/stages.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace lockstep::supervise {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StagesTest : public ::testing::Test {
 protected:
  std::vector<std::string> done;
  Stages stages{{30'000, 5'000},
                {[this] { done.emplace_back("ask ranks"); }, [this] { done.emplace_back("term program"); },
                 [this] { done.emplace_back("kill"); }}};
};

TEST_F(StagesTest, DoNothingBeforeTheyBegin) {
  stages.advance(1'000'000);
  EXPECT_THAT(done, IsEmpty());
  EXPECT_FALSE(stages.begun());
}

TEST_F(StagesTest, GiveRanksThatSaveTheWholeGraceAndTheProgramATerm) {
  stages.begin(1'000, true);
  EXPECT_THAT(done, ElementsAre("ask ranks"));
  stages.advance(30'999);
  EXPECT_THAT(done, ElementsAre("ask ranks"));
  stages.advance(31'000);
  EXPECT_THAT(done, ElementsAre("ask ranks", "term program"));
  stages.advance(35'999);
  EXPECT_FALSE(stages.killed());
  stages.advance(36'000);
  EXPECT_THAT(done, ElementsAre("ask ranks", "term program", "kill"));
  EXPECT_TRUE(stages.killed());
}

TEST_F(StagesTest, KillRanksThatDoNotSaveSoonAfterTerm) {
  stages.begin(1'000, false);
  stages.advance(5'999);
  EXPECT_THAT(done, ElementsAre("ask ranks"));
  stages.advance(6'000);
  EXPECT_THAT(done, ElementsAre("ask ranks", "kill"));
}

TEST_F(StagesTest, AreNotStartedAnewByASecondRequest) {
  stages.begin(0, false);
  stages.begin(4'000, true);
  stages.advance(5'000);
  stages.advance(500'000);
  EXPECT_THAT(done, ElementsAre("ask ranks", "kill"));
}

}  // namespace
}  // namespace lockstep::supervise
