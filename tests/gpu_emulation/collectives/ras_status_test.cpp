// The client against a stand-in; no real RAS service has been asked (it needs a GPU).
#include "runner/collective/nccl/ras_status.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/gpu_emulation/collectives/ras_stand_in.hpp"

namespace lockstep::runner {
namespace {

using std::chrono::seconds;
using testing::RasStandIn;

TEST(RasStatus, IsTheAnswerToTheQuestion) {
  RasStandIn ras("NCCL version 2.28.9\n...\n");
  EXPECT_EQ(ras_status(ras.address(), seconds(20)), "NCCL version 2.28.9\n...\n");
  EXPECT_EQ(ras.question(), "verbose status");
}

TEST(RasStatus, IsCutAtALength) {
  RasStandIn ras(std::string(40'000, 'x'));
  EXPECT_EQ(ras_status(ras.address(), seconds(20)).value_or("").size(), 16U << 10);
}

TEST(RasStatus, IsNothingWhereNobodyListens) {
  const Listener taken = listen_here(true, 1);  // so that the port is known
  const std::string address = "localhost:" + std::to_string(taken.port);
  ::shutdown(taken.socket.get(), SHUT_RDWR);  // and nobody listens there
  EXPECT_EQ(ras_status(address, seconds(20)), std::nullopt);
  EXPECT_EQ(ras_status("no address", seconds(20)), std::nullopt);
}

TEST(RasStatus, DoesNotWaitForAServiceThatSaysNothing) {
  RasStandIn ras("");
  EXPECT_EQ(ras_status(ras.address(), milliseconds(50)), std::nullopt);
}

TEST(RasStatus, IsAskedWhereNcclItselfListens) {
  ::unsetenv("NCCL_RAS_ADDR");
  EXPECT_EQ(ras_address(), "localhost:28028");
  ::setenv("NCCL_RAS_ADDR", "localhost:1234", 1);
  EXPECT_EQ(ras_address(), "localhost:1234");
  ::unsetenv("NCCL_RAS_ADDR");
}

}  // namespace
}  // namespace lockstep::runner
