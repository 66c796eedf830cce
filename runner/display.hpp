// What rank 0 prints while it trains. The other ranks print nothing.
#pragma once

#include <cstdint>
#include <string>

#include "history/sink/journal.hpp"

namespace lockstep::runner {

enum class DisplayMode {
  silent,   // not rank 0
  notes,    // under a launcher, which draws the progress itself from the journal
  redrawn,  // a person at a terminal: one line, drawn again and again
  lines,    // a file or a pipe: a line of progress now and then
};

DisplayMode choose_display(int rank, bool under_launcher);

// "epoch 2/5  step 301/1175  loss 0.4021  5120 images/s  12.4 s left"
std::string progress_line(const history::Progress& progress);

class Display {
 public:
  explicit Display(DisplayMode mode) : mode_(mode) {}
  ~Display();
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

  void progress(const history::Progress& progress);
  void note(const std::string& line);  // stays on the screen

 private:
  void clear_line();

  DisplayMode mode_;
  bool drawn_ = false;  // a line without its newline is on the terminal
  std::int64_t last_line_ms_ = 0;
};

}  // namespace lockstep::runner
