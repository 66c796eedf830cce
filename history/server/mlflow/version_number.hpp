// The version of a model as requests give it: text that has to be a number.
#pragma once

#include <string>

namespace lockstep::history::server::mlflow {

// Throws MlflowError: for what is no number, or is greater than any version of the model `name` can be.
int version_number(const std::string& name, const std::string& text);

}  // namespace lockstep::history::server::mlflow
