#include "history/server/mlflow/error.hpp"

#include "history/server/json_text.hpp"
#include "history/store/store.hpp"

namespace lockstep::history::server::mlflow {

namespace {
struct Spelled {
  const char* word;
  int status;
};
}  // namespace

static Spelled spelled(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_parameter_value:
      return {"INVALID_PARAMETER_VALUE", 400};
    case ErrorCode::bad_request:
      return {"BAD_REQUEST", 400};
    case ErrorCode::resource_already_exists:
      return {"RESOURCE_ALREADY_EXISTS", 400};
    case ErrorCode::invalid_state:
      return {"INVALID_STATE", 500};
    case ErrorCode::permission_denied:
      return {"PERMISSION_DENIED", 403};
    case ErrorCode::unauthenticated:
      return {"UNAUTHENTICATED", 401};
    case ErrorCode::resource_does_not_exist:
      return {"RESOURCE_DOES_NOT_EXIST", 404};
    case ErrorCode::endpoint_not_found:
      return {"ENDPOINT_NOT_FOUND", 404};
    case ErrorCode::request_limit_exceeded:
      return {"REQUEST_LIMIT_EXCEEDED", 429};
    case ErrorCode::not_implemented:
      return {"NOT_IMPLEMENTED", 501};
    case ErrorCode::temporarily_unavailable:
      return {"TEMPORARILY_UNAVAILABLE", 503};
    case ErrorCode::internal_error:
      break;
  }
  return {"INTERNAL_ERROR", 500};
}

Reply reply_of(ErrorCode code, const std::string& message) {
  const auto [word, status] = spelled(code);
  JsonText out;
  out.begin_object();
  out.member("error_code", word);
  out.member("message", std::string_view(message));
  out.end_object();
  Reply reply;
  reply.status = status;
  reply.body = out.take();
  if (code == ErrorCode::unauthenticated) reply.headers = {{"WWW-Authenticate", "Bearer"}};
  return reply;
}

Reply reply_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const MlflowError& error) {
    return reply_of(error.error_code(), error.what());
  } catch (const NotPermitted& error) {
    return reply_of(ErrorCode::permission_denied, error.what());
  } catch (const AlreadyExists& error) {
    return reply_of(ErrorCode::resource_already_exists, error.what());
  } catch (const Error& error) {
    const bool is_input = error.code() == ExitCode::bad_input;
    const bool is_missing = error.code() == ExitCode::not_found;
    return reply_of(is_input     ? ErrorCode::invalid_parameter_value
                    : is_missing ? ErrorCode::resource_does_not_exist
                                 : ErrorCode::internal_error,
                    error.what());
  } catch (const std::exception& error) {
    return reply_of(ErrorCode::internal_error, error.what());
  }
}

}  // namespace lockstep::history::server::mlflow
