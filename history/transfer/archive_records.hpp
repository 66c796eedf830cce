// What one line of an archive says.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "history/transfer/transfer.hpp"

namespace lockstep::history::transfer {

struct FirstLine {
  std::int64_t exported_ms = 0;
};
struct SeriesPiece {
  std::string run_id;
  std::string key;
  std::vector<Metric> points;  // without their key
};
using Record = std::variant<FirstLine, Experiment, ImportedRun, SeriesPiece, ImportedModel, LoggedModel, Counts>;

// Throws bad_input, without the place.
class RecordParser {
 public:
  RecordParser();
  Record parse(std::string_view line);

 private:
  simdjson::dom::parser parser_;
};

}  // namespace lockstep::history::transfer
