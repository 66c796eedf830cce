// Server-sent events. A stream that waits holds no reader's thread, is nothing that a stop waits for, and ends when its
// client's token does.
#include <poll.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "history/server/http/connection.hpp"
#include "history/server/http/hand_over.hpp"
#include "history/server/mlflow/error.hpp"

namespace lockstep::history::server::http {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {
struct Counted {  // for as long as it is there
  explicit Counted(std::atomic<std::uint64_t>& all) : count(all) { ++count; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count; }
  std::atomic<std::uint64_t>& count;
};
}  // namespace

asio::awaitable<void> Connection::send_events(const EventSource& source, const Parser& parser, Scope asked_for) {
  const Counted counted(shared_.counts.event_streams);
  const bool chunked = parser.get().version() >= 11;
  Time told = steady_clock::now();
  while (!shared_.stopping) {
    News news = co_await look_for_news(source, parser, asked_for);
    if (!news.text.empty()) {
      co_await send_event_text(std::move(news.text), chunked);
      told = steady_clock::now();
    }
    if (news.is_last) break;
    const Time look_again = steady_clock::now() + source.pause;
    do {
      co_await wait_for(std::min(look_again, told + shared_.options.limits.alive));
      if (client_is_gone()) throw boost::system::system_error(asio::error::eof);
      if (shared_.stopping) break;
      if (steady_clock::now() >= told + shared_.options.limits.alive) {
        co_await send_event_text(": alive\n\n", chunked);
        told = steady_clock::now();
      }
    } while (steady_clock::now() < look_again);
  }
  if (chunked) co_await send_event_text("", chunked);
}

asio::awaitable<Connection::News> Connection::look_for_news(const EventSource& source, const Parser& parser,
                                                            Scope asked_for) {
  Reply looked;
  try {
    co_await permit_of(parser, asked_for);
    std::optional<std::string> news;
    Work look = [&](Store& store) {
      news = source.next(store);
      return Reply{};
    };
    looked = co_await done_by(shared_.workers, Access::read, look);
    if (looked.status == 200) co_return News{news.value_or(""), !news};
  } catch (const Error&) {
    looked = mlflow::reply_of(std::current_exception());
  }
  co_return News{"event: error\ndata: " + looked.body + "\n\n", true};
}

// Empty: the end of all.
asio::awaitable<void> Connection::send_event_text(std::string text, bool chunked) {
  if (chunked) text = fmt::format("{:x}\r\n{}\r\n", text.size(), text);
  // Whoever does not read may not hold up a stop.
  stream_.expires_after(shared_.stopping ? std::chrono::seconds(1) : shared_.options.limits.progress);
  co_await asio::async_write(stream_, asio::buffer(text), asio::use_awaitable);
}

asio::awaitable<void> Connection::wait_for(Time until) {
  asio::steady_timer timer(co_await asio::this_coro::executor, until);
  pause_ = &timer;
  boost::system::error_code cancelled;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  pause_ = nullptr;
}

// It has closed its side, or the connection is broken. What it may have sent before is left where it is.
bool Connection::client_is_gone() {
  pollfd state = {stream_.tcp().socket().native_handle(), POLLRDHUP, 0};
  return ::poll(&state, 1, 0) == 1;
}

}  // namespace lockstep::history::server::http
