// TCP connections that go through the frames between an agent and its supervisor, so that a node needs no way to the
// submitting machine but the one that it was reached by.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/file.hpp"
#include "launcher/node/frames.hpp"

namespace lockstep::node {

// One end of each of them: sockets, known by numbers that both sides use. Words: data {id} + bytes, close {id}.
class Streams {
 public:
  using Send = std::function<void(const Frame&)>;
  explicit Streams(Send send) : send_(std::move(send)) {}

  void add(std::int64_t id, Fd socket);  // connected, or about to be
  void add_to(std::vector<pollfd>& waiting) const;
  void look();                    // moves what can be moved, without waiting
  void take(const Frame& frame);  // data or close; of one that is not there any more: nothing
  bool empty() const { return all_.empty(); }

 private:
  struct Stream {
    Fd socket;
    std::string waiting = {};  // to be written
    bool closing = false;      // when that is written
  };
  bool move(std::int64_t id, Stream& stream);  // false: it is over

  Send send_;
  std::map<std::int64_t, Stream> all_;
};

// Where connections come in: a port of this machine's loopback. Each is told by open {id}.
class Doorway {
 public:
  // Throws failure when somebody listens there.
  Doorway(int port, Streams::Send send);

  void add_to(std::vector<pollfd>& waiting) const;
  void look();
  void take(const Frame& frame) { streams_.take(frame); }

 private:
  Fd listener_;
  Streams::Send send_;
  Streams streams_;
  std::int64_t next_id_ = 1;
};

// Where they lead: each open {id} is a connection to a port of this machine's loopback.
class Passage {
 public:
  Passage(int port, Streams::Send send);

  void add_to(std::vector<pollfd>& waiting) const { streams_.add_to(waiting); }
  void look() { streams_.look(); }
  void take(const Frame& frame);  // open, data or close

 private:
  int port_;
  Streams::Send send_;
  Streams streams_;
};

}  // namespace lockstep::node
