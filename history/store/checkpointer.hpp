// Moves what was committed from the write-ahead log into the database file, on a thread of its own: a checkpoint waits
// for the disk twice, and a writer that did it would keep a hundred clients waiting meanwhile.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "history/store/database.hpp"
#include "history/store/store.hpp"

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

  Database database_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int pages_ = 0;  // of the log, at the last commit
  bool stopping_ = false;
  std::thread thread_;
};

// For the one writer of a server: as open_sqlite_store, with a checkpointer of its own.
std::unique_ptr<Store> open_sqlite_store_for_server(const fs::path& file);

}  // namespace lockstep::history
