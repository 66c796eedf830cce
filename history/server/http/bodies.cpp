// The bodies of requests: into memory, or piece by piece to a file.
#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/read.hpp>

#include "history/server/http/connection.hpp"
#include "history/server/http/hand_over.hpp"

namespace lockstep::history::server::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

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
    if (broken == bhttp::error::need_buffer) continue;
    if (is_no_http(broken)) throw Refusal{400, "This body has no end that the server understands: " + broken.message()};
    if (broken) throw boost::system::system_error(broken);
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

}  // namespace lockstep::history::server::http
