#include "launcher/supervise/channel.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/supervise/keeper.hpp"
#include "launcher/supervise/signals.hpp"

namespace lockstep::supervise {
namespace {

Message receive_one(Channel& channel) {
  Message message;
  while (!channel.next(message) && !channel.closed()) {
    wait_readable({channel.fd()}, 10'000);
    channel.receive();
  }
  return message;
}

TEST(Channel, KeepsMessagesWholeAndInOrder) {
  auto [one, other] = Channel::make_pair();
  const Message first{"stop", {"", "two words", "line\nbreak", "\xff\xfe not UTF-8"}};
  const Message second{"dismiss", {}};
  ASSERT_TRUE(one.send(first));
  ASSERT_TRUE(one.send(second));
  EXPECT_EQ(receive_one(other), first);
  EXPECT_EQ(receive_one(other), second);
}

TEST(Channel, CarriesMoreThanASocketHolds) {
  auto [one, other] = Channel::make_pair();
  const Message large{"start", {std::string(5'000'000, 'x'), "end"}};
  const pid_t sender = ::fork();
  if (sender == 0) ::_exit(one.send(large) ? 0 : 1);
  EXPECT_TRUE(receive_one(other) == large);
  int status = -1;
  ::waitpid(sender, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Channel, GivesWhatWasSentBeforeTheOtherSideDied) {
  auto [one, other] = Channel::make_pair();
  ASSERT_TRUE(one.send({"ended", {"text"}}));
  one = Channel(Fd());
  EXPECT_EQ(receive_one(other), (Message{"ended", {"text"}}));
  EXPECT_TRUE(other.closed());
  EXPECT_FALSE(other.send({"stop", {}}));
}

TEST(KeeperMessages, CarryAProgramUnchanged) {
  const Program program{{"bash", "-c", "echo \"$A\" && exit 3", ""},
                        "/some/folder with blanks",
                        {{"A", "x=y=z"}, {"B", ""}, {"C", "\xff"}}};
  EXPECT_EQ(program_of(start_message(program)), program);
}

TEST(KeeperMessages, CarryAStopRequestUnchanged) {
  const StopRequest stop{history::RunState::canceled, "timeout: 3 s"};
  const StopRequest got = stop_of(stop_message(stop));
  EXPECT_EQ(got.state, stop.state);
  EXPECT_EQ(got.reason, stop.reason);
}

TEST(KeeperMessages, AreRefusedWhenTheyAreCut) {
  Message message = start_message({{"a", "b"}, "/", {}});
  message.fields.resize(3);
  EXPECT_THROW(program_of(message), Error);
  EXPECT_THROW(program_of({"start", {"x"}}), Error);
  EXPECT_THROW(stop_of({"stop", {"Canceled"}}), Error);
}

}  // namespace
}  // namespace lockstep::supervise
