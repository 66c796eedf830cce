// A metric's course as a drawing of characters, for the end of a run.
#pragma once

#include <span>
#include <string>

#include "history/store/store.hpp"

namespace lockstep::cli {

struct CurveSize {
  int columns = 72;  // of the whole drawing, labels included
  int rows = 12;     // of the plot
  bool utf8 = true;  // braille dots (2 x 4 a cell), else asterisks
};

// The values over their steps, with the axes' labels. More points than dots are averaged per dot column, so a noisy
// loss comes out smooth. NaN and infinities are left out and counted in the caption. Fewer than three finite points
// give "": there is no curve to draw.
std::string draw_curve(const std::string& name, std::span<const history::Metric> points, const CurveSize& size);

}  // namespace lockstep::cli
