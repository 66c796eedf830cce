// The store's SQL, which is SQLite's, in PostgreSQL's words.
#pragma once

#include <string>
#include <string_view>

namespace lockstep::history {

struct PostgresSql {
  std::string text;
  int parameters = 0;
  bool reads_metrics = false;  // the rows of values, which may still wait to be sent
};

// What is translated: parameters (? and ?1 to $1), GLOB and LIKE (LIKE and ILIKE, without an escape character),
// json_each, INDEXED BY (left out: PostgreSQL chooses by statistics), the plus sign that keeps SQLite from an
// index (left out). Everything else is written in what both understand.
PostgresSql in_postgres_words(std::string_view sql);

}  // namespace lockstep::history
