#include "history/server/http/connection.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "common/digest.hpp"
#include "history/server/http/hand_over.hpp"
#include "history/server/http/target.hpp"
#include "history/server/mlflow/error.hpp"
#include "history/server/scoped_store.hpp"

namespace lockstep::history::server::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;
using std::chrono::steady_clock;

static constexpr std::size_t piece_bytes = std::size_t{256} << 10;

Connection::Connection(Shared& shared, asio::ip::tcp::socket socket)
    : shared_(shared), place_(shared.connections.insert(shared.connections.end(), this)), stream_(std::move(socket)) {
  ++shared_.counts.connections;
  ++shared_.counts.accepted;
  error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
}

Connection::~Connection() {
  if (under_way_) --shared_.counts.under_way;
  shared_.connections.erase(place_);
  --shared_.counts.connections;
}

void Connection::cancel() { stream_.cancel(); }

asio::awaitable<void> Connection::serve() {
  try {
    while (!shared_.stopping && co_await exchange()) {
    }
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    if (has_unread_) co_await linger();
  } catch (const std::exception&) {  // the client went away, or was too slow; or a file can't be read to its end
    co_return;
  }
}

// A client that says nothing costs a few hundred bytes.
asio::awaitable<void> Connection::first_byte() {
  constexpr std::size_t small = 512;
  if (buffer_.size() > 0) co_return;
  buffer_.shrink_to_fit();
  stream_.expires_after(shared_.options.limits.idle);
  buffer_.commit(co_await stream_.async_read_some(buffer_.prepare(small), asio::use_awaitable));
}

static Reply plain(int status, const std::string& why) {
  Reply reply;
  reply.status = status;
  reply.content_type = "text/plain; charset=utf-8";
  reply.body = why + "\n";
  return reply;
}

asio::awaitable<bool> Connection::exchange() {
  co_await first_byte();
  under_way_ = true;
  ++shared_.counts.under_way;
  const auto began = steady_clock::now();
  Parser parser;
  parser.header_limit(shared_.options.limits.header_bytes);
  parser.body_limit(shared_.options.limits.file_bytes);
  stream_.expires_after(shared_.options.limits.header);
  error_code broken;
  co_await bhttp::async_read_header(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, broken));
  Reply reply;
  if (broken == bhttp::error::header_limit) {
    reply = plain(431, "The header is too long.");
  } else if (broken == bhttp::error::body_limit) {
    reply = plain(413, "The body is too long.");
  } else if (broken.category() == bhttp::make_error_code(bhttp::error::bad_method).category() &&
             broken != bhttp::error::end_of_stream && broken != bhttp::error::partial_message) {
    reply = plain(400, "This is no HTTP request that the server understands: " + broken.message());
  } else if (broken) {
    throw boost::system::system_error(broken);
  } else {
    try {
      reply = co_await answer(parser);
    } catch (const Refusal& refusal) {
      reply = plain(refusal.status, refusal.why);
    } catch (const Error&) {  // a full disk, for one
      reply = mlflow::reply_of(std::current_exception());
    }
  }
  const bool keep_alive = !broken && parser.is_done() && parser.keep_alive() && !shared_.stopping;
  co_await send(reply, parser, keep_alive);
  const double seconds = std::chrono::duration<double>(steady_clock::now() - began).count();
  const auto* const bucket =
      std::lower_bound(std::begin(Counts::seconds_up_to), std::end(Counts::seconds_up_to), seconds);
  shared_.counts.microseconds += static_cast<std::uint64_t>(seconds * 1e6);
  ++shared_.counts.took[bucket - std::begin(Counts::seconds_up_to)];
  ++shared_.counts.replies[std::clamp(reply.status / 100, 0, 5)];
  --shared_.counts.under_way;
  under_way_ = false;
  has_unread_ = !parser.is_done();
  co_return keep_alive;
}

// A client that was answered before it had sent all gets to read the answer: closing now would reset the connection.
asio::awaitable<void> Connection::linger() {
  constexpr std::size_t most = std::size_t{1} << 20;
  std::string ignored(piece_bytes, '\0');
  stream_.expires_after(std::chrono::seconds(2));
  for (std::size_t taken = 0; taken < most;) {
    taken += co_await stream_.async_read_some(asio::buffer(ignored), asio::use_awaitable);
  }
}

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
  const auto verb = verb_of(message.method());
  if (!verb) throw Refusal{405, "This method is not served."};
  auto target = parse_target(view(message.target()));
  if (!target) throw Refusal{400, "The address of this request can't be read."};
  const std::string_view host = view(message[bhttp::field::host]);
  const auto& names = shared_.options.host_names;
  if (!names.empty() && std::find(names.begin(), names.end(), host_name(host)) == names.end()) {
    // A page that a browser shows must not reach us under a name of its own choice.
    throw Refusal{403,
                  fmt::format("This server is not called '{}' (lockstep serve --allow-host NAME).", host_name(host))};
  }
  Request request;
  request.verb = *verb;
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  request.base_url = fmt::format("http://{}", host);
  request.content_type = std::string(view(message[bhttp::field::content_type]));
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

