// A thread of low priority that delivers what the training writes into its journals. The training shares no lock with
// it and never waits for it, but for finish() at the end.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "history/sink/report/backoff.hpp"
#include "history/sink/report/delivery.hpp"

namespace lockstep::history::report {

struct SenderTimes {
  std::int64_t poll_ms = 1000;  // between two looks into the journals
  std::int64_t first_backoff_ms = 500;
  std::int64_t longest_backoff_ms = 30'000;
  std::int64_t forbidden_ms = 60'000;    // between two tries while the server does not let us in
  std::int64_t interrupted_ms = 10'000;  // what is left after a signal that ends the process
};

// Where the journals are, whose report it is (report_file.hpp), and where it goes. `say` is called from the thread.
struct Assignment {
  fs::path folder;
  int number = 1;
  Report report;
  ServerSettings server;
  SenderTimes times;
  Say say;
  // Signals that end the process. `interrupted` is asked a few times a second; true ends the reporting soon, with the
  // run KILLED, and then `leave` is called.
  std::function<bool()> interrupted = [] { return false; };
  std::function<void()> leave = [] {};
};

class Sender {
 public:
  explicit Sender(Assignment assignment);  // starts the thread; throws nothing about the server
  ~Sender();                               // leaves at once what is not sent; the journals keep it
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Nothing more comes. Sends what is left and then `state`, for at most `limit_ms`; with `patient`, for as long as no
  // more than that passes between two batches. RUNNING: the training will go on another time, and the run stays open.
  // True: all of it arrived, but for what the server refused.
  bool finish(const std::string& state, std::int64_t limit_ms, bool patient = false);

  // After finish().
  std::int64_t count_unsent_metrics() { return delivery_.count_unsent_metrics(); }
  const Delivery& delivery() const { return delivery_; }

 private:
  void work();
  bool deliver();
  std::int64_t later(const TryLater& reason);
  void note_end();
  void look_for_interruption();
  bool time_is_up() const;
  void wait(std::int64_t ms);

  Assignment assignment_;
  Delivery delivery_;
  Backoff backoff_;
  std::atomic<std::int64_t> give_up_at_ms_;  // monotonic
  std::atomic<bool> ending_ = false;         // everything is in the journals
  std::string end_state_;                    // these three are read only when ending_ is true
  std::int64_t end_ms_ = 0;
  std::int64_t patience_ms_ = 0;
  bool end_is_noted_ = false;
  bool interrupted_ = false;
  bool out_of_reach_ = false;
  bool complete_ = false;
  std::mutex mutex_;  // for waking up alone
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace lockstep::history::report
