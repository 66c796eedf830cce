// Moves what was committed from the write-ahead log into the database file, on a thread of its own: a checkpoint waits
// for the disk twice, and a writer that did it would keep a hundred clients waiting meanwhile.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "history/store/sqlite_database.hpp"

namespace lockstep::history {

class Checkpointer {
 public:
  explicit Checkpointer(const fs::path& file);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  void log_has(int pages);  // from any thread; returns at once

 private:
  void work();

  SqliteDatabase database_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int pages_ = 0;  // of the log, at the last commit
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lockstep::history
