#include "history/store/database.hpp"

#include "common/fault.hpp"

namespace lockstep::history {

Query Database::query(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) found = statements_.emplace(sql, compile(sql, Use::often)).first;
  return Query(*found->second);
}

Query Database::prepare(std::string_view sql) { return Query(compile(sql, Use::once)); }

std::int64_t Database::number(std::string_view sql) { return query(sql).number(); }

Snapshot::Snapshot(Database& database) : database_(database.in_transaction() ? nullptr : &database) {
  if (database_ == nullptr) return;
  database_->begin_reading();
  database_->reading_ = true;
}

Snapshot::~Snapshot() {
  if (database_ == nullptr) return;
  database_->reading_ = false;
  database_->end_reading();
}

Transaction::Transaction(Database& database, Survives survives) : database_(database), is_part_(database.writing_) {
  if (is_part_) {
    database_.begin_part(survives);
  } else {
    database_.begin(survives);
    database_.writing_ = true;
  }
}

Transaction::~Transaction() {
  if (!is_part_) database_.writing_ = false;
  if (!open_) return;
  if (is_part_)
    database_.roll_back_part();
  else
    database_.roll_back();
}

void Transaction::commit() {
  if (is_part_) {
    database_.commit_part();
    open_ = false;
    return;
  }
  fault_point("store-before-commit");
  database_.commit();
  open_ = false;
  fault_point("store-after-commit");
}

}  // namespace lockstep::history
