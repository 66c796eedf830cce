#include "history/store/postgres_sql.hpp"

#include <gtest/gtest.h>

namespace lockstep::history {
namespace {

std::string text_of(std::string_view sql) { return in_postgres_words(sql).text; }

TEST(PostgresSql, NumbersParametersAsTheyCome) {
  const PostgresSql sql = in_postgres_words("SELECT a FROM b WHERE c = ? AND d = ?");
  EXPECT_EQ(sql.text, "SELECT a FROM b WHERE c = $1 AND d = $2");
  EXPECT_EQ(sql.parameters, 2);
}

TEST(PostgresSql, KeepsTheNumbersThatParametersHave) {
  const PostgresSql sql = in_postgres_words("SELECT ?2, ?1 LIMIT ?14");
  EXPECT_EQ(sql.text, "SELECT $2, $1 LIMIT $14");
  EXPECT_EQ(sql.parameters, 14);
}

TEST(PostgresSql, LeavesTextsAlone) {
  EXPECT_EQ(text_of("SELECT 'why?', 'it''s ? LIKE ?', ?"), "SELECT 'why?', 'it''s ? LIKE ?', $1");
  EXPECT_EQ(text_of("SELECT 'open"), "SELECT 'open");
}

TEST(PostgresSql, SaysLikeAndIlikeWithoutAnEscape) {
  EXPECT_EQ(text_of("a GLOB ? AND b LIKE ?"), "a LIKE $1 ESCAPE '' AND b ILIKE $2 ESCAPE ''");
}

TEST(PostgresSql, ReadsListsFromJson) {
  EXPECT_EQ(text_of("a IN (SELECT value FROM json_each(?)) AND b = ?"),
            "a IN (SELECT value FROM json_array_elements_text(CAST($1 AS json)) AS list(value)) AND b = $2");
}

TEST(PostgresSql, LeavesOutWhatLeadsSqlite) {
  EXPECT_EQ(text_of("FROM runs r INDEXED BY runs_by_start WHERE 1 = 1 AND +r.archived = 0"),
            "FROM runs r  WHERE 1 = 1 AND r.archived = 0");
}

TEST(PostgresSql, TranslatesWholeWordsOnly) {
  EXPECT_EQ(text_of("SELECT unLIKE ?, a LIKE ?"), "SELECT unLIKE $1, a ILIKE $2 ESCAPE ''");
}

TEST(PostgresSql, KnowsWhoReadsTheRowsOfMetrics) {
  EXPECT_TRUE(in_postgres_words("SELECT max(rowid) FROM metrics WHERE series = ?").reads_metrics);
  EXPECT_TRUE(in_postgres_words("SELECT 1 FROM series s JOIN metrics m USING (series)").reads_metrics);
  EXPECT_FALSE(in_postgres_words("SELECT value FROM logged_model_metrics WHERE model = ?").reads_metrics);
}

}  // namespace
}  // namespace lockstep::history
