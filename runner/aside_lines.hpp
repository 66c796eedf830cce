// Lines for people that come from another thread. The training's thread alone writes to the terminal, and waits for
// nobody: when the other is just adding a line, it comes with the next progress.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::runner {

class AsideLines {
 public:
  void add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> take() {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    return lock.owns_lock() ? std::exchange(lines_, {}) : std::vector<std::string>();
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace lockstep::runner
