// A small stand-in for NCCL's RAS service: one client, one question, one answer.
#pragma once

#include <sys/socket.h>

#include <string>
#include <thread>

#include "runner/collective/nccl/socket.hpp"

namespace lockstep::testing {

class RasStandIn {
 public:
  // Answers with `text` and ends the connection; with an empty text it keeps it, and says nothing.
  explicit RasStandIn(std::string text)
      : listener_(runner::listen_here(true, 1)), thread_([this, text = std::move(text)] { serve(text); }) {}
  RasStandIn(const RasStandIn&) = delete;
  RasStandIn& operator=(const RasStandIn&) = delete;
  ~RasStandIn() {
    ::shutdown(listener_.socket.get(), SHUT_RDWR);  // if nobody came
    thread_.join();
  }
  std::string address() const { return "localhost:" + std::to_string(listener_.port); }
  const std::string& question() {  // once it was answered
    return question_;
  }

 private:
  void serve(const std::string& text) {
    const auto client = runner::accept_within(listener_.socket, std::chrono::seconds(60));
    if (!client) return;
    char letter = 0;
    while (runner::receive_within(client->get(), &letter, 1, std::chrono::seconds(60)) && letter != '\n') {
      question_ += letter;
    }
    if (!text.empty()) {
      runner::send_small(client->get(), text.data(), text.size());
    } else {
      runner::wait_readable(client->get(), std::chrono::seconds(60));  // until the client gives up
    }
  }
  runner::Listener listener_;
  std::string question_;
  std::thread thread_;
};

}  // namespace lockstep::testing
