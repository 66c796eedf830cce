// The source of a new model version: which one a client may give, and what it stands for.
#pragma once

#include "history/store/store.hpp"

namespace lockstep::history::server::mlflow {

// Which of run_id and model_id the request has, if only as empty text.
struct SourceOwners {
  bool run = false;
  bool model = false;
};

// The version with its source made plain: models:/name@alias becomes models:/name/3, storage_location is where its
// files are, and run_id and model_id are those of the model it is made from. Throws MlflowError, with MLflow's
// messages, for a source that the client has no business with: a path of this machine or an artifact of this server
// that isn't in the run, or the logged model, that the version names.
NewModelVersion with_checked_source(Store& store, NewModelVersion version, const SourceOwners& given);

// Notes the version in the tag mlflow.modelVersions of the logged model it was made from.
void tell_logged_model(Store& store, const ModelVersion& version);

}  // namespace lockstep::history::server::mlflow
