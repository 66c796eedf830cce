#include "launcher/supervise/ledger.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/supervise/owner.hpp"

namespace lockstep::supervise {
namespace {

using lockstep::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Ledger, StartsRunsWhileSlotsAreFree) {
  const TemporaryFolder folder;
  Ledger ledger(folder / "runtime", 4);
  const auto first = ledger.enter("a", "/w", 2);
  const auto second = ledger.enter("b", "/w", 2);
  const auto third = ledger.enter("c", "/w", 1);
  EXPECT_TRUE(ledger.try_start(first));
  EXPECT_TRUE(ledger.try_start(second));
  EXPECT_FALSE(ledger.try_start(third));
  ledger.leave(first);
  EXPECT_TRUE(ledger.try_start(third));
}

TEST(Ledger, LetsNobodyOvertakeWhoWaits) {
  const TemporaryFolder folder;
  Ledger ledger(folder.path(), 4);
  const auto running = ledger.enter("a", "/w", 3);
  ASSERT_TRUE(ledger.try_start(running));
  const auto large = ledger.enter("b", "/w", 3);
  const auto small = ledger.enter("c", "/w", 1);
  EXPECT_FALSE(ledger.try_start(large));
  EXPECT_FALSE(ledger.try_start(small)) << "one slot is free, but b came first";
  EXPECT_EQ(ledger.position(large), 0);
  EXPECT_EQ(ledger.position(small), 1);
  ledger.leave(running);
  EXPECT_TRUE(ledger.try_start(large));
  EXPECT_TRUE(ledger.try_start(small));
}

TEST(Ledger, RunsWhatIsLargerThanTheMachineAlone) {
  const TemporaryFolder folder;
  Ledger ledger(folder.path(), 2);
  const auto small = ledger.enter("small", "/w", 1);
  const auto large = ledger.enter("large", "/w", 8);
  const auto after = ledger.enter("after", "/w", 1);
  ASSERT_TRUE(ledger.try_start(small));
  EXPECT_FALSE(ledger.try_start(large));
  ledger.leave(small);
  EXPECT_TRUE(ledger.try_start(large));
  EXPECT_FALSE(ledger.try_start(after));
  ledger.leave(large);
  EXPECT_TRUE(ledger.try_start(after));
}

TEST(Ledger, IsSharedByAllWhoOpenItsFolder) {
  const TemporaryFolder folder;
  Ledger one(folder.path(), 1);
  Ledger other(folder.path(), 1);
  const auto first = one.enter("a", "/w1", 1);
  const auto second = other.enter("b", "/w2", 1);
  EXPECT_TRUE(one.try_start(first));
  EXPECT_FALSE(other.try_start(second));
  const auto entries = other.entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].run_id, "a");
  EXPECT_EQ(entries[0].workspace, "/w1");
  EXPECT_TRUE(entries[0].running);
  EXPECT_EQ(entries[1].run_id, "b");
  EXPECT_FALSE(entries[1].running);
  EXPECT_EQ(entries[1].owner, this_process());
}

TEST(Ledger, SweepsEntriesOfDeadOwners) {
  const TemporaryFolder folder;
  Ledger ledger(folder.path(), 1);
  Owner runner;
  Owner waiter;
  const auto running = ledger.enter("a", "/w", 1, runner.id());
  const auto waiting = ledger.enter("b", "/w", 1, waiter.id());
  const auto mine = ledger.enter("c", "/w", 1);
  ASSERT_TRUE(ledger.try_start(running));
  EXPECT_FALSE(ledger.try_start(mine));
  runner.die();
  EXPECT_FALSE(ledger.try_start(mine)) << "b is before it";
  waiter.die();
  EXPECT_TRUE(ledger.try_start(mine));
  EXPECT_EQ(ledger.entries().size(), 1U);
  EXPECT_THROW(ledger.try_start(waiting), Error);
}

TEST(Ledger, TakesAnEntryWithAReusedPidForDead) {
  const TemporaryFolder folder;
  Ledger ledger(folder.path(), 1);
  ProcessId another_start = this_process();
  another_start.start_time += 1;
  ledger.enter("a", "/w", 1, another_start);
  EXPECT_TRUE(ledger.entries().empty());
}

TEST(Ledger, SaysWhichFileIsBroken) {
  const TemporaryFolder folder;
  Ledger ledger(folder.path(), 1);
  write_file_atomically(folder / "slots.json", "{\"next_ticket\": 3");
  try {
    ledger.enter("a", "/w", 1);
    FAIL() << "a broken ledger was taken for an empty one";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder / "slots.json").string()));
  }
}

