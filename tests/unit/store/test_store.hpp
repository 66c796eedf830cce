// A store of its own for each test, which goes when the test ends: a file of SQLite's in a folder; or, where
// LOCKSTEP_TEST_POSTGRES says in which folder a PostgreSQL server's socket lies, a database there.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>

#include "common/digest.hpp"
#include "history/store/database.hpp"
#include "history/store/open_store.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::history {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

class StoreFolder {
 public:
  StoreFolder() {
    if (socket_ == nullptr) return;
    if (unused().empty()) {
      name_ = "test_" + random_hex(16);
      open_database(url_of("postgres"))->execute(fmt::format("CREATE DATABASE {}", name_));
    } else {
      name_ = unused().back();
      unused().pop_back();
    }
  }
  ~StoreFolder() {
    if (socket_ == nullptr) return;
    database()->execute("DROP SCHEMA IF EXISTS lockstep CASCADE");
    unused().push_back(name_);
  }
  StoreFolder(const StoreFolder&) = delete;
  StoreFolder& operator=(const StoreFolder&) = delete;

  fs::path file() const { return folder_ / "history.db"; }  // for tests of what only a file has
  std::string where() const { return socket_ == nullptr ? file().string() : url_of(name_); }
  std::unique_ptr<Store> open() const { return open_store(where()); }
  std::unique_ptr<Database> database() const { return open_database(where()); }  // once it has been opened as a store

  void expect_whole() const {
    if (socket_ != nullptr) return;  // a server looks after its own files
    constexpr const char* good = "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'";
    EXPECT_EQ(database()->number(good), 1);
  }

 private:
  std::string url_of(const std::string& database) const {
    return fmt::format("postgresql://postgres@/{}?host={}", database, socket_);
  }
  static std::vector<std::string>&
  unused() {  // databases of tests that ended: to make one takes longer than most tests
    static std::vector<std::string> names;
    return names;
  }

  const char* socket_ = std::getenv("LOCKSTEP_TEST_POSTGRES");
  std::string name_;
  testing::TemporaryFolder folder_;
};

inline NewRun new_run(const std::string& run_id, const std::string& experiment_id = "0") {
  NewRun run;
  run.run_id = run_id;
  run.experiment_id = experiment_id;
  return run;
}

inline Outcome because(const std::string& reason) {
  Outcome outcome;
  outcome.reason = reason;
  return outcome;
}

// The error that `action` ends with.
template <class Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return {ExitCode::done, ""};
}

}  // namespace lockstep::history
