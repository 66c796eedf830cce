// Names for what a client did not name: "quiet-heron-417".
#pragma once

#include <string>

namespace lockstep::history::server::mlflow {

std::string random_name();

}  // namespace lockstep::history::server::mlflow
