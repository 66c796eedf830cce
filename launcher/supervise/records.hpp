// What the history keeps of a job beside its states: parameters, tags, inputs.
#pragma once

#include <string>
#include <vector>

#include "history/store/store.hpp"
#include "launcher/compute/local.hpp"
#include "launcher/plan/plan.hpp"

namespace lockstep::supervise {

// The run as it is created: literal inputs are its parameters (secrets masked), the job's tags are its tags.
void write_plan(const plan::Plan& plan);  // plan.json, durable; secrets masked

// How many ranks the run has had at most: as many as its plan has (an elastic run's is of its last attempt), or as have
// left a journal.
int ranks_ever(const RunFolder& folder, int of_plan);
history::NewRun new_run_of(const plan::Plan& plan, const std::string& experiment_id);

// What preparing found out: where each input came from and what it is, as tags.
std::vector<history::KeyValue> tags_of(const compute::Prepared& prepared);

// What whoever asked for the run's end gave as the reason; "canceled" if that was nothing.
std::string reason_of_request(history::Store& store, const std::string& run_id);

}  // namespace lockstep::supervise
