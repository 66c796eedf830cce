// An mlruns folder (MLflow's files) as a source: its experiments, those in .trash, its models.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/file.hpp"
#include "history/transfer/transfer.hpp"

namespace lockstep::history::transfer {

bool is_mlruns(const fs::path& folder);

class Mlruns : public Source {
 public:
  explicit Mlruns(const fs::path& folder);  // bad_input: it is something else
  void give(Sink& sink) override;

 private:
  void give_runs(Sink& sink);
  void give_logged_models(Sink& sink);
  void give_registry(Sink& sink);

  fs::path root_;
  std::vector<fs::path> experiments_;  // their folders, by age
};

}  // namespace lockstep::history::transfer
