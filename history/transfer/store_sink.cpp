#include "history/transfer/store_sink.hpp"

#include <exception>

#include "common/fault.hpp"

namespace lockstep::history::transfer {

namespace {
// Whether `get` finds what it asks for.
template <class Get>
bool is_here(const Get& get) {
  try {
    get();
    return true;
  } catch (const Error& error) {
    if (error.code() != ExitCode::not_found) throw;
    return false;
  }
}

// The state of a run that has an owner is that owner's to say, and he is not here: it comes when it has ended.
bool is_still_on(const Run& run) { return !run.reported && !is_terminal(run.state); }

std::string still_on(const Run& run) {
  return fmt::format("run {}: it was still {} there; it can be imported when it has ended", run.run_id,
                     name_of(run.state));
}

// What the store itself refuses is left out, so that one odd thing does not keep the others away. True: it was taken.
template <class Take>
bool left_out_if_refused(Taken& taken, const std::string& what, const Take& take) {
  try {
    take();
    return true;
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_input) throw;
    taken.left_out.push_back(fmt::format("{}: {}", what, error.what()));
    return false;
  }
}
}  // namespace

void StoreSink::take(const Experiment& experiment) {
  left_out_if_refused(taken_, "experiment " + experiment.name, [&] {
    const bool known = is_here([&] { store_.get_experiment_by_name(experiment.name); });
    id_here_[experiment.experiment_id] = store_.import_experiment(experiment);
    if (!known) ++taken_.added.experiments;
  });
}

const std::string& StoreSink::id_here(const std::string& experiment_id) const {
  const auto found = id_here_.find(experiment_id);
  if (found == id_here_.end()) throw bad_input("its experiment {} did not come before it", experiment_id);
  return found->second;
}

// What goes wrong in the source is no refusal.
void StoreSink::take(const ImportedRun& given, const NextSeries& next) {
  if (is_still_on(given.run.run)) {
    ++taken_.runs_on;
    taken_.left_out.push_back(still_on(given.run.run));
    return;
  }
  std::exception_ptr of_source;
  std::int64_t points = 0;
  const auto guarded = [&](std::string& key, std::vector<Metric>& piece) {
    try {
      if (!next(key, piece)) return false;
    } catch (...) {
      of_source = std::current_exception();
      throw;
    }
    points += static_cast<std::int64_t>(piece.size());
    fault_point("import.after_piece");
    return true;
  };
  left_out_if_refused(taken_, "run " + given.run.run.run_id, [&] {
    ImportedRun run = given;
    try {
      run.run.run.experiment_id = id_here(given.run.run.experiment_id);
      const bool added = store_.import_run(run, guarded);
      taken_.added.runs += added ? 1 : 0;
      taken_.added.points += added ? points : 0;
      taken_.runs_here += added ? 0 : 1;
    } catch (const Error&) {
      if (of_source) std::rethrow_exception(of_source);
      throw;
    }
  });
  if (of_source) std::rethrow_exception(of_source);
  fault_point("import.after_run");
}

void StoreSink::take(const ImportedModel& model) {
  left_out_if_refused(taken_, "registered model " + model.model.name,
                      [&] { ++(store_.import_registered_model(model) ? taken_.added.models : taken_.models_here); });
}

void StoreSink::take(const LoggedModel& given) {
  left_out_if_refused(taken_, "logged model " + given.model_id, [&] {
    LoggedModel model = given;
    model.experiment_id = id_here(given.experiment_id);
    ++(store_.import_logged_model(model) ? taken_.added.models : taken_.models_here);
  });
}

void LookingSink::take(const Experiment& experiment) {
  const bool known = store_ == nullptr ? experiment.name == "Default"
                                       : is_here([&] { store_->get_experiment_by_name(experiment.name); });
  if (!known) ++taken_.added.experiments;
}

void LookingSink::take(const ImportedRun& given, const NextSeries& next) {
  const std::string& run_id = given.run.run.run_id;
  if (is_still_on(given.run.run)) {
    ++taken_.runs_on;
    taken_.left_out.push_back(still_on(given.run.run));
    return;
  }
  if (store_ != nullptr && is_here([&] { store_->get_run(run_id); })) {
    ++taken_.runs_here;
    return;
  }
  ++taken_.added.runs;
  std::string key;
  std::vector<Metric> points;
  while (next(key, points)) taken_.added.points += static_cast<std::int64_t>(points.size());
}

void LookingSink::take(const ImportedModel& model) {
  const bool known = store_ != nullptr && is_here([&] { store_->newest_version(model.model.name); });
  ++(known ? taken_.models_here : taken_.added.models);
}

void LookingSink::take(const LoggedModel& model) {
  const bool known = store_ != nullptr && is_here([&] { store_->get_logged_model(model.model_id); });
  ++(known ? taken_.models_here : taken_.added.models);
}

}  // namespace lockstep::history::transfer
