// Several processes write to one store, and die at any moment.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "tests/support/repeatable.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

// A forked process that does `work` and reports through a pipe. No store may be open when it is started.
class Child {
 public:
  explicit Child(const std::function<void(int report_fd)>& work) {
    auto [read_end, write_end] = make_pipe();
    pid_ = ::fork();
    if (pid_ < 0) throw system_failure("cannot fork");
    if (pid_ == 0) {
      read_end.reset();
      int code = 1;
      try {
        work(write_end.get());
        code = 0;
      } catch (const std::exception& error) {
        fmt::print(stderr, "a child: {}\n", error.what());
      }
      ::_exit(code);
    }
    reports_ = std::move(read_end);
  }
  Child(Child&&) = default;

  // The next number it reported; nullopt: it is gone.
  std::optional<std::int64_t> report() {
    std::int64_t number = 0;
    if (::read(reports_.get(), &number, sizeof number) != sizeof number) return std::nullopt;
    return number;
  }
  void kill() const { ::kill(pid_, SIGKILL); }
  int wait() {
    int status = -1;
    ::waitpid(pid_, &status, 0);
    return status;
  }

 private:
  pid_t pid_ = 0;
  Fd reports_;
};

void tell(int report_fd, std::int64_t number) {
  if (::write(report_fd, &number, sizeof number) != sizeof number) throw system_failure("cannot report");
}

std::string run_named(int number) { return fmt::format("run{}", number); }

TEST(StoreProcesses, WriteAtOnceAndLoseNothing) {
  constexpr int writers = 4;
  constexpr int batches = 60;
  const StoreFolder folder;
  folder.open()->create_run(new_run("shared"));
  std::vector<Child> children;
  children.reserve(writers);
  for (int writer = 0; writer < writers; ++writer) {
    children.emplace_back([&, writer](int) {
      const auto store = folder.open();
      store->create_run(new_run(run_named(writer)));
      const std::int64_t epoch = store->take_ownership(run_named(writer));
      store->transition(run_named(writer), epoch, RunState::running);
      for (int i = 0; i < batches; ++i) {
        const std::vector<Metric> metrics{{fmt::format("m{}", writer), 1.0 * i, i, i},
                                          {"all", 1.0 * i, 100 * writer + i, i}};
        const std::vector<KeyValue> tags{{fmt::format("t{}", i), std::to_string(writer)}};
        store->log_batch("shared", metrics, {}, tags);
        JournalBatch batch;
        batch.first_sequence = batch.through_sequence = i;
        batch.metrics = metrics;
        store->take_journal(run_named(writer), batch);
        store->list_runs({});
      }
      store->transition(run_named(writer), epoch, RunState::completed);
    });
  }
  for (auto& child : children) EXPECT_EQ(child.wait(), 0);
  const auto store = folder.open();
  EXPECT_EQ(store->metric_history("shared", "all").size(), static_cast<std::size_t>(writers * batches));
  EXPECT_EQ(store->tags("shared").size(), static_cast<std::size_t>(batches));
  for (int writer = 0; writer < writers; ++writer) {
    EXPECT_EQ(store->get_run(run_named(writer)).state, RunState::completed);
    const auto history = store->metric_history("shared", fmt::format("m{}", writer));
    ASSERT_EQ(history.size(), static_cast<std::size_t>(batches));
    for (int i = 0; i < batches; ++i) EXPECT_EQ(history[static_cast<std::size_t>(i)].step, i);
    EXPECT_EQ(store->metric_history(run_named(writer), "all").size(), static_cast<std::size_t>(batches));
  }
}

// Takes a journal in, entry by entry, and reports each entry when the store has acknowledged it.
void take_in_for_ever(const StoreFolder& folder, int report_fd) {
  const auto store = folder.open();
  std::int64_t next = store->journal_taken_through("a", 0) + 1;
  while (true) {
    JournalBatch batch;
    batch.first_sequence = next;
    batch.through_sequence = next + 2;
    for (std::int64_t i = next; i <= next + 2; ++i) {
      batch.metrics.push_back({"m", 1.0, 1, i});
      batch.params.push_back({fmt::format("p{}", i), std::to_string(i)});
    }
    store->take_journal("a", batch);
    tell(report_fd, batch.through_sequence);
    next = batch.through_sequence + 1;
  }
}

TEST(StoreProcesses, KeepEveryAcknowledgedEntryOverKill9) {
  auto random = lockstep::testing::repeatable(11);
  const StoreFolder folder;
  folder.open()->create_run(new_run("a"));
  for (int round = 0; round < 15; ++round) {
    Child child([&](int report_fd) { take_in_for_ever(folder, report_fd); });
    const int kill_after = std::uniform_int_distribution<int>(0, 300)(random);
    std::int64_t acknowledged = -1;
    int reports = 0;
    while (const auto report = child.report()) {
      acknowledged = *report;
      if (reports++ == kill_after) child.kill();
    }
    ASSERT_TRUE(WIFSIGNALED(child.wait()));
    const auto store = folder.open();
    const std::int64_t taken = store->journal_taken_through("a", 0);
    ASSERT_GE(taken, acknowledged);
    const auto history = store->metric_history("a", "m");
    ASSERT_EQ(static_cast<std::int64_t>(history.size()), taken + 1);
    for (std::int64_t i = 0; i <= taken; ++i) ASSERT_EQ(history[static_cast<std::size_t>(i)].step, i);
    ASSERT_EQ(static_cast<std::int64_t>(store->params("a").size()), taken + 1);
    ASSERT_EQ(store->latest_metrics("a").at(0).step, taken);
  }
}

// Several writers die at once, also in the middle of creating runs and changing their states.
TEST(StoreProcesses, KeepEveryAcknowledgedStateOverKill9) {
  auto random = lockstep::testing::repeatable(13);
  const StoreFolder folder;
  folder.open();
  for (int round = 0; round < 5; ++round) {
    std::vector<Child> children;
    children.reserve(3);
    for (int writer = 0; writer < 3; ++writer) {
      children.emplace_back([&, round, writer](int report_fd) {
        const auto store = folder.open();
        for (int i = 0;; ++i) {
          const int number = (round * 3 + writer) * 100'000 + i;
          store->create_run(new_run(run_named(number)));
          store->transition(run_named(number), store->take_ownership(run_named(number)), RunState::failed,
                            because("on purpose"));
          tell(report_fd, number);
        }
      });
    }
    std::vector<std::int64_t> acknowledged;
    const int kill_after = std::uniform_int_distribution<int>(1, 12)(random);
    for (int i = 0; i < kill_after; ++i) {
      if (const auto report = children[0].report()) acknowledged.insert(acknowledged.end(), *report);
    }
    ASSERT_EQ(acknowledged.size(), static_cast<std::size_t>(kill_after));
    for (const auto& child : children) child.kill();
    for (auto& child : children) {
      while (const auto report = child.report()) acknowledged.push_back(*report);
      ASSERT_TRUE(WIFSIGNALED(child.wait()));
    }
    const auto store = folder.open();
    for (const std::int64_t number : acknowledged) {
      const auto run = store->get_run(run_named(static_cast<int>(number)));
      ASSERT_EQ(run.state, RunState::failed);
      ASSERT_EQ(run.outcome.reason, "on purpose");
    }
  }
  folder.expect_whole();
}

}  // namespace
}  // namespace lockstep::history
