// A statement of a database, and one use of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep::history {

// As an engine has prepared it. Parameters and columns are numbered as SQL does it: those from 1, these from 0.
class Statement {
 public:
  virtual ~Statement() = default;

  virtual void bind(int parameter, std::optional<std::int64_t> value) = 0;  // nullopt becomes NULL
  virtual void bind(int parameter, double value) = 0;                       // NaN becomes NULL
  virtual void bind(int parameter, std::string_view value) = 0;             // copied
  virtual void bind_pattern(int parameter, std::string_view like) = 0;      // of MLflow's LIKE, for GLOB
  virtual bool step() = 0;                                                  // true: there is a row to read
  virtual void rewind() = 0;                                                // ready to be bound and run anew
  virtual void reset() = 0;                                                 // and holds nothing any more

  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string text(int column) const = 0;
};

// One use of a statement. Parameters are bound in order; texts are copied.
class Query {
 public:
  explicit Query(Statement& cached) : statement_(&cached) {}
  explicit Query(std::unique_ptr<Statement> statement) : statement_(statement.get()), own_(std::move(statement)) {}
  Query(Query&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)), own_(std::move(other.own_)) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  Query& operator=(Query&&) = delete;
  ~Query() {
    if (statement_ != nullptr && !own_) statement_->reset();
  }

  template <class... Values>
  Query& bind(const Values&... values) {
    int parameter = 0;
    (bind_at(++parameter, values), ...);
    return *this;
  }
  Query& bind_at(int parameter, std::int64_t value) { return bound(parameter, std::optional(value)); }
  Query& bind_at(int parameter, int value) { return bind_at(parameter, std::int64_t{value}); }
  Query& bind_at(int parameter, std::optional<int> value) {
    return bound(parameter, value ? std::optional<std::int64_t>(*value) : std::nullopt);
  }
  Query& bind_at(int parameter, double value) { return bound(parameter, value); }
  Query& bind_at(int parameter, std::string_view value) { return bound(parameter, value); }
  Query& bind_pattern_at(int parameter, std::string_view like) {
    statement_->bind_pattern(parameter, like);
    return *this;
  }

  bool step() { return statement_->step(); }
  void run() {  // for statements that give no rows
    while (step()) {
    }
  }
  // The number in the one row that the statement gives; nullopt: it gives none. For INSERT ... RETURNING.
  std::optional<std::int64_t> one_number() {
    if (!step()) return std::nullopt;
    const std::int64_t number = integer(0);
    run();
    return number;
  }
  std::int64_t number() { return one_number().value_or(0); }
  void run_again() {  // run, ready to be bound anew
    run();
    statement_->rewind();
  }

  bool is_null(int column) const { return statement_->is_null(column); }
  std::int64_t integer(int column) const { return statement_->integer(column); }
  double real(int column) const { return statement_->real(column); }
  std::string text(int column) const { return statement_->text(column); }

 private:
  template <class Value>
  Query& bound(int parameter, Value value) {
    statement_->bind(parameter, value);
    return *this;
  }

  Statement* statement_;
  std::unique_ptr<Statement> own_;  // null: it is the database's
};

}  // namespace lockstep::history
