// What supervisor and keeper say to each other over their socket pair. When one of them dies the other reads "closed":
// that is how each learns of the other's death, however it came.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/file.hpp"

namespace lockstep::supervise {

// A word and its fields: any bytes but NUL (argument lists and environments are not always valid UTF-8).
struct Message {
  std::string word;
  std::vector<std::string> fields;
  bool operator==(const Message&) const = default;
};

class Channel {
 public:
  explicit Channel(Fd socket) : socket_(std::move(socket)) {}
  static std::pair<Channel, Channel> make_pair();

  int fd() const { return socket_.get(); }
  // False when nobody is left on the other side. Blocks while the other side does not read.
  bool send(const Message& message);
  // Takes what has arrived, without waiting; call it when fd() is readable.
  void receive();
  bool next(Message& message);             // false: none left
  bool closed() const { return closed_; }  // the other side is gone; messages that it sent before are still given

 private:
  void take_whole_messages();

  Fd socket_;
  std::string bytes_;
  std::deque<Message> messages_;
  bool closed_ = false;
};

}  // namespace lockstep::supervise
