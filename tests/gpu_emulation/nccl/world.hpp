// Where the ranks of an emulated communicator meet: a segment of POSIX shared memory, named by the unique id, so that
// ranks may be threads of one test or processes of an MPI job. Ranks exchange chunks of bytes; nobody waits in here.
#pragma once

#include <nccl.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

namespace lockstep::emulation {

enum class Kind : int { all_reduce, reduce, broadcast, reduce_scatter, all_gather };

// What all ranks must agree on when they meet.
struct Request {
  std::int64_t number;  // of the communicator's collectives, from 1
  Kind kind;
  ncclDataType_t type;
  ncclRedOp_t operation;  // ncclSum where nothing is added up
  std::size_t count;      // as it was given to the call
  int root;
};
std::string text_of(const Request& request);

class World {
 public:
  static constexpr int most_ranks = 8;
  static constexpr std::size_t chunk_bytes = 1 << 16;

  static std::string create();  // a fresh segment; gives its name
  World(const std::string& name, int ranks, int rank);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  // Says that this rank is here, with its device. Throws std::runtime_error when it can't be one of these ranks.
  void join(int device);
  bool all_joined() const;
  std::string conflict() const;  // once all have joined: "" or what makes them no communicator
  void forget_name() const;      // once all have joined: then nothing is left behind, however the ranks end

  // One meeting after the other, the same on all ranks: post, then once have_all_posted(), look at what others posted.
  // A chunk stays readable until this rank posts again.
  void post(const Request& request, const void* bytes, std::size_t count);
  bool have_all_posted() const;
  const Request& request_of(int rank) const;
  const std::byte* bytes_of(int rank) const;

  int ranks() const { return ranks_; }
  int rank() const { return rank_; }

 private:
  // Two of each: a fast rank posts the next chunk while a slow one still reads the last.
  struct Slot {
    std::atomic<int> joined;
    int device;
    Request request[2];
    std::byte bytes[2][chunk_bytes];
  };
  struct Segment {
    std::atomic<int> ranks;
    std::atomic<int> joined;
    std::atomic<std::uint64_t> posted;  // by all ranks in all meetings
    Slot slots[most_ranks];
  };

  std::string name_;
  int ranks_;
  int rank_;
  Segment* segment_ = nullptr;
  std::uint64_t meeting_ = 0;  // that this rank has posted to
};

}  // namespace lockstep::emulation