TEST(Ledger, GivesTicketsInOrderToProcessesThatEnterAtOnce) {
  const TemporaryFolder folder;
  constexpr int processes = 4;
  constexpr int each = 25;
  std::vector<pid_t> children;
  for (int process = 0; process < processes; ++process) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      Ledger ledger(folder.path(), 1);
      std::int64_t last = -1;
      bool rising = true;
      for (int i = 0; i < each; ++i) {
        const auto ticket = ledger.enter("r", "/w", 1, {::getppid(), start_time_of(::getppid()).value_or(0)});
        rising = rising && ticket > last;
        last = ticket;
      }
      ::_exit(rising ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto entries = Ledger(folder.path(), 1).entries();
  ASSERT_EQ(entries.size(), static_cast<std::size_t>(processes * each));
  for (std::size_t i = 0; i < entries.size(); ++i) EXPECT_EQ(entries[i].ticket, static_cast<std::int64_t>(i));
}

// The port of a socket that listens, as a program of somebody else would have it.
class Listener {
 public:
  explicit Listener(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the interface of sockets
    const bool bound = ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    listens_ = bound && ::listen(socket_.get(), 1) == 0;
  }
  bool listens() const { return listens_; }

 private:
  Fd socket_;
  bool listens_ = false;
};

TEST(LedgerPorts, AreNotThoseOfAnotherRun) {
  const TemporaryFolder folder;
  Ledger ledger(folder / "runtime", 4);
  const auto first = ledger.enter("a", "/w", 1);
  const auto second = ledger.enter("b", "/w", 1);
  const int firsts = ledger.reserve_ports(first, 3);
  const int seconds = ledger.reserve_ports(second, 2);
  EXPECT_GE(firsts, 6105);
  EXPECT_GE(seconds, firsts + 3);
  EXPECT_EQ(ledger.reserve_ports(first, 3), firsts) << "asked again";
  ledger.leave(first);
  EXPECT_EQ(ledger.reserve_ports(ledger.enter("c", "/w", 1), 3), firsts) << "free again";
}

TEST(LedgerPorts, AreNotThoseOfAProgramThatListens) {
  const TemporaryFolder folder;
  Ledger ledger(folder / "runtime", 4);
  const auto ticket = ledger.enter("a", "/w", 1);
  const int before = ledger.reserve_ports(ticket, 2);
  const Listener somebody(before + 1);
  ASSERT_TRUE(somebody.listens());
  const int now = ledger.reserve_ports(ledger.enter("b", "/w", 1), 2);
  ledger.leave(ticket);
  const int later = ledger.reserve_ports(ledger.enter("c", "/w", 1), 2);
  for (const int port : {now, later}) EXPECT_TRUE(port > before + 1 || port + 1 < before + 1) << port;
}

TEST(LedgerPorts, RefuseWhatCantBeHad) {
  const TemporaryFolder folder;
  Ledger ledger(folder / "runtime", 4);
  EXPECT_THROW(ledger.reserve_ports(ledger.enter("a", "/w", 1), 40'000), Error);
  EXPECT_THROW(ledger.reserve_ports(12345, 1), Error);
}

TEST(Ledger, GivesOtherHostsForThoseThatAreNoGoodOrFewerWhereFewerWillDo) {
  const TemporaryFolder folder;
  Ledger ledger(folder.path(), 1);
  const auto mine = ledger.enter_for_hosts("a", "/w", {"h1", "h2", "h3", "h4"}, 2);
  const auto others = ledger.enter_for_hosts("b", "/w", {"h4"}, 1);
  ASSERT_TRUE(ledger.try_start(mine));
  ASSERT_TRUE(ledger.try_start(others));
  EXPECT_EQ(ledger.exchange(mine, {"h2"}, 2, 2), 2);
  EXPECT_THAT(ledger.hosts_of(mine), ElementsAre("h1", "h3"));
  EXPECT_EQ(ledger.exchange(mine, {"h2", "h3"}, 2, 2), 0) << "h4 is another's";
  EXPECT_THAT(ledger.hosts_of(mine), ElementsAre("h1", "h3"));
  EXPECT_EQ(ledger.exchange(mine, {"h2", "h3"}, 2, 1), 1);
  EXPECT_THAT(ledger.hosts_of(mine), ElementsAre("h1"));
  EXPECT_EQ(ledger.exchange(mine, {}, 2, 1), 2) << "it may have more again";
  EXPECT_THAT(ledger.hosts_of(mine), ElementsAre("h1", "h3"));
}

}  // namespace
}  // namespace lockstep::supervise
