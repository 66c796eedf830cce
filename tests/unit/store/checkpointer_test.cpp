#include "history/store/checkpointer.hpp"

#include <gtest/gtest.h>

#include "history/store/query.hpp"
#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

constexpr int page_size = 4096;

// Commits of about ten pages of one table that is never longer, one right after the other.
void write_pages(SqliteDatabase& database, int commits) {
  for (int i = 0; i < commits; ++i) {
    Transaction transaction(database, Survives::process_death);
    database.execute("UPDATE pages SET bytes = randomblob(3000)");
    transaction.commit();
  }
}

struct Pages {
  Pages() {
    database.execute("CREATE TABLE pages (bytes BLOB)");
    for (int i = 0; i < 10; ++i) database.execute("INSERT INTO pages VALUES (randomblob(3000))");
  }
  std::uintmax_t log_pages() const { return fs::file_size(fs::path(folder.file()) += "-wal") / page_size; }
  StoreFolder folder;
  std::unique_ptr<Store> store = folder.open();
  SqliteDatabase database{folder.file()};
};

TEST(Checkpointer, KeepsTheLogShortThoughCommitsNeverPause) {
  Pages pages;
  Checkpointer checkpointer(pages.folder.file(), {.worth_a_checkpoint = 50, .too_long = 300, .most = 400});
  pages.database.leave_checkpoints_to([&](int length) { checkpointer.log_has(length); });
  write_pages(pages.database, 2000);
  EXPECT_LT(pages.log_pages(), 450U);  // of 20,000 that were written
}

TEST(Checkpointer, LetsTheWriterGoWhenAReaderKeepsTheLog) {
  Pages pages;
  SqliteDatabase reader(pages.folder.file());
  write_pages(pages.database, 1);
  reader.execute("BEGIN");
  ASSERT_EQ(reader.number("SELECT count(*) FROM pages"), 10);
  Checkpointer checkpointer(pages.folder.file(), {.worth_a_checkpoint = 50, .too_long = 300, .most = 400});
  pages.database.leave_checkpoints_to([&](int length) { checkpointer.log_has(length); });
  write_pages(pages.database, 200);
  EXPECT_GE(pages.log_pages(), 2000U);
}

}  // namespace
}  // namespace lockstep::history
