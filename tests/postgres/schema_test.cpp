#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "history/store/schema.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::HasSubstr;
using Texts = std::set<std::string>;

Texts texts_of(Query rows) {
  Texts all;
  while (rows.step()) all.insert(rows.text(0));
  return all;
}

// "table.column", and whether it may be NULL, but for a rowid and the version, which each engine keeps in its way.
TEST(PostgresSchema, HasTheColumnsOfSqlites) {
  const StoreFolder folder;
  folder.open();
  const auto postgres = folder.database();
  open_sqlite_store(folder.file());
  SqliteDatabase sqlite(folder.file());
  const Texts here = texts_of(
      postgres->query("SELECT table_name || '.' || column_name || ' ' || is_nullable FROM information_schema.columns "
                      "WHERE table_schema = 'lockstep' AND column_name <> 'rowid' AND table_name <> 'schema_version'"));
  const Texts there = texts_of(sqlite.query(
      "SELECT t.name || '.' || c.name || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN ' NO' ELSE ' YES' END "
      "FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' "
      "AND c.name <> 'start_ms'"));
  Texts without_computed = here;
  EXPECT_EQ(without_computed.erase("runs.start_ms YES"), 1U);
  EXPECT_EQ(without_computed, there);
  EXPECT_GT(there.size(), 100U);
  EXPECT_EQ(postgres->number("SELECT version FROM schema_version"), static_cast<std::int64_t>(migrations().size()));
}

TEST(PostgresSchema, IsMadeOnceWhenManyOpenAtTheSameTime) {
  const StoreFolder folder;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] { folder.open()->create_run(new_run(fmt::format("run{}", i))); });
    }
  }
  EXPECT_EQ(folder.open()->list_runs({}).runs.size(), 8U);
  EXPECT_EQ(folder.open()->list_experiments(View::all).size(), 1U);
}

TEST(PostgresSchema, OfANewerProgramIsRefused) {
  const StoreFolder folder;
  folder.open();
  folder.database()->execute("UPDATE schema_version SET version = 1000");
  const Error error = error_of([&] { folder.open(); });
  EXPECT_EQ(error.code(), ExitCode::failed);
  EXPECT_THAT(error.what(), HasSubstr("schema version 1000, written by a newer lockstep"));
}

TEST(PostgresSchema, LeavesSomebodyElsesTablesOfTheSameNameAlone) {
  const StoreFolder folder;
  folder.database()->execute("CREATE TABLE public.runs (run_uuid TEXT); INSERT INTO public.runs VALUES ('theirs')");
  folder.open()->create_run(new_run("ours"));
  EXPECT_EQ(folder.database()->number("SELECT count(*) FROM public.runs WHERE run_uuid = 'theirs'"), 1);
  EXPECT_EQ(folder.database()->number("SELECT count(*) FROM runs WHERE run_id = 'ours'"), 1);
}

}  // namespace
}  // namespace lockstep::history
