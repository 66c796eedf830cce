#include "history/store/checkpointer.hpp"

namespace lockstep::history {

// 16 MiB, and 256 MiB: readers look through the log's index, so it must not grow for ever.
static constexpr int worth_a_checkpoint = 4000;
static constexpr int too_long = 64'000;

Checkpointer::Checkpointer(const fs::path& file) : database_(file), thread_([this] { work(); }) {}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Checkpointer::log_has(int pages) {
  {
    const std::lock_guard lock(mutex_);
    pages_ = pages;
  }
  if (pages >= worth_a_checkpoint) changed_.notify_one();
}

void Checkpointer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || pages_ >= worth_a_checkpoint; });
    if (stopping_) return;
    const bool must_end = pages_ >= too_long;
    pages_ = 0;  // the next commit says anew
    lock.unlock();
    database_.checkpoint(must_end);
    lock.lock();
  }
}

}  // namespace lockstep::history
