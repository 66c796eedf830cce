// The database of an MLflow tracking server, or of a client with sqlite:///..., as a source. Files as old as MLflow 1.0
// are read: columns and tables that came later are passed over where they are missing.
#pragma once

#include "history/transfer/sqlite_file.hpp"
#include "history/transfer/transfer.hpp"

namespace lockstep::history::transfer {

bool is_mlflow_database(const SqliteFile& file);

class MlflowDatabase : public Source {
 public:
  explicit MlflowDatabase(const fs::path& file);  // bad_input: it is something else
  void give(Sink& sink) override;

 private:
  void give_experiments(Sink& sink);
  void give_runs(Sink& sink);
  void give_run(Sink& sink, FullRun run);
  void give_registry(Sink& sink);
  void give_logged_models(Sink& sink);
  std::vector<KeyValue> pairs(const std::string& sql, const std::string& of) const;
  void add_inputs(FullRun& run) const;
  std::vector<ModelVersion> versions_of(const std::string& name) const;
  std::vector<ModelMetric> metrics_of(const std::string& model_id) const;

  SqliteFile file_;
};

}  // namespace lockstep::history::transfer
