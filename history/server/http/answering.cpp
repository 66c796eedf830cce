// What a request asks for, whether its client may, and who does it.
#include <algorithm>

#include "common/digest.hpp"
#include "history/server/http/connection.hpp"
#include "history/server/http/hand_over.hpp"
#include "history/server/http/origin.hpp"
#include "history/server/http/target.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/scoped_store.hpp"

namespace lockstep::history::server::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

static std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

static std::optional<Verb> verb_of(bhttp::verb verb) {
  switch (verb) {
    case bhttp::verb::get:
    case bhttp::verb::head:
      return Verb::get;
    case bhttp::verb::post:
      return Verb::post;
    case bhttp::verb::put:
      return Verb::put;
    case bhttp::verb::patch:
      return Verb::patch;
    case bhttp::verb::delete_:
      return Verb::del;
    default:
      return std::nullopt;
  }
}

// Without the port; an IPv6 address keeps its brackets.
static std::string_view host_name(std::string_view host) {
  const auto colon = host.rfind(':');
  return colon == std::string_view::npos || host.ends_with(']') ? host : host.substr(0, colon);
}

Request Connection::request_of(const Parser& parser) const {
  const auto& message = parser.get();
  // A proxy before us may have seen another end of this request, or another host.
  const bool has_coding = message.count(bhttp::field::transfer_encoding) > 0;
  if (has_coding && (!parser.chunked() || message.version() < 11))
    throw Refusal{400, "The end of the body is unclear."};
  const auto verb = verb_of(message.method());
  if (!verb) throw Refusal{405, "This method is not served."};
  auto target = parse_target(view(message.target()));
  if (!target) throw Refusal{400, "The address of this request can't be read."};
  const std::string_view host = view(message[bhttp::field::host]);
  if (message.count(bhttp::field::host) > 1 || host.find_first_of(" \t/@?#") != std::string_view::npos) {
    throw Refusal{400, "Which host is asked for is unclear."};
  }
  const auto& names = shared_.options.host_names;
  if (!names.empty() && std::find(names.begin(), names.end(), host_name(host)) == names.end()) {
    // A page that a browser shows must not reach us under a name of its own choice.
    throw Refusal{403,
                  fmt::format("This server is not called '{}' (lockstep serve --allow-host NAME).", host_name(host))};
  }
  const auto origins = message.equal_range(bhttp::field::origin);
  if (!std::all_of(origins.first, origins.second,
                   [&](const auto& each) { return is_own_page(view(each.value()), host); })) {
    throw Refusal{403, "This request comes from a page of another site."};
  }
  Request request;
  request.verb = *verb;
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  request.base_url = fmt::format("{}://{}", stream_.is_secure() ? "https" : "http", host);
  request.content_type = std::string(view(message[bhttp::field::content_type]));
  request.if_none_match = std::string(view(message[bhttp::field::if_none_match]));
  return request;
}

// Before the body is read: who may not come in can't keep us busy with one either.
asio::awaitable<Permit> Connection::permit_of(const Parser& parser, Scope asked_for) {
  if (!shared_.options.gate) co_return Permit{Scope::admin, {}};
  if (asked_for == Scope::none) co_return Permit();
  const std::string token = bearer_of(view(parser.get()[bhttp::field::authorization]));
  if (token.empty()) {
    throw mlflow::MlflowError(mlflow::ErrorCode::unauthenticated,
                              "This server asks for a token: set MLFLOW_TRACKING_TOKEN (lockstep token create).");
  }
  std::optional<Permit> permit = shared_.permits.known(token);
  if (!permit) {
    Work look = [&](Store& store) {
      permit = shared_.options.gate(store, token);
      return Reply{};
    };
    const Reply looked = co_await done_by(shared_.workers, Access::read, look);
    if (looked.status != 200) throw failure("the token can't be looked up: {}", looked.body);
    if (!permit) {
      throw mlflow::MlflowError(mlflow::ErrorCode::unauthenticated,
                                "Nobody knows this token; it may be over, or have been deleted (lockstep token list).");
    }
    shared_.permits.remember(token, *permit);
  }
  if (permit->scope < asked_for) {
    throw mlflow::MlflowError(
        mlflow::ErrorCode::permission_denied,
        fmt::format("This token permits to {}; to {} is asked for.", name_of(permit->scope), name_of(asked_for)));
  }
  co_return *permit;
}

// What a run's token may see and change is no more in the events than in what began them.
static auto scoped_to(const std::string& run_id, decltype(EventSource::next) next) {
  return [run_id, next = std::move(next)](Store& all) {
    ScopedStore ours(all, run_id);
    return next(ours);
  };
}

asio::awaitable<Reply> Connection::answer(Parser& parser, Scope& asked_for) {
  Request request = request_of(parser);
  bool other_verb = false;
  const Route* route = shared_.router.find(request, other_verb);
  asked_for = route == nullptr ? Scope::read : route->scope();
  const Permit permit = co_await permit_of(parser, asked_for);
  if (route != nullptr && route->before_body) route->before_body(request);
  const bool to_file = route != nullptr && route->body == Body::to_file;
  const std::uint64_t limit = to_file ? shared_.options.limits.file_bytes : shared_.options.limits.body_bytes;
  const std::uint64_t length = parser.content_length().value_or(parser.chunked() ? limit : 0);
  if (length > limit && parser.content_length()) throw Refusal{413, fmt::format("A body may have {} bytes.", limit)};
  co_await announce_continue(parser);
  Budget::Part held;
  if (to_file) {
    request.uploaded = shared_.options.uploads / ("upload-" + random_hex(16));
    co_await body_to_file(parser, request.uploaded);
  } else if (length > 0) {
    held = co_await shared_.bodies.take(length);
    request.body = co_await body_in_memory(parser);
  }
  if (route == nullptr) {
    co_return other_verb ? plain(405, "Not served with this method.")
                         : mlflow::reply_of(mlflow::ErrorCode::endpoint_not_found,
                                            fmt::format("No API found for path {}", request.path));
  }
  const fs::path uploaded = request.uploaded;
  Reply reply;
  try {
    Work work = route->handler(request);
    if (!permit.run_id.empty()) work = scoped_to(permit.run_id, std::move(work));
    reply = co_await done_by(shared_.workers, route->access, work);
    if (reply.events && !permit.run_id.empty()) reply.events->next = scoped_to(permit.run_id, reply.events->next);
  } catch (...) {
    reply = mlflow::reply_of(std::current_exception());
  }
  if (!uploaded.empty()) {
    const auto remove_rest = [&uploaded] {
      std::error_code ignored;
      fs::remove(uploaded, ignored);  // the handler has moved it away, or did not want it
    };
    co_await on_thread_of(shared_.files, remove_rest);
  }
  co_return reply;
}

}  // namespace lockstep::history::server::http
