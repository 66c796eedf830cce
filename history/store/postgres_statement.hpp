// A statement of PostgreSQL's. Its whole result is fetched by the first step.
#pragma once

#include <string>
#include <vector>

#include "history/store/postgres_database.hpp"
#include "history/store/postgres_sql.hpp"

namespace lockstep::history {

class PostgresStatement : public Statement {
 public:
  // `name`: it is prepared under this name when it is first used; empty: it is sent as a whole each time.
  PostgresStatement(PostgresDatabase& database, PostgresSql sql, std::string name);

  void bind(int parameter, std::optional<std::int64_t> value) override;
  void bind(int parameter, double value) override;
  void bind(int parameter, std::string_view value) override;
  void bind_pattern(int parameter, std::string_view like) override { bind(parameter, like); }
  bool step() override;
  void rewind() override { result_.reset(); }
  void reset() override { result_.reset(); }

  bool is_null(int column) const override { return PQgetisnull(result_.get(), row_, column) != 0; }
  std::int64_t integer(int column) const override;
  double real(int column) const override;
  std::string text(int column) const override { return std::string(bytes(column)); }

 private:
  struct Parameter {
    Oid type = 0;
    std::string text;
    bool is_null = true;
  };
  Parameter& at(int parameter) { return parameters_.at(static_cast<std::size_t>(parameter) - 1); }
  std::string_view bytes(int column) const;
  void prepare();
  void execute();

  PostgresDatabase& database_;
  PostgresSql sql_;
  std::string name_;
  int prepared_on_ = 0;  // PostgresDatabase::connection_number
  std::vector<Parameter> parameters_;
  PostgresDatabase::Result result_;
  int row_ = -1;
};

}  // namespace lockstep::history