asio::awaitable<Reply> Connection::answer(Parser& parser) {
  Request request = request_of(parser);
  bool other_verb = false;
  const Route* route = shared_.router.find(request, other_verb);
  const Permit permit = co_await permit_of(parser, route == nullptr ? Scope::read : route->scope());
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

asio::awaitable<void> Connection::announce_continue(const Parser& parser) {
  static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  if (!beast::iequals(parser.get()[bhttp::field::expect], "100-continue")) co_return;
  co_await asio::async_write(stream_, asio::buffer(go_on), asio::use_awaitable);
}

// Fills `to`, or less at the end of the body.
asio::awaitable<std::size_t> Connection::piece(Parser& parser, char* to, std::size_t size) {
  auto& body = parser.get().body();
  body.data = to;
  body.size = size;
  while (body.size > 0 && !parser.is_done()) {
    stream_.expires_after(shared_.options.limits.progress);
    error_code broken;
    co_await bhttp::async_read_some(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, broken));
    if (broken == bhttp::error::body_limit) throw Refusal{413, "The body is too long."};
    if (broken && broken != bhttp::error::need_buffer) throw boost::system::system_error(broken);
  }
  co_return size - body.size;
}

asio::awaitable<std::string> Connection::body_in_memory(Parser& parser) {
  const std::uint64_t limit = shared_.options.limits.body_bytes;
  std::string body;
  while (!parser.is_done()) {
    const std::size_t had = body.size();
    const std::uint64_t expected = parser.content_length_remaining().value_or(piece_bytes);
    body.resize(had + std::max<std::uint64_t>(1, std::min<std::uint64_t>(expected, limit + 1 - had)));
    body.resize(had + co_await piece(parser, body.data() + had, body.size() - had));
    if (body.size() > limit) throw Refusal{413, fmt::format("A body may have {} bytes.", limit)};
  }
  co_return body;
}

asio::awaitable<void> Connection::body_to_file(Parser& parser, const fs::path& file) {
  Fd fd;
  std::string bytes(piece_bytes, '\0');
  std::size_t size = 0;
  const auto create = [&] { fd = open_file(file, O_WRONLY | O_CREAT | O_EXCL); };
  const auto write = [&] { write_all(fd.get(), std::string_view(bytes).substr(0, size)); };
  const auto remove = [&] {
    std::error_code ignored;
    fs::remove(file, ignored);
  };
  co_await on_thread_of(shared_.files, create);
  std::exception_ptr failed;
  try {
    while (!parser.is_done()) {
      size = co_await piece(parser, bytes.data(), bytes.size());
      co_await on_thread_of(shared_.files, write);
    }
    co_return;
  } catch (...) {
    failed = std::current_exception();
  }
  co_await on_thread_of(shared_.files, remove);
  std::rethrow_exception(failed);
}

asio::awaitable<void> Connection::send(const Reply& reply, const Parser& parser, bool keep_alive) {
  std::uint64_t bytes = reply.body.size();
  std::error_code no_file;
  if (!reply.file.empty()) bytes = fs::file_size(reply.file, no_file);
  bhttp::response<bhttp::string_body> message;
  message.version(parser.is_header_done() ? parser.get().version() : 11);
  message.result(no_file ? 404U : static_cast<unsigned>(reply.status));
  message.set(bhttp::field::content_type, reply.content_type);
  message.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : reply.headers) message.set(name, value);
  message.keep_alive(keep_alive);
  if (no_file) {
    bytes = 0;
  } else if (reply.file.empty()) {
    message.body() = reply.body;
  }
  message.content_length(bytes);
  const bool only_header = parser.is_header_done() && parser.get().method() == bhttp::verb::head;
  if (only_header) message.body().clear();
  stream_.expires_after(shared_.options.limits.progress);
  bhttp::response_serializer<bhttp::string_body> serializer(message);
  if (only_header || (!reply.file.empty() && !no_file)) {
    co_await bhttp::async_write_header(stream_, serializer, asio::use_awaitable);
  } else {
    co_await bhttp::async_write(stream_, serializer, asio::use_awaitable);
  }
  if (!only_header && !reply.file.empty() && !no_file) co_await send_file(reply.file, bytes);
}

asio::awaitable<void> Connection::send_file(const fs::path& file, std::uint64_t bytes) {
  Fd fd;
  std::string piece(std::min<std::uint64_t>(piece_bytes, bytes), '\0');
  ssize_t got = 0;
  const auto open = [&] { fd = open_file(file, O_RDONLY); };
  const auto read = [&] { got = ::read(fd.get(), piece.data(), std::min<std::uint64_t>(piece.size(), bytes)); };
  co_await on_thread_of(shared_.files, open);
  while (bytes > 0) {
    co_await on_thread_of(shared_.files, read);
    if (got <= 0) throw boost::system::system_error(asio::error::connection_aborted);  // it became shorter meanwhile
    stream_.expires_after(shared_.options.limits.progress);
    co_await asio::async_write(stream_, asio::buffer(piece.data(), static_cast<std::size_t>(got)), asio::use_awaitable);
    bytes -= static_cast<std::uint64_t>(got);
  }
}

}  // namespace lockstep::history::server::http
