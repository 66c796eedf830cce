// <journals>/report-<n>.json: which run of which server a training's journals go to, and how far they have come.
// Written durably by the one process that reports (report.lock). A new training in the same folder gets the next
// number.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "history/sink/report/batch.hpp"

namespace lockstep::history::report {

struct JournalShare {
  Position sent;                    // before it everything is at the server, or was refused by it
  std::optional<std::int64_t> end;  // the entry that belongs to the next training; nothing: all there is and will be
  bool operator==(const JournalShare&) const = default;
};

struct Report {
  std::string id;            // random; a tag of the run
  std::string tracking_uri;  // without credentials
  std::string experiment_id;
  std::string experiment_name;
  std::string run_name;
  std::string run_id;  // "": not made yet
  std::int64_t started_ms = 0;
  std::string state = "RUNNING";  // how the training stands: RUNNING, FINISHED, FAILED, KILLED
  std::int64_t ended_ms = 0;
  bool state_is_sent = false;            // and the server knows its end
  std::map<int, JournalShare> journals;  // by rank
  bool operator==(const Report&) const = default;
};

std::string new_report_id();

// The reports of a folder, in their order, with their files. Throws failure for a file that can't be read as one.
std::map<int, Report> read_reports(const fs::path& folder);
void write_report(const fs::path& folder, int number, const Report& report);

// Nothing of it is left to send.
bool is_complete(const fs::path& folder, const Report& report);

std::vector<int> ranks_with_journals(const fs::path& folder);
fs::path journal_file(const fs::path& folder, int rank);

}  // namespace lockstep::history::report
