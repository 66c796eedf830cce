// What comes from another history, with the ids, times and states that it has there. Nothing here is changed by an
// import but what is missing, so that one which was interrupted can be repeated.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "history/store/logged_models.hpp"
#include "history/store/registry.hpp"
#include "history/store/values.hpp"

namespace lockstep::history {

struct Experiment;
struct ImportedRun;

// Gives the values of one key after the other; false: that was all. A key may come several times, in pieces of at most
// 10,000 points; what `points` held is replaced, and the keys of the points are not looked at. Pieces of a key that
// come by step, then time, are read quickest later on.
using NextSeries = std::function<bool(std::string& key, std::vector<Metric>& points)>;

struct ImportedModel {
  RegisteredModel model;               // its latest_versions are not looked at
  std::vector<ModelVersion> versions;  // their aliases are not looked at: the model's count
  int newest_version = 0;              // the greatest number ever given; at least that of the versions
};

class Imports {
 public:
  virtual ~Imports() = default;

  // The id here: of the experiment of this name, which gets the tags that it lacks; else of a new one with the same
  // times, lifecycle, tags, place of artifacts, and the same id if that is a number and free.
  virtual std::string import_experiment(const Experiment& experiment) = 0;

  // All or nothing. False: a run of that id is here, and `next` was not called. bad_input for what breaks a limit; what
  // `next` throws goes through. Every value is kept, also one that repeats the one before.
  virtual bool import_run(const ImportedRun& run, const NextSeries& next) = 0;

  // With versions, tags, aliases. False: the name is taken.
  virtual bool import_registered_model(const ImportedModel& model) = 0;
  virtual int newest_version(const std::string& name) = 0;  // as ImportedModel's; not_found

  // `experiment_id` is the one here. False: a model of that id is here, or was deleted.
  virtual bool import_logged_model(const LoggedModel& model) = 0;

  // An import survives the death of every process when its call returns, and power loss when this does.
  virtual void sync_imports() = 0;
};

}  // namespace lockstep::history
