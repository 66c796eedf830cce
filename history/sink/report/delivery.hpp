// Brings what is in journals to a run of a tracking server, each value once: no threads, no waiting.
//
// A batch carries a tag that says how far its journal is taken with it. Where an answer is missing (a connection broke,
// a process was killed) that tag tells whether the batch came in, and so whether to send it again. The file beside the
// journals (report_file.hpp) says the same where the server can't be asked.
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "history/sink/report/report_file.hpp"
#include "history/sink/report/tracking_server.hpp"

namespace lockstep::history::report {

using Say = std::function<void(const std::string&)>;

// Nothing more can come of it: the run was deleted, or can't be made.
class GiveUp : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Delivery {
 public:
  Delivery(fs::path folder, int number, Report report, TrackingServer server, Say say);

  // All that the journals hold by now; makes the run first, if there is none yet. A value that the server refuses is
  // said and passed over. Throws TryLater (call again, later) and GiveUp. Stops between two batches when `stop` is
  // true.
  void send_what_is_there(const std::function<bool()>& stop);
  void note_end(const std::string& state, std::int64_t ended_ms);  // in the file; send_end tells the server
  void send_end();                                                 // throws as above

  const Report& report() const { return report_; }
  std::int64_t acknowledged() const { return acknowledged_; }  // batches
  std::int64_t refused() const { return refused_; }            // values
  std::int64_t count_unsent_metrics();                         // reads the journals to their end
  std::string shown_uri() const { return server_.shown_uri(); }

 private:
  struct Outgoing {
    int rank;
    JournalShare* share;
    JournalReader reader;
    std::deque<JournalEntry> entries;  // read; the first is the one that share->sent points to, or later
    Position known_end;                // up to here a tag on the server may be believed; behind `sent`: under way
  };

  void make_run();
  void look_at_run();
  bool send_batch(Outgoing& journal);
  void refuse(Outgoing& journal, const Batch& batch, const Refused& reason);
  void read_more(Outgoing& journal);
  void save();

  fs::path folder_;
  int number_;
  Report report_;
  TrackingServer server_;
  Say say_;
  std::vector<Outgoing> journals_;
  std::set<std::string> params_;  // that the run has
  std::size_t most_items_;        // in a batch: less while the one that is refused is looked for
  bool looked_ = false;           // at the run, since the last answer that did not come
  bool introduced_ = false;
  bool save_failed_ = false;
  std::int64_t acknowledged_ = 0;
  std::int64_t refused_ = 0;
};

}  // namespace lockstep::history::report
