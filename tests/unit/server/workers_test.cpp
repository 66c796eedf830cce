#include "history/server/workers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history::server {
namespace {

Reply said(const std::string& text) {
  Reply reply;
  reply.body = text;
  return reply;
}

class WorkersOfAStore : public ::testing::Test {
 protected:
  void SetUp() override { folder_.open()->create_run(new_run("r")); }

  std::future<Reply> submit(Access access, Work work) {
    auto promise = std::make_shared<std::promise<Reply>>();
    workers_->submit(access, std::move(work), [promise](Reply reply) { promise->set_value(std::move(reply)); });
    return promise->get_future();
  }
  // The writer is busy until the promise is fulfilled: what is submitted meanwhile waits, and is committed at once.
  std::future<Reply> hold_writer(const std::shared_future<void>& until) {
    return submit(Access::write, [until](Store&) {
      until.wait();
      return said("held");
    });
  }
  static Work log(const std::string& key) {
    return [key](Store& store) {
      store.log_batch("r", {}, std::vector<KeyValue>{{key, "1"}}, {});
      return said(key);
    };
  }

  StoreFolder folder_;
  std::unique_ptr<Workers> workers_ = std::make_unique<Workers>([this] { return folder_.open(); }, 2);
};

TEST_F(WorkersOfAStore, WhatWaitsIsCommittedAtOnce) {
  std::promise<void> gate;
  auto held = hold_writer(gate.get_future().share());
  std::vector<std::future<Reply>> replies;
  for (int i = 0; i < 100; ++i) replies.push_back(submit(Access::write, log(fmt::format("p{}", i))));
  gate.set_value();
  for (auto& each : replies) EXPECT_EQ(each.get().status, 200);
  EXPECT_EQ(held.get().body, "held");
  EXPECT_LE(workers_->counts().commits, 3U);  // the writer may have begun with the first few
  EXPECT_EQ(workers_->counts().written, 101U);
  EXPECT_EQ(folder_.open()->params("r").size(), 100U);
}

TEST_F(WorkersOfAStore, AWorkThatFailsUndoesOnlyItself) {
  std::promise<void> gate;
  auto held = hold_writer(gate.get_future().share());
  auto before = submit(Access::write, log("a"));
  auto bad = submit(Access::write, [](Store& store) {
    store.log_batch("r", {}, std::vector<KeyValue>{{"half", "1"}, {"bad\nkey", "1"}}, {});
    return said("never");
  });
  auto after = submit(Access::write, log("b"));
  gate.set_value();
  EXPECT_EQ(held.get().body, "held");
  EXPECT_EQ(before.get().body, "a");
  EXPECT_EQ(bad.get().status, 400);
  EXPECT_EQ(after.get().body, "b");
  EXPECT_EQ(folder_.open()->params("r"), (std::vector<KeyValue>{{"a", "1"}, {"b", "1"}}));
}

TEST_F(WorkersOfAStore, AReplyToAWriteComesAfterItsCommit) {
  for (int i = 0; i < 20; ++i) {
    const std::string key = fmt::format("p{}", i);
    EXPECT_EQ(submit(Access::write, log(key)).get().body, key);
    const Reply read =
        submit(Access::read, [](Store& store) { return said(fmt::format("{}", store.params("r").size())); }).get();
    EXPECT_EQ(read.body, fmt::format("{}", i + 1));
  }
}

TEST_F(WorkersOfAStore, WhatWasSubmittedIsDoneBeforeTheyGo) {
  std::vector<std::future<Reply>> replies;
  for (int i = 0; i < 50; ++i) replies.push_back(submit(Access::write, log(fmt::format("p{}", i))));
  workers_.reset();
  for (auto& each : replies) EXPECT_EQ(each.get().status, 200);
}

TEST_F(WorkersOfAStore, AReaderThatWaitsHoldsUpNobodyElse) {
  std::promise<void> gate;
  auto waits = submit(Access::read, [until = gate.get_future().share()](Store&) {
    until.wait();
    return said("late");
  });
  EXPECT_EQ(submit(Access::read, [](Store&) { return said("other reader"); }).get().body, "other reader");
  EXPECT_EQ(submit(Access::write, log("x")).get().body, "x");
  gate.set_value();
  EXPECT_EQ(waits.get().body, "late");
}

TEST_F(WorkersOfAStore, AStoreThatCannotBeOpenedIsAnError) {
  EXPECT_THROW(Workers([]() -> std::unique_ptr<Store> { throw failure("no disk"); }, 1), Error);
}

}  // namespace
}  // namespace lockstep::history::server
