// Brings what the ranks of a node write to the workspace, where the node shares no files with it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "common/run_folder.hpp"
#include "launcher/node/frames.hpp"

namespace lockstep::node {

// Logs, journals and event files grow: what was added is sent, at once. All other files below outputs/, checkpoints/
// and ranks/ are sent whole, once they have stayed as they are for a second, or when the ranks have ended. A checkpoint
// of lockstep-train's (checkpoints/step-*) is whole when its manifest.json is there (docs/checkpoints.md): that is sent
// last, and nothing of it before, unless the ranks have ended. A checkpoint that is removed here is removed there.
// Links are not followed.
class Mirror {
 public:
  // What is there now is known to the workspace, which has sent it.
  using Send = std::function<void(const Frame&)>;
  Mirror(RunFolder folder, Send send);

  // Sends a few MiB at most, so that a stop that is asked for meanwhile does not wait. `ended`: no file changes any
  // more. False: there was nothing to send.
  bool look(bool ended);

 private:
  struct Stamp {
    ino_t inode = 0;
    std::int64_t size = -1;
    std::int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Whole {  // a file that is being sent
    std::string path;
    Stamp stamp;
    std::int64_t offset = 0;
  };
  static bool stamp_of(const fs::path& path, Stamp& stamp);  // false: no regular file

  void know_growing(const fs::path& folder);
  void know_whole(const fs::path& folder);
  void send_growth(const fs::path& folder);
  bool send_whole(bool ended);
  bool walk(bool ended);  // false: nothing is due
  void collect(const fs::path& folder, bool ended, bool checkpoints);
  void add_if_due(const fs::path& file, bool at_once);
  void send_part();
  void tell_what_is_gone();

  RunFolder folder_;
  Send send_;
  std::map<std::string, std::int64_t> grown_;  // by path: how much of it was sent
  std::map<std::string, Stamp> whole_;         // by path: as it was when it was sent
  std::deque<std::string> due_;                // to be sent next
  Whole now_;                                  // path empty: none
  std::int64_t next_walk_ms_ = 0;              // monotonic
  std::int64_t sent_bytes_ = 0;                // in this look
};

}  // namespace lockstep::node
