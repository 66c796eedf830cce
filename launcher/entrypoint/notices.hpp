// Notices of the machine's end, for all ranks of a node: one asks the metadata service, all read what it writes down.
#pragma once

#include <atomic>
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
  std::atomic<bool> over_ = false;
  std::thread asking_;
};

}  // namespace lockstep::entrypoint
