// Replies, as they go out.
#include <algorithm>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "history/server/http/connection.hpp"
#include "history/server/http/hand_over.hpp"

namespace lockstep::history::server::http {

namespace asio = boost::asio;
namespace bhttp = boost::beast::http;

asio::awaitable<void> Connection::send(const Reply& reply, const Parser& parser, bool keep_alive) {
  std::uint64_t bytes = reply.body.size();
  std::error_code no_file;
  if (!reply.file.empty()) bytes = fs::file_size(reply.file, no_file);
  if (no_file) bytes = 0;
  bhttp::response<bhttp::string_body> message;
  message.version(parser.is_header_done() ? parser.get().version() : 11);
  message.result(no_file ? 404U : static_cast<unsigned>(reply.status));
  const bool is_unchanged = reply.status == 304;  // has no body, nor what describes one (RFC 9110, 15.4.5)
  if (!is_unchanged) {
    message.set(bhttp::field::content_type, reply.events ? "text/event-stream" : reply.content_type);
  }
  message.set("X-Content-Type-Options", "nosniff");
  if (reply.events) message.set(bhttp::field::cache_control, "no-store");
  for (const auto& [name, value] : reply.headers) message.set(name, value);
  message.keep_alive(keep_alive);
  if (!reply.events) {
    if (!is_unchanged) message.content_length(bytes);
  } else if (message.version() >= 11) {
    message.chunked(true);
  }
  const bool is_head = parser.is_header_done() && parser.get().method() == bhttp::verb::head;
  const bool at_once = reply.file.empty() && !reply.events && !is_head && bytes <= piece_bytes;
  stream_.expires_after(shared_.options.limits.progress);
  if (at_once) message.body() = reply.body;
  bhttp::response_serializer<bhttp::string_body> serializer(message);
  if (at_once) {
    co_await bhttp::async_write(stream_, serializer, asio::use_awaitable);
  } else {
    co_await bhttp::async_write_header(stream_, serializer, asio::use_awaitable);
  }
  if (at_once || is_head || bytes == 0) co_return;
  if (reply.file.empty()) {
    co_await send_text(reply.body);
  } else {
    co_await send_file(reply.file, bytes);
  }
}

// Each piece has its own time: a slow network is no reason to give up.
asio::awaitable<void> Connection::send_text(std::string_view text) {
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, piece_bytes);
    stream_.expires_after(shared_.options.limits.progress);
    co_await asio::async_write(stream_, asio::buffer(piece), asio::use_awaitable);
    text.remove_prefix(piece.size());
  }
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
