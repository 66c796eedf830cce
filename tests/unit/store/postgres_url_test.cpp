#include "history/store/postgres_url.hpp"

#include <gmock/gmock.h>

#include "tests/unit/store/test_store.hpp"

namespace lockstep::history {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(PostgresUrl, IsToldFromAFile) {
  EXPECT_TRUE(is_postgres("postgresql://db/history"));
  EXPECT_TRUE(is_postgres("postgres://db/history"));
  EXPECT_TRUE(is_postgres("postgresql+psycopg2://db/history"));
  EXPECT_FALSE(is_postgres("/home/me/history.db"));
  EXPECT_FALSE(is_postgres("postgresql"));
  EXPECT_FALSE(is_postgres("mysql://db/history"));
}

TEST(PostgresUrl, IsShownWithoutWhoAndHow) {
  EXPECT_EQ(without_password("postgresql://me:secret@db.lab:6543/history?sslmode=require"),
            "postgresql://db.lab:6543/history");
  EXPECT_EQ(without_password("/home/me/history.db"), "/home/me/history.db");
}

TEST(PostgresUrl, HasLimitsOfTimeUnlessItBringsItsOwn) {
  const PostgresUrl plain("postgresql+psycopg2://me@db/history");
  EXPECT_THAT(plain.settings(), Contains(Pair("dbname", "history")));
  EXPECT_THAT(plain.settings(), Contains(Pair("connect_timeout", "10")));
  EXPECT_THAT(plain.settings(), Contains(Pair("tcp_user_timeout", "30000")));
  const PostgresUrl own("postgresql://me@db/history?connect_timeout=3");
  EXPECT_THAT(own.settings(), Contains(Pair("connect_timeout", "3")));
  EXPECT_THAT(own.settings(), Not(Contains(Pair("connect_timeout", "10"))));
}

TEST(StoreUrl, OfSqliteIsAFileAndOfOthersARefusal) {
  const testing::TemporaryFolder folder;
  open_store("sqlite:///" + (folder / "history.db").string())->create_run(new_run("a"));
  EXPECT_EQ(open_store((folder / "history.db").string())->get_run("a").run_id, "a");
  const Error error = error_of([] { open_store("mysql://me:secret@db/history"); });
  EXPECT_EQ(error.code(), ExitCode::bad_input);
  EXPECT_THAT(error.what(), HasSubstr("not in mysql"));
  EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
}

TEST(StoreUrl, TellsWhetherAFileIsThereWithoutMakingIt) {
  const testing::TemporaryFolder folder;
  const std::string file = (folder / "history.db").string();
  EXPECT_FALSE(is_there(file));
  EXPECT_FALSE(is_there("sqlite:///" + file));
  open_store(file);
  EXPECT_TRUE(is_there(file));
  EXPECT_TRUE(is_there("sqlite:///" + file));
}

TEST(PostgresUrl, ThatCannotBeReadIsTheUsersMistake) {
  const Error error = error_of([] { PostgresUrl("postgresql://db/history?colour=red"); });
  EXPECT_EQ(error.code(), ExitCode::bad_input);
  EXPECT_THAT(error.what(), HasSubstr("colour"));
}

TEST(PostgresUrl, OfAServerThatIsNotThereSaysSoWithoutThePassword) {
  const Error error = error_of([] { open_store("postgresql://me:secret@127.0.0.1:1/history"); });
  EXPECT_EQ(error.code(), ExitCode::failed);
  EXPECT_THAT(error.what(), HasSubstr("postgresql://127.0.0.1:1/history"));
  EXPECT_THAT(error.what(), HasSubstr("Connection refused"));
  EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace lockstep::history
