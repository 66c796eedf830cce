// Waiting in a coroutine of the network thread for what other threads do. What they do is given as something that has a
// name: GCC 12 destroys a closure twice that is a temporary of a co_await.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "history/server/workers.hpp"

namespace lockstep::history::server::http {

// The handler is called on the coroutine's own thread, which is kept running until then.
template <class Handler>
class OnOwnThread {
 public:
  OnOwnThread(Handler handler, const boost::asio::any_io_executor& own)
      : inside_(std::make_shared<Inside>(std::move(handler), boost::asio::make_work_guard(own))) {}

  template <class Result>
  void operator()(Result result) const {
    auto own = inside_->keep_running.get_executor();
    boost::asio::post(own, [inside = inside_, result = std::move(result)]() mutable {
      inside->keep_running.reset();
      inside->handler(std::move(result));
    });
  }

 private:
  struct Inside {
    Inside(Handler given, boost::asio::executor_work_guard<boost::asio::any_io_executor> guard)
        : handler(std::move(given)), keep_running(std::move(guard)) {}
    Handler handler;
    boost::asio::executor_work_guard<boost::asio::any_io_executor> keep_running;
  };
  std::shared_ptr<Inside> inside_;  // copyable, as std::function asks for
};

inline boost::asio::awaitable<Reply> done_by(Workers& workers, Access access, Work& work) {
  const auto own = co_await boost::asio::this_coro::executor;
  co_return co_await boost::asio::async_initiate<decltype(boost::asio::use_awaitable), void(Reply)>(
      [&](auto handler) {
        workers.submit(access, std::move(work), OnOwnThread<decltype(handler)>(std::move(handler), own));
      },
      boost::asio::use_awaitable);
}

// Throws what the action throws.
template <class Action>
boost::asio::awaitable<void> on_thread_of(boost::asio::thread_pool& pool, Action& action) {
  const auto own = co_await boost::asio::this_coro::executor;
  co_await boost::asio::async_initiate<decltype(boost::asio::use_awaitable), void(std::exception_ptr)>(
      [&](auto handler) {
        boost::asio::post(pool, [&action, back = OnOwnThread<decltype(handler)>(std::move(handler), own)] {
          std::exception_ptr thrown;
          try {
            action();
          } catch (...) {
            thrown = std::current_exception();
          }
          back(std::move(thrown));  // it dies on one thread only
        });
      },
      boost::asio::use_awaitable);
}

}  // namespace lockstep::history::server::http
