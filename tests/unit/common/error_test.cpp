#include "common/error.hpp"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(InputErrors, ListsEveryMistakeInTheOrderOfPlaces) {
  const InputErrors errors({{"b.yml", 1, 1, "second"}, {"a.yml", 9, 2, "first"}, {"b.yml", 1, 3, "third"}});
  EXPECT_STREQ(errors.what(), "a.yml:9:2: first\nb.yml:1:1: second\nb.yml:1:3: third");
  EXPECT_EQ(errors.code(), ExitCode::bad_input);
  EXPECT_EQ(errors.all().front().file, "a.yml");
}

TEST(InputErrors, LeavesOutAPlaceThatIsNotKnown) {
  EXPECT_EQ((Diagnostic{"a.yml", 0, 0, "empty"}).text(), "a.yml: empty");
}

TEST(SystemFailure, NamesTheReasonOfTheLastCall) {
  errno = ENOSPC;
  EXPECT_STREQ(system_failure("cannot write x").what(), "cannot write x: No space left on device");
}

}  // namespace
}  // namespace lockstep
