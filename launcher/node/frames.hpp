// What the agent on a node and the supervisor that started it say to each other, over the standard input
// and output of ssh or srun.
// A frame is two lengths (32 bits each, little-endian: of the head, of the body), the head (a JSON object with a
// "word"), the body (any bytes: a piece of a file), and the end of a line: Slurm passes on whole lines only.
//
//   to the agent     alive | stop | save | finish | bye | data {id} + bytes | close {id}
//   from the agent   hello {host, pid, problem} | alive | metrics {values} | append {path, offset} + bytes | part
//   {path,
//                    offset, last, mode} + bytes | gone {path} | open {id} | data {id} + bytes | close {id} |
//                    ended {rank, exit_code, signal} | done {clean}
#pragma once

#include <cstddef>
#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace lockstep::node {

struct Frame {
  nlohmann::json head;
  std::string body = {};
  std::string word() const { return head.value("word", ""); }
};

inline constexpr std::size_t longest_head = std::size_t{64} << 10;
inline constexpr std::size_t longest_body = std::size_t{1} << 20;

// The first line of a conversation. A login shell may have said something before it.
inline constexpr std::string_view greeting = "lockstep-node 1\n";

std::string encode(const Frame& frame);

class FrameReader {
 public:
  // `after_greeting`: everything up to and with the greeting is passed over.
  explicit FrameReader(bool after_greeting = false) : greeted_(!after_greeting) {}

  void add(std::string_view bytes);
  bool next(Frame& frame);  // false: there is no whole one. Throws failure for what is no frame; it is no use then
  bool greeted() const { return greeted_; }
  const std::string& before_greeting() const { return bytes_; }  // the last of what came instead of it

 private:
  bool greeted_;
  std::string bytes_;
};

}  // namespace lockstep::node
