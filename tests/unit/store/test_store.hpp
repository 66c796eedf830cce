// A store in a folder of its own that goes when the test ends.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "history/store/store.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::history {

class StoreFolder {
 public:
  fs::path file() const { return folder_ / "history.db"; }
  std::unique_ptr<Store> open() const { return open_sqlite_store(file()); }

 private:
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
