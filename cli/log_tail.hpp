// Follows one log file that a rank appends to.
#pragma once

#include <cstdint>
#include <string>

#include "common/file.hpp"

namespace lockstep::cli {

class LogTail {
 public:
  explicit LogTail(fs::path file) : file_(std::move(file)) {}

  // What is new, as the file has it: whole lines; at most about `limit` bytes, so that no rank starves the others and
  // no log has to fit into memory. A last line without its newline is held back until it is whole, is older than
  // 300 ms (a prompt, a progress bar) or `all` is asked for. Empty when there is nothing, or no file yet.
  std::string read_new(std::int64_t now_ms, bool all, std::size_t limit = 256 * 1024);

 private:
  fs::path file_;
  Fd fd_;
  std::string partial_;
  std::int64_t partial_since_ms_ = 0;
};

}  // namespace lockstep::cli
