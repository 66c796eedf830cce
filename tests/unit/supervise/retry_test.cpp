#include "launcher/supervise/retry.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "history/store/store.hpp"

namespace lockstep::supervise {
namespace {

TEST(Retry, GoesOnUntilItWorks) {
  int calls = 0;
  with_retries([&] {
    if (++calls < 3) throw failure("the database is locked");
  });
  EXPECT_EQ(calls, 3);
}

TEST(Retry, GivesUpAfterItsTime) {
  int calls = 0;
  EXPECT_THROW(with_retries(
                   [&] {
                     ++calls;
                     throw failure("disk full");
                   },
                   0),
               Error);
  EXPECT_EQ(calls, 1);
}

TEST(Retry, DoesNotTryAgainWhatWouldFailAgain) {
  int calls = 0;
  const auto count = [&](const auto& error) {
    return [&calls, error] {
      ++calls;
      throw error;
    };
  };
  EXPECT_THROW(with_retries(count(bad_input("no such key"))), Error);
  EXPECT_THROW(with_retries(count(not_found("no such run"))), Error);
  EXPECT_THROW(with_retries(count(history::StaleOwner(ExitCode::failed, "epoch 2 owns it"))), history::StaleOwner);
  EXPECT_THROW(with_retries(count(history::RefusedTransition(history::RunState::canceled, failure("ended")))),
               history::RefusedTransition);
  EXPECT_EQ(calls, 4);
}

}  // namespace
}  // namespace lockstep::supervise
