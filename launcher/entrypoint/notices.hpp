// Notices of the machine's end, for all ranks of a node: one asks the metadata service, all read what it writes down.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "launcher/entrypoint/entrypoint.hpp"
#include "launcher/entrypoint/scheduled_events.hpp"

namespace lockstep::entrypoint {

class Notices {
 public:
  // Call it after the fork: the first rank of the node starts a thread.
  Notices(const MetadataService& service, const RankPlace& place, const Environment& environment);
  ~Notices();
  Notices(const Notices&) = delete;
  Notices& operator=(const Notices&) = delete;

  std::vector<Notice> fresh();  // that this rank has not had yet; at once

 private:
  fs::path folder_;
  std::set<std::string> known_;
  void ask_again_and_again(const MetadataService& service);

  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread asking_;
};

}  // namespace lockstep::entrypoint
