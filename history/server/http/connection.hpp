// One client's connection: its requests, one after the other, each to its reply.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <list>
#include <string>

#include "history/server/http/budget.hpp"
#include "history/server/http/permits.hpp"
#include "history/server/http/server.hpp"
#include "history/server/http/stream.hpp"

namespace lockstep::history::server::http {

class Connection;

// What the connections of a server share. Everything but `counts` belongs to the network thread.
struct Shared {
  const Options& options;
  const Router& router;
  Workers& workers;
  Counts& counts;
  Budget bodies;
  boost::asio::thread_pool& files;                 // reads and writes the files of bodies
  std::list<Connection*> connections;              // that are open
  std::shared_ptr<boost::asio::ssl::context> tls;  // of connections to come; null: without
  bool stopping = false;
  Permits permits = {};
};

class Connection {
 public:
  Connection(Shared& shared, boost::asio::ip::tcp::socket socket);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  boost::asio::awaitable<void> serve();  // until the client goes, breaks a rule or is too slow, or the server stops
  bool is_idle() const { return !under_way_; }  // nobody waits for the end of what it does
  void cancel();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
  using Time = std::chrono::steady_clock::time_point;
  struct Refusal {  // the request can't be answered by a route, and what follows it can't be trusted to be one
    int status;
    std::string why;
  };
  static bool is_no_http(boost::system::error_code broken);
  static Reply plain(int status, const std::string& why);
  static constexpr std::size_t piece_bytes = std::size_t{256} << 10;  // of bodies, at once

  boost::asio::awaitable<bool> agree_on_tls();  // false: the client speaks something else
  boost::asio::awaitable<bool> exchange();      // false: no further request
  boost::asio::awaitable<void> first_byte();
  boost::asio::awaitable<void> linger();
  void request_began();
  void request_ended();
  void count_reply(int status, Time began);

  Request request_of(const Parser& parser) const;                                   // without its body; throws Refusal
  boost::asio::awaitable<Permit> permit_of(const Parser& parser, Scope asked_for);  // throws MlflowError
  boost::asio::awaitable<Reply> answer(Parser& parser, Scope& asked_for);

  boost::asio::awaitable<std::string> body_in_memory(Parser& parser);
  boost::asio::awaitable<void> body_to_file(Parser& parser, const fs::path& file);
  boost::asio::awaitable<std::size_t> piece(Parser& parser, char* to, std::size_t size);
  boost::asio::awaitable<void> announce_continue(const Parser& parser);

  boost::asio::awaitable<void> send(const Reply& reply, const Parser& parser, bool keep_alive);  // events: the header
  boost::asio::awaitable<void> send_text(std::string_view text);
  boost::asio::awaitable<void> send_file(const fs::path& file, std::uint64_t bytes);
  // Until there are no more, the client goes, its token is over, or the server stops.
  boost::asio::awaitable<void> send_events(const EventSource& source, const Parser& parser, Scope asked_for);
  struct News {
    std::string text;
    bool is_last = false;
  };
  boost::asio::awaitable<News> look_for_news(const EventSource& source, const Parser& parser, Scope asked_for);
  boost::asio::awaitable<void> send_event_text(std::string text, bool chunked);
  boost::asio::awaitable<void> wait_for(Time until);  // or until cancel()
  bool client_is_gone();

  Shared& shared_;
  std::list<Connection*>::iterator place_;  // in shared_.connections
  Stream stream_;
  boost::beast::flat_buffer buffer_;
  boost::asio::steady_timer* pause_ = nullptr;  // that a stream of events waits for
  bool under_way_ = false;
  bool has_unread_ = false;  // of the last request
};

}  // namespace lockstep::history::server::http
