#include "launcher/entrypoint/preparation.hpp"

#include <gtest/gtest.h>

#include <future>

#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::entrypoint {
namespace {

using lockstep::testing::TemporaryFolder;
using lockstep::testing::wait_until;

class Preparation : public ::testing::Test {
 protected:
  Preparation() : run(temporary / "run") { run.create(); }

  std::future<void> rank(const std::string& command) {
    return std::async(std::launch::async,
                      [this, command] { prepare_for_run(command, run, 0, "node-1", current_environment()); });
  }
  NodePreparation now() const { return read_preparation(run, 0).value_or(NodePreparation{}); }
  bool is_over() {
    return wait_until([this] { return now().exit_code.has_value(); });
  }

  TemporaryFolder temporary;
  RunFolder run;
};

TEST_F(Preparation, IsRunOnceANodeAndRanksWaitForTheWordToBegin) {
  auto first = rank("echo prepared");
  auto second = rank("echo prepared");
  ASSERT_TRUE(is_over());
  EXPECT_EQ(first.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  write_file_atomically(run.begin_file(), "{}\n");
  first.get();
  second.get();
  EXPECT_EQ(read_file(run.prepare_log(0)), "prepared\n");
  const NodePreparation seen = now();
  EXPECT_EQ(seen.host, "node-1");
  EXPECT_EQ(seen.exit_code, 0);
  EXPECT_GE(seen.ended_ms, seen.begun_ms);
}

TEST_F(Preparation, ThatFailsIsToldToEveryRankOfItsNode) {
  auto first = rank("echo no space; exit 5");
  auto second = rank("echo no space; exit 5");
  EXPECT_THROW(first.get(), Error);
  EXPECT_THROW(second.get(), Error);
  EXPECT_EQ(read_file(run.prepare_log(0)), "no space\n");
  EXPECT_EQ(now().exit_code, 5);
}

TEST_F(Preparation, ThatWasKilledOnTheWayIsBegunAgain) {
  write_file_atomically(run.prepared_file(0), to_text({0, "node-1", std::nullopt, 1, 0}));
  write_file_atomically(run.begin_file(), "{}\n");
  rank("echo again").get();
  EXPECT_EQ(read_file(run.prepare_log(0)), "again\n");
}

TEST(PreparationFile, IsReadBackAsItWasWritten) {
  for (const NodePreparation& each : {NodePreparation{3, "node-4", 7, 1'764'000'000'000, 1'764'000'001'000},
                                      NodePreparation{0, "", std::nullopt, 1, 0}}) {
    EXPECT_EQ(preparation_from_text(to_text(each)), each);
  }
}

TEST(PreparationFile, ThatIsNoneIsNoPreparation) {
  for (const char* text : {"", "{", "[]", "{}", R"({"node":-1})", R"({"node":99999999999})"}) {
    EXPECT_EQ(preparation_from_text(text), std::nullopt) << text;
  }
  EXPECT_EQ(read_preparation(RunFolder("/nowhere"), 0), std::nullopt);
}

}  // namespace
}  // namespace lockstep::entrypoint
