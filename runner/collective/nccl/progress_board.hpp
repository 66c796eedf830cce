// Where every rank says how far it is, and rank 0 reads it: TCP connections from all ranks to rank 0, which know
// nothing of MPI, so that a thread beside the training loop may use them. They work wherever NCCL's own start does: on
// one machine over loopback, between machines over any of rank 0's IPv4 addresses.
#pragma once

#include <span>

#include "runner/collective/collective.hpp"
#include "runner/collective/nccl/progress.hpp"
#include "runner/collective/nccl/socket.hpp"

namespace lockstep::runner {

class ProgressBoard {
 public:
  // Collective. Throws AgreedError when a rank can't reach rank 0.
  explicit ProgressBoard(Collective& ranks);

  // Tells rank 0, or on rank 0 notes it; that it is leaving rank 0 tells the others. Never waits: what doesn't go out
  // now is left out, and the next call says more. To be called all the time: a rank that says nothing stands still.
  void publish(const Progress& mine);

  // Reads what has come. Waits for it, or for `wake` to be readable, but no longer than the limit.
  void read(milliseconds limit, int wake);

  // Rank 0 knows all; others know themselves, and of rank 0 whether it is leaving or gone.
  std::span<const RankRecord> ranks() const { return records_; }

 private:
  struct Peer {
    Fd socket;  // none: not connected with that rank, or no longer
    std::string in;
    std::string out;
    std::int64_t heard_ms = 0;
  };
  void accept_all(const Listener& door, std::uint64_t token);
  void read_from(std::size_t rank);

  std::size_t rank_;
  std::vector<RankRecord> records_;
  std::vector<Peer> peers_;
};

}  // namespace lockstep::runner
