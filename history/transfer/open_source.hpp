// What a person names as the source of an import.
#pragma once

#include <memory>
#include <string>

#include "history/transfer/transfer.hpp"

namespace lockstep::history::transfer {

// "-" (an archive on stdin), an archive, the history.db of a workspace or a folder that has one, MLflow's database
// (sqlite:///path or its path), an mlruns folder (file:path or its path). not_found, or bad_input for anything else.
struct OpenedSource {
  std::unique_ptr<Store> store;  // that the source reads; null: none
  std::unique_ptr<Source> source;
  std::string what;  // "MLflow's database /x/mlflow.db", for people
};
OpenedSource open_source(const std::string& name);

}  // namespace lockstep::history::transfer
