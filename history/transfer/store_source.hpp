// A store as a source: all of it, or some of its runs.
#pragma once

#include <string>
#include <vector>

#include "history/transfer/transfer.hpp"

namespace lockstep::history::transfer {

// Of a part only the runs, those below them, their experiments and the models that they logged are given; the
// registry belongs to the whole.
struct Part {
  std::vector<std::string> run_ids;  // empty: all
  std::string experiment;            // name or id; empty: all
  bool is_all() const { return run_ids.empty() && experiment.empty(); }
};

// Runs come in the order of their creation. Each is given as it stands when its turn comes. The constructor throws
// not_found for what the part names and is not there.
class StoreSource : public Source {
 public:
  StoreSource(Store& store, const Part& part);
  void give(Sink& sink) override;

 private:
  void add_run(const std::string& run_id);
  void add_below(const std::string& run_id);
  void give_run(Sink& sink, const std::string& run_id);
  void give_logged_models(Sink& sink);
  void give_registry(Sink& sink);

  Store& store_;
  bool all_;
  std::vector<Experiment> experiments_;
  std::vector<std::string> run_ids_;
};

}  // namespace lockstep::history::transfer
