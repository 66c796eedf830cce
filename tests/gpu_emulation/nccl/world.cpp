#include "tests/gpu_emulation/nccl/world.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <stdexcept>

namespace lockstep::emulation {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

std::string text_of(const Request& request) {
  static constexpr const char* kinds[] = {"all-reduce", "reduce", "broadcast", "reduce-scatter", "all-gather"};
  static constexpr const char* types[] = {"int8",    "uint8",   "int32",   "uint32",   "int64",      "uint64",
                                          "float16", "float32", "float64", "bfloat16", "float8e4m3", "float8e5m2"};
  static constexpr const char* operations[] = {"sum", "product", "max", "min", "average"};
  return fmt::format("{} {} of {} {} ({}, root {})", kinds[static_cast<int>(request.kind)], request.number,
                     request.count, types[request.type], operations[request.operation], request.root);
}

std::string World::create() {
  std::random_device random;
  const std::string name = fmt::format("/lockstep-nccl-{}-{:08x}{:08x}", ::getpid(), random(), random());
  const int file = ::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
  if (file < 0) throw std::runtime_error("shm_open: " + std::string(std::strerror(errno)));
  const int result = ::ftruncate(file, sizeof(Segment));  // zeros: nobody is there yet
  ::close(file);
  if (result != 0) throw std::runtime_error("ftruncate: " + std::string(std::strerror(errno)));
  return name;
}

World::World(const std::string& name, int ranks, int rank) : name_(name), ranks_(ranks), rank_(rank) {
  if (ranks < 1 || ranks > most_ranks || rank < 0 || rank >= ranks) {
    throw std::runtime_error(fmt::format("rank {} of {} (at most {} are emulated)", rank, ranks, most_ranks));
  }
  const int file = ::shm_open(name.c_str(), O_RDWR, 0600);
  if (file < 0) throw std::runtime_error("no communicator has this unique id");
  void* memory = ::mmap(nullptr, sizeof(Segment), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (memory == MAP_FAILED) throw std::runtime_error("mmap: " + std::string(std::strerror(errno)));
  segment_ = static_cast<Segment*>(memory);
}

void World::forget_name() const { ::shm_unlink(name_.c_str()); }

World::~World() {
  if (rank_ == 0) forget_name();
  ::munmap(segment_, sizeof(Segment));
}

void World::join(int device) {
  int nobody = 0;
  if (!segment_->ranks.compare_exchange_strong(nobody, ranks_) && nobody != ranks_) {
    throw std::runtime_error(fmt::format("rank {} says {} ranks, another one {}", rank_, ranks_, nobody));
  }
  Slot& mine = segment_->slots[rank_];
  if (mine.joined.exchange(1) != 0) throw std::runtime_error(fmt::format("rank {} is there already", rank_));
  mine.device = device;
  ++segment_->joined;
}

bool World::all_joined() const { return segment_->joined.load() == ranks_; }

std::string World::conflict() const {
  for (int rank = 0; rank < ranks_; ++rank) {
    for (int other = 0; other < rank; ++other) {
      if (segment_->slots[rank].device == segment_->slots[other].device) {
        return fmt::format("Duplicate GPU detected : rank {} and rank {} both on CUDA device {}", other, rank,
                           segment_->slots[rank].device);
      }
    }
  }
  return "";
}

void World::post(const Request& request, const void* bytes, std::size_t count) {
  ++meeting_;
  Slot& mine = segment_->slots[rank_];
  mine.request[meeting_ % 2] = request;
  std::memcpy(mine.bytes[meeting_ % 2], bytes, count);
  ++segment_->posted;
}

bool World::have_all_posted() const { return segment_->posted.load() >= meeting_ * static_cast<std::uint64_t>(ranks_); }
const Request& World::request_of(int rank) const { return segment_->slots[rank].request[meeting_ % 2]; }
const std::byte* World::bytes_of(int rank) const { return segment_->slots[rank].bytes[meeting_ % 2]; }

}  // namespace lockstep::emulation
