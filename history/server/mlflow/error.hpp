// MLflow's errors: {"error_code": ..., "message": ...} and the HTTP status that goes with each code.
#pragma once

#include <fmt/format.h>

#include <exception>
#include <string>
#include <utility>

#include "common/error.hpp"
#include "history/server/request.hpp"

namespace lockstep::history::server::mlflow {

enum class ErrorCode {
  invalid_parameter_value,  // 400
  bad_request,              // 400
  resource_already_exists,  // 400
  invalid_state,            // 500, as MLflow has it
  permission_denied,        // 403
  unauthenticated,          // 401
  resource_does_not_exist,  // 404
  endpoint_not_found,       // 404
  request_limit_exceeded,   // 429
  internal_error,           // 500
  not_implemented,          // 501
  temporarily_unavailable,  // 503
};

class MlflowError : public Error {
 public:
  MlflowError(ErrorCode code, const std::string& message) : Error(ExitCode::failed, message), error_code_(code) {}
  ErrorCode error_code() const { return error_code_; }

 private:
  ErrorCode error_code_;
};

template <class... Args>
MlflowError invalid_parameter(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::invalid_parameter_value, fmt::format(format, std::forward<Args>(args)...)};
}
template <class... Args>
MlflowError does_not_exist(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::resource_does_not_exist, fmt::format(format, std::forward<Args>(args)...)};
}

Reply reply_of(ErrorCode code, const std::string& message);

// The reply for what a handler or its work threw: MlflowError by its code; of the store's errors NotPermitted,
// AlreadyExists, then bad_input as INVALID_PARAMETER_VALUE, not_found as RESOURCE_DOES_NOT_EXIST; anything else as
// INTERNAL_ERROR.
Reply reply_of(const std::exception_ptr& thrown);

}  // namespace lockstep::history::server::mlflow
