// Which calls reach the disk before they return: counted by a layer over SQLite's own file system.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <map>
#include <utility>

#include "history/store/sqlite_log_writes.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

int syncs_of_the_log = 0;
decltype(sqlite3_vfs::xOpen) open_real = nullptr;
std::map<const sqlite3_io_methods*, sqlite3_io_methods> counting_methods;  // by the methods they count for
std::map<const sqlite3_io_methods*, const sqlite3_io_methods*> real_methods;

sqlite3_vfs& vfs_of_stores() { return *sqlite3_vfs_find(vfs_with_large_log_writes()); }

int count_sync(sqlite3_file* file, int flags) {
  ++syncs_of_the_log;
  return real_methods.at(file->pMethods)->xSync(file, flags);
}

int open_counting(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = open_real(vfs, name, file, flags, out_flags);
  if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
  const sqlite3_io_methods* real = file->pMethods;
  sqlite3_io_methods& counting = counting_methods[real];
  counting = *real;
  counting.xSync = count_sync;
  real_methods[&counting] = real;
  file->pMethods = &counting;
  return code;
}

class StoreDurability : public ::testing::Test {
 protected:
  void SetUp() override { open_real = std::exchange(vfs_of_stores().xOpen, open_counting); }
  void TearDown() override { vfs_of_stores().xOpen = open_real; }
  template <class Action>
  static int syncs_during(Action action) {
    const int before = syncs_of_the_log;
    action();
    return syncs_of_the_log - before;
  }
};

TEST_F(StoreDurability, OfAnImportComesAtItsEnd) {
  const StoreFolder folder;
  const auto store = folder.open();
  const auto none = [](std::string&, std::vector<Metric>&) { return false; };
  ImportedRun run;
  run.run.run.run_id = "a";
  run.run.run.experiment_id = "0";
  store->import_run(run, none);
  run.run.run.run_id = "b";
  EXPECT_EQ(syncs_during([&] { store->import_run(run, none); }), 0);
  EXPECT_EQ(syncs_during([&] { store->sync_imports(); }), 1);
}

TEST_F(StoreDurability, IsOnDiskForStatesAndLeftToTheSystemForMetrics) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("a"));
  const std::vector<Metric> metrics{{"m", 1, 1, 1}};
  JournalBatch batch;
  batch.through_sequence = 0;
  batch.metrics = metrics;
  // Alternating, because the two kinds share one connection.
  EXPECT_EQ(syncs_during([&] { store->log_batch("a", metrics, {}, {}); }), 0);
  EXPECT_GE(syncs_during([&] { store->create_run(new_run("b")); }), 1);
  EXPECT_EQ(syncs_during([&] { store->take_journal("a", batch); }), 0);
  EXPECT_GE(syncs_during([&] { store->take_ownership("a"); }), 1);
  EXPECT_EQ(syncs_during([&] { store->log_batch("a", metrics, {}, {}); }), 0);
  EXPECT_GE(syncs_during([&] { store->transition("a", 1, RunState::running); }), 1);
  EXPECT_EQ(syncs_during([&] { store->log_batch("a", metrics, {}, {}); }), 0);
  EXPECT_GE(syncs_during([&] { store->request_cancel("a", "x"); }), 1);
  EXPECT_EQ(syncs_during([&] { store->list_runs({}), store->get_run("a"), store->latest_metrics("a"); }), 0);
}

TEST_F(StoreDurability, IsThatOfTheWholeCommitAndOfItsMostDemandingPart) {
  const StoreFolder folder;
  const auto store = folder.open();
  store->create_run(new_run("a"));
  const std::vector<Metric> metrics{{"m", 1, 1, 1}};
  const auto log_twice = [&] {
    store->log_batch("a", metrics, {}, {});
    store->log_batch("a", metrics, {}, {});
  };
  EXPECT_EQ(syncs_during([&] { store->in_one_commit(Survives::process_death, log_twice); }), 0);
  EXPECT_EQ(syncs_during([&] { store->in_one_commit(Survives::power_loss, log_twice); }), 1);
  EXPECT_EQ(syncs_during([&] {
              store->in_one_commit(Survives::process_death, [&] {
                log_twice();
                store->create_run(new_run("b"));
              });
            }),
            1);
}

}  // namespace
}  // namespace lockstep::history
