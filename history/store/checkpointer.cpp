#include "history/store/checkpointer.hpp"

#include <utility>

namespace lockstep::history {

Checkpointer::Checkpointer(const fs::path& file, Pages limits)
    : limits_(limits), database_(file), thread_([this] { work(); }) {}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Checkpointer::log_has(int pages) {
  std::unique_lock lock(mutex_);
  pages_ = pages;
  held_ = held_ || pages >= limits_.most;
  waits_ = held_;
  if (waits_ || pages >= limits_.worth_a_checkpoint) changed_.notify_all();
  changed_.wait(lock, [this] { return stopping_ || !held_; });
  waits_ = false;
}

void Checkpointer::work() {
  std::unique_lock lock(mutex_);
  const auto checkpoint = [&] {
    lock.unlock();
    database_.checkpoint();
    lock.lock();
  };
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || pages_ >= limits_.worth_a_checkpoint; });
    if (stopping_) return;
    const bool is_too_long = std::exchange(pages_, 0) >= limits_.too_long;  // the next commit says anew
    checkpoint();
    if (!is_too_long) continue;
    if (!waits_) checkpoint();  // what was committed meanwhile: less, and so less again while the writer waits
    held_ = true;
    changed_.wait(lock, [this] { return stopping_ || waits_; });
    checkpoint();
    held_ = false;
    pages_ = 0;
    changed_.notify_all();
  }
}

}  // namespace lockstep::history
