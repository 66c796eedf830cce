// The logs of a run: what its ranks, its supervisor and its own code wrote, as files below logs/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/run_folder.hpp"

namespace lockstep::api {

struct LogFile {
  std::string name;  // relative to logs/, with '/'
  std::uint64_t bytes = 0;
  bool operator==(const LogFile&) const = default;
};
std::vector<LogFile> list_logs(const RunFolder& folder);  // by name, rank-2 before rank-10; files only

struct LogPart {
  std::int64_t offset = 0;       // where the text begins
  std::int64_t next_offset = 0;  // where it goes on
  std::int64_t bytes = 0;        // of the file
  std::string text;
};
// About `limit` bytes from `offset`, or from that many before the end if it is negative. It neither begins nor ends
// within a UTF-8 character. Throws not_found; bad_input for a name that leads out of logs/.
LogPart read_log(const RunFolder& folder, const std::string& name, std::int64_t offset, std::int64_t limit);

struct LogMatch {
  std::int64_t line = 0;    // from 1
  std::int64_t offset = 0;  // of the line
  std::string text;         // of the line, at most 1000 bytes
};
struct LogMatches {
  std::vector<LogMatch> matches;
  bool more = false;  // there are, or the file is longer than what was looked at
};
// Lines that have the text in them, ASCII letters of either case.
LogMatches search_log(const RunFolder& folder, const std::string& name, const std::string& text, int max_results);

}  // namespace lockstep::api
