#include "history/server/mlflow/version_number.hpp"

#include <charconv>

#include "history/server/mlflow/error.hpp"

namespace lockstep::history::server::mlflow {

int version_number(const std::string& name, const std::string& text) {
  const char* const begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* const end = text.data() + text.size();
  int number = 0;
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (stop != end || error == std::errc::invalid_argument) {
    throw invalid_parameter("Parameter 'version' must be an integer, got '{}'.", text);
  }
  if (error != std::errc()) throw does_not_exist("Model Version (name={}, version={}) not found", name, text);
  return number;
}

}  // namespace lockstep::history::server::mlflow
