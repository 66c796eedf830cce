// Moves what was committed from the write-ahead log into the database file, on a thread of its own: a checkpoint waits
// for the disk twice, and a writer that did it would keep a hundred clients waiting meanwhile.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "history/store/sqlite_database.hpp"

namespace lockstep::history {

// The log begins anew by a commit that finds all of it moved. While commits never pause none does: so when the log has
// grown too long, the writer is held while the last piece is moved.
class Checkpointer {
 public:
  struct Pages {
    int worth_a_checkpoint = 16'000;  // 64 MiB: what is written again and again meanwhile is moved once
    int too_long = 48'000;            // 192 MiB: readers look through the log's index
    int most = 64'000;                // the writer does not get further
  };
  explicit Checkpointer(const fs::path& file) : Checkpointer(file, Pages()) {}
  Checkpointer(const fs::path& file, Pages limits);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // From the writer's thread after each commit. Waits for the end of a checkpoint if the log is too long.
  void log_has(int pages);

 private:
  void work();

  Pages limits_;
  SqliteDatabase database_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int pages_ = 0;       // of the log, at the last commit
  bool held_ = false;   // the writer is to wait
  bool waits_ = false;  // and does
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lockstep::history
