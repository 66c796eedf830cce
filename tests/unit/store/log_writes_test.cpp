#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "history/store/sqlite_database.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

constexpr int rows = 200;  // about a page each

struct Rows {
  Rows() {
    database.execute("PRAGMA synchronous = NORMAL");  // a sync would write all that waits
    database.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, value INTEGER, bytes BLOB)");
    database.execute("BEGIN");
    for (int i = 0; i < rows; ++i) database.execute("INSERT INTO rows (value, bytes) VALUES (0, randomblob(3000))");
    database.execute("COMMIT");
  }
  StoreFolder folder;
  std::unique_ptr<Store> store = folder.open();
  SqliteDatabase database{folder.file()};
};

void change_all(SqliteDatabase& database, int value) {
  database.execute(fmt::format("UPDATE rows SET value = {}, bytes = randomblob(3000)", value));
}

// of rows that have it, as another connection sees them
std::int64_t count(const Rows& rows, int value) {
  return SqliteDatabase(rows.folder.file()).number(fmt::format("SELECT count(*) FROM rows WHERE value = {}", value));
}

// Calls of this process that wrote something, by the kernel's own count.
std::int64_t writes() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::int64_t number = 0;
  while (io >> name >> number) {
    if (name == "syscw:") return number;
  }
  return -1;
}

TEST(LogWrites, OfACommitAreFewAndLarge) {
  Rows rows_there;
  const std::int64_t before = writes();
  change_all(rows_there.database, 1);
  const std::int64_t after = writes();
  ASSERT_GE(before, 0);
  EXPECT_LE(after - before, 30);  // SQLite itself makes two of each page
  EXPECT_EQ(count(rows_there, 1), rows);
}

TEST(LogWrites, ThatWaitWhenAWriterRollsBackDontReachTheNextWritersPlace) {
  Rows rows_there;
  SqliteDatabase& first = rows_there.database;
  SqliteDatabase second(rows_there.folder.file());
  first.execute("PRAGMA cache_size = 10");  // so that pages are written before the end of the transaction
  for (int round = 1; round <= 20; ++round) {
    first.execute("BEGIN IMMEDIATE");
    change_all(first, -round);
    first.execute("ROLLBACK");
    change_all(second, round);
    EXPECT_EQ(count(rows_there, round), rows);
    first.execute(fmt::format("UPDATE rows SET value = {} WHERE number = 1", -round));
    EXPECT_EQ(count(rows_there, round), rows - 1);
    rows_there.folder.expect_whole();
  }
}

TEST(LogWrites, OfAPartThatIsUndoneLeaveTheRestOfItsTransaction) {
  Rows rows_there;
  SqliteDatabase& database = rows_there.database;
  database.execute("PRAGMA cache_size = 10; BEGIN IMMEDIATE");
  change_all(database, 1);
  database.execute("SAVEPOINT part");
  change_all(database, 2);
  database.execute("ROLLBACK TO part; RELEASE part; UPDATE rows SET value = 3 WHERE number <= 10; COMMIT");
  EXPECT_EQ(count(rows_there, 1), rows - 10);
  EXPECT_EQ(count(rows_there, 3), 10);
  rows_there.folder.expect_whole();
}

TEST(LogWrites, ThatFailAreTheCommitsFailureAndNobodySeesAnyOfIt) {
  Rows rows_there;
  change_all(rows_there.database, 1);
  fs::path log = rows_there.folder.file();
  log += "-wal";
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small = {fs::file_size(log) + 300'000, limit.rlim_max};  // less than half of what comes
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_ANY_THROW(change_all(rows_there.database, 2));
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, ignored);
  EXPECT_EQ(count(rows_there, 1), rows);
  change_all(rows_there.database, 3);
  EXPECT_EQ(count(rows_there, 3), rows);
  rows_there.folder.expect_whole();
}

}  // namespace
}  // namespace lockstep::history
