// Where training stands, as one line.
#pragma once

#include <string>

#include "cli/terminal.hpp"
#include "history/sink/journal.hpp"

namespace lockstep::cli {

std::string with_thousands(double value);  // "12,345"

// "epoch 2/5  step 340/1170  loss 0.4312  12,345 samples/s  42 s left"; what is not known is left out.
std::string progress_words(const history::Progress& progress);

// The same with a bar in front, never wider than the terminal: the bar gives way first, then the words from the right.
std::string progress_line(const history::Progress& progress, const Terminal& terminal);

}  // namespace lockstep::cli
