#include "history/server/workers.hpp"

#include <algorithm>
#include <exception>

#include "history/server/mlflow/error.hpp"

namespace lockstep::history::server {

// Longer commits would keep the first in line waiting for the last; this many cost a few milliseconds.
static constexpr std::size_t works_per_commit = 256;

void Workers::Line::put(Task task) {
  {
    const std::lock_guard lock(mutex);
    tasks.push_back(std::move(task));
  }
  filled.notify_one();
}

void Workers::Line::close() {
  {
    const std::lock_guard lock(mutex);
    closed = true;
  }
  filled.notify_all();
}

std::deque<Workers::Task> Workers::Line::take(std::size_t most) {
  std::unique_lock lock(mutex);
  filled.wait(lock, [this] { return closed || !tasks.empty(); });
  if (tasks.size() <= most) return std::exchange(tasks, {});
  const auto end = tasks.begin() + static_cast<std::ptrdiff_t>(most);
  std::deque<Task> taken(std::move_iterator(tasks.begin()), std::move_iterator(end));
  tasks.erase(tasks.begin(), end);
  return taken;
}

Workers::Workers(const std::function<std::unique_ptr<Store>()>& open, int readers, Survives survives)
    : survives_(survives) {
  for (int i = 0; i < readers + 1; ++i) stores_.push_back(open());
  threads_.emplace_back([this] { write(*stores_.front()); });
  for (std::size_t i = 1; i < stores_.size(); ++i) {
    threads_.emplace_back([this, i] { read(*stores_[i]); });
  }
}

Workers::~Workers() {
  to_write_.close();
  to_read_.close();
}

void Workers::submit(Access access, Work work, Done done) {
  (access == Access::write ? to_write_ : to_read_).put({std::move(work), std::move(done)});
}

std::size_t Workers::waiting() const {
  std::size_t sum = 0;
  for (const Line* line : {&to_write_, &to_read_}) {
    const std::lock_guard lock(line->mutex);
    sum += line->tasks.size();
  }
  return sum;
}

static Reply reply_to(const Work& work, Store& store) {
  try {
    return work(store);
  } catch (...) {
    return mlflow::reply_of(std::current_exception());
  }
}

void Workers::read(Store& store) {
  while (true) {
    std::deque<Task> tasks = to_read_.take(1);
    if (tasks.empty()) return;
    Reply reply = reply_to(tasks.front().work, store);
    ++counts_.read;
    tasks.front().done(std::move(reply));
  }
}

void Workers::write(Store& store) {
  while (true) {
    std::deque<Task> tasks = to_write_.take(works_per_commit);
    if (tasks.empty()) return;
    commit(store, tasks);
  }
}

void Workers::commit(Store& store, std::deque<Task>& tasks) {
  std::vector<Reply> replies;
  replies.reserve(tasks.size());
  try {
    store.in_one_commit(survives_, [&] {
      for (const Task& task : tasks) replies.push_back(reply_to(task.work, store));
    });
    ++counts_.commits;
    counts_.written += tasks.size();
  } catch (...) {
    ++counts_.failed_commits;
    replies.assign(tasks.size(), mlflow::reply_of(std::current_exception()));
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) tasks[i].done(std::move(replies[i]));
}

}  // namespace lockstep::history::server
