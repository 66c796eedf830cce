// Curves of many values without reading all of them. Each 64 values of a series in order are a block, which keeps what
// M4 needs to know of them. A sample of a million values in 250 parts is then made of some 15,600 blocks, and of the
// rows of the 500 at the ends of parts: 64 is the square root of the length of a part.
#pragma once

#include "history/store/browsing.hpp"
#include "history/store/database.hpp"
#include "history/store/series.hpp"

namespace lockstep::history {

// Lays the blocks that a long series in order lacks; a shorter one needs none. It reads what it lacks, so the first
// look at a long curve takes as long as all of its values do; then it holds up writers for a few milliseconds. Inside a
// transaction, or where the database can't be written to, nothing happens: a curve can be drawn without.
void lay_curve_blocks(Database& database, std::int64_t run, const std::string& key);

// Of a series in order: the curve as Browsing::curve has it, whatever blocks there are.
Curve curve_in_order(Database& database, const Series& series, const CurveQuery& query);

}  // namespace lockstep::history
