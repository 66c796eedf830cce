// A transfer as a person sees it: how far it is, on a terminal; and Ctrl-C, which ends it between two pieces.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/interrupt.hpp"
#include "cli/screen.hpp"
#include "history/transfer/transfer.hpp"

namespace lockstep::cli {

class TransferScreen {
 public:
  // Without `may_interrupt` Ctrl-C ends the process, as usual: a read from a pipe that does not come would not hear it.
  explicit TransferScreen(bool may_interrupt);
  // To be called after each piece; throws an Error with ExitCode::interrupted after a Ctrl-C.
  void show(const history::transfer::Counts& counts);
  void end();  // nothing is left on the screen
  double seconds() const;

 private:
  Screen screen_;
  std::unique_ptr<InterruptWatch> watch_;
  std::int64_t begin_ms_;
  std::int64_t drawn_ms_ = 0;
};

// "1,204 runs  3,456,789 points  812,345 points/s"
std::string transfer_words(const history::transfer::Counts& counts, double seconds);

}  // namespace lockstep::cli
