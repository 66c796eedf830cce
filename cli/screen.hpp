// Where a run is shown: the ranks' lines and our own, and below them, on a terminal, one live line that is redrawn.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cli/terminal.hpp"

namespace lockstep::cli {

class Screen {
 public:
  Screen(int fd, bool name_ranks) : fd_(fd), terminal_(terminal_of(fd)), name_ranks_(name_ranks) {}
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // Bytes of a rank's log as they are; with name_ranks each line begins with "[3] ". Bytes that end inside a line are
  // continued by the same rank's next ones, unless somebody else spoke between.
  void log(int rank, std::string_view bytes);
  void say(std::string_view lines);                         // our own; without the last newline
  void live(std::string line) { live_ = std::move(line); }  // "": none; ignored in a pipe
  void flush();                                             // one write for all of it, so that nothing flickers

  const Terminal& terminal() const { return terminal_; }
  void follow_window() { terminal_.width = terminal_width(fd_); }

 private:
  void end_open_line();
  std::string prefix(int rank) const;

  int fd_;
  Terminal terminal_;
  bool name_ranks_;
  std::string buffer_;
  std::string live_;
  std::string drawn_;      // the live line that is on the screen now
  int open_line_of_ = -1;  // the rank whose line has no newline yet
};

}  // namespace lockstep::cli
