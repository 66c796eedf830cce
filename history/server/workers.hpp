// Who does the requests' work on the store: one writer and a few readers, each a thread with a store of its own. The
// writer takes all that waits and commits it at once, so that a hundred clients pay for one commit.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "history/server/route.hpp"

namespace lockstep::history::server {

struct WorkerCounts {
  std::atomic<std::uint64_t> commits = 0;
  std::atomic<std::uint64_t> written = 0;  // works that were part of them
  std::atomic<std::uint64_t> read = 0;
  std::atomic<std::uint64_t> failed_commits = 0;
};

class Workers {
 public:
  using Done = std::function<void(Reply)>;

  // `open` is called once for each thread, for the writer first, before this returns; what it throws is thrown here.
  // Every commit survives what `survives` says.
  Workers(const std::function<std::unique_ptr<Store>()>& open, int readers,
          Survives survives = Survives::process_death);
  ~Workers();  // everything submitted before is done first
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // `done` gets the reply, on one of the threads: what the work gave, or the error it threw. The reply to a write comes
  // after its commit; if that fails, all of it is an error, and nothing was written.
  void submit(Access access, Work work, Done done);

  const WorkerCounts& counts() const { return counts_; }
  std::size_t waiting() const;  // works that nobody has begun

 private:
  struct Task {
    Work work;
    Done done;
  };
  // A line of tasks, and those who wait at its end.
  struct Line {
    mutable std::mutex mutex;
    std::condition_variable filled;
    std::deque<Task> tasks;
    bool closed = false;

    void put(Task task);
    void close();
    std::deque<Task> take(std::size_t most);  // empty: closed, and nothing is left
  };

  void write(Store& store);
  void read(Store& store);
  void commit(Store& store, std::deque<Task>& tasks);

  Survives survives_;
  WorkerCounts counts_;
  Line to_write_;
  Line to_read_;
  std::vector<std::unique_ptr<Store>> stores_;  // the writer's first
  std::vector<std::jthread> threads_;
};

}  // namespace lockstep::history::server
