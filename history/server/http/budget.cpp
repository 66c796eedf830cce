#include "history/server/http/budget.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

namespace lockstep::history::server::http {

namespace asio = boost::asio;

namespace {
// One in line, who leaves it however the wait ends.
struct PlaceInLine {
  PlaceInLine(std::list<asio::steady_timer*>& all, const asio::any_io_executor& executor)
      : turn(std::make_unique<asio::steady_timer>(executor, asio::steady_timer::time_point::max())),
        line(all),
        at(all.insert(all.end(), turn.get())) {}
  PlaceInLine(const PlaceInLine&) = delete;
  PlaceInLine& operator=(const PlaceInLine&) = delete;
  ~PlaceInLine() { line.erase(at); }

  std::unique_ptr<asio::steady_timer> turn;
  std::list<asio::steady_timer*>& line;
  std::list<asio::steady_timer*>::iterator at;
};
}  // namespace

asio::awaitable<Budget::Part> Budget::take(std::uint64_t amount) {
  amount = std::min(amount, all_);
  if (amount > left_ || !line_.empty()) {
    const PlaceInLine place(line_, co_await asio::this_coro::executor);
    do {
      boost::system::error_code cancelled;
      co_await place.turn->async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    } while (line_.front() != place.turn.get() || amount > left_);
  }
  left_ -= amount;
  taken_ = all_ - left_;
  if (!line_.empty()) line_.front()->cancel();
  co_return Part(*this, amount);
}

void Budget::give_back(std::uint64_t amount) {
  left_ += amount;
  taken_ = all_ - left_;
  if (!line_.empty()) line_.front()->cancel();
}

}  // namespace lockstep::history::server::http
