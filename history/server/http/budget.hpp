// An amount that several coroutines of one thread share: they wait in line for their part.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <list>
#include <utility>

namespace lockstep::history::server::http {

class Budget {
 public:
  // `taken` is kept at what is taken.
  Budget(std::uint64_t all, std::atomic<std::uint64_t>& taken) : left_(all), all_(all), taken_(taken) {}

  // What is taken goes back when this is destroyed.
  class Part {
   public:
    Part() = default;
    Part(Budget& budget, std::uint64_t amount) : budget_(&budget), amount_(amount) {}
    Part(Part&& other) noexcept : budget_(std::exchange(other.budget_, nullptr)), amount_(other.amount_) {}
    Part& operator=(Part&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(amount_, other.amount_);
      return *this;
    }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    ~Part() {
      if (budget_ != nullptr) budget_->give_back(amount_);
    }

   private:
    Budget* budget_ = nullptr;
    std::uint64_t amount_ = 0;
  };

  // Waits until it is there, after all who came before; more than there is at all counts as all of it.
  boost::asio::awaitable<Part> take(std::uint64_t amount);

 private:
  void give_back(std::uint64_t amount);

  std::uint64_t left_;
  std::uint64_t all_;
  std::atomic<std::uint64_t>& taken_;
  std::list<boost::asio::steady_timer*> line_;  // each is cancelled when it is its turn to look again
};

}  // namespace lockstep::history::server::http
