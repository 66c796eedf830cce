#include "history/store/schema.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::HasSubstr;

// The migrations of a program one release ahead of this one.
std::vector<const char*> with_one_more(const char* sql) {
  std::vector<const char*> all(migrations().begin(), migrations().end());
  all.push_back(sql);
  return all;
}

TEST(Schema, IsVersionedByUserVersion) {
  const StoreFolder folder;
  folder.open();
  SqliteDatabase database(folder.file());
  EXPECT_EQ(database.number("PRAGMA user_version"), static_cast<std::int64_t>(migrations().size()));
  EXPECT_EQ(database.number("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
  EXPECT_EQ(database.number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

TEST(Schema, MigratesAnOlderFileAndKeepsWhatIsInIt) {
  const StoreFolder folder;
  folder.open()->create_run(new_run("a"));
  SqliteDatabase database(folder.file());
  const auto newer = with_one_more("ALTER TABLE runs ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'");
  migrate(database, newer);
  migrate(database, newer);
  EXPECT_EQ(database.number("PRAGMA user_version"), static_cast<std::int64_t>(newer.size()));
  EXPECT_EQ(database.number("SELECT count(*) FROM runs WHERE run_id = 'a' AND colour = 'red'"), 1);
}

TEST(Schema, RefusesAFileOfANewerProgramAndLeavesItAlone) {
  const StoreFolder folder;
  folder.open()->create_run(new_run("a"));
  {
    SqliteDatabase database(folder.file());
    migrate(database, with_one_more("ALTER TABLE runs ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'"));
  }
  const Error error = error_of([&] { folder.open(); });
  EXPECT_EQ(error.code(), ExitCode::failed);
  const std::size_t known = migrations().size();
  EXPECT_EQ(error.what(), fmt::format("{} has schema version {}, written by a newer lockstep; this one knows versions "
                                      "up to {}. Use the newer one.",
                                      folder.file().string(), known + 1, known));
  SqliteDatabase database(folder.file());
  EXPECT_EQ(database.number("PRAGMA user_version"), static_cast<std::int64_t>(known + 1));
}

TEST(Schema, StaysAsItWasWhenAMigrationFails) {
  const StoreFolder folder;
  folder.open()->create_run(new_run("a"));
  {
    SqliteDatabase database(folder.file());
    const auto broken = with_one_more("ALTER TABLE runs ADD COLUMN colour TEXT; DROP TABLE no_such_table");
    EXPECT_THROW(migrate(database, broken), Error);
  }
  EXPECT_EQ(folder.open()->get_run("a").run_id, "a");
  SqliteDatabase database(folder.file());
  EXPECT_EQ(database.number("SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'colour'"), 0);
}

TEST(Schema, IsPutIntoAnEmptyFile) {
  const StoreFolder folder;
  write_file_atomically(folder.file(), "");
  EXPECT_EQ(folder.open()->get_experiment("0").name, "Default");
}

TEST(Schema, IsNotPutIntoSomebodyElsesDatabase) {
  const StoreFolder folder;
  write_file_atomically(folder.file(), "");
  {
    SqliteDatabase database(folder.file());
    database.execute("CREATE TABLE recipes (name TEXT)");
  }
  EXPECT_THAT(error_of([&] { folder.open(); }).what(), HasSubstr("is not a Lockstep history store"));
  {
    SqliteDatabase database(folder.file());
    database.execute("PRAGMA user_version = 1");
  }
  EXPECT_THAT(error_of([&] { folder.open(); }).what(), HasSubstr("is not a Lockstep history store"));
}

TEST(Schema, IsNotLookedForInAFileThatIsNoDatabase) {
  const StoreFolder folder;
  write_file_atomically(folder.file(), std::string(5000, 'x'));
  const Error error = error_of([&] { folder.open(); });
  EXPECT_EQ(error.code(), ExitCode::failed);
  EXPECT_THAT(error.what(), HasSubstr(folder.file().string()));
  EXPECT_THAT(error.what(), HasSubstr("file is not a database"));
}

TEST(Schema, SaysWhichFolderIsMissing) {
  const StoreFolder folder;
  const Error error = error_of([&] { open_sqlite_store(folder.file() / "deeper" / "history.db"); });
  EXPECT_THAT(error.what(), HasSubstr("deeper"));
  EXPECT_THAT(error.what(), HasSubstr("No such file or directory"));
}

// Children wait at a pipe and create the store all at once.
TEST(Schema, IsMadeOnceWhenManyProcessesOpenAtTheSameTime) {
  for (int round = 0; round < 5; ++round) {
    const StoreFolder folder;
    auto [gate_read, gate_write] = make_pipe();
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
      children.push_back(::fork());
      ASSERT_GE(children.back(), 0);
      if (children.back() == 0) {
        gate_write.reset();
        char byte = 0;
        [[maybe_unused]] const ssize_t got = ::read(gate_read.get(), &byte, 1);  // ends when the gate is closed
        int code = 1;
        try {
          folder.open()->create_run(new_run(fmt::format("run{}", i)));
          code = 0;
        } catch (const std::exception& error) {
          fmt::print(stderr, "process {}: {}\n", i, error.what());
        }
        ::_exit(code);
      }
    }
    gate_write.reset();
    for (const pid_t child : children) {
      int status = -1;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(folder.open()->list_runs({}).runs.size(), 8U);
    EXPECT_EQ(folder.open()->list_experiments(View::all).size(), 1U);
  }
}

}  // namespace
}  // namespace lockstep::history
