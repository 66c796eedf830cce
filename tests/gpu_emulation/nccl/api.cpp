// Stand-ins for the functions of libnccl that runner/collective/nccl calls, typed by NVIDIA's own header; linked in its
// place.
#include <cstring>
#include <stdexcept>
#include <utility>

#include "tests/gpu_emulation/nccl/communicator.hpp"
#include "tests/gpu_emulation/nccl/emulated_nccl.hpp"

using lockstep::emulation::Communicator;
using lockstep::emulation::Kind;
using lockstep::emulation::last_nccl_error;
using lockstep::emulation::World;

struct ncclComm {
  std::shared_ptr<Communicator> it;  // what it has on streams may outlive it
};

namespace {

std::atomic<ncclResult_t> injected = ncclSuccess;
std::atomic<int> live = 0;
thread_local bool in_group = false;
thread_local std::vector<std::shared_ptr<Communicator>> group;

ncclResult_t make(ncclComm_t* comm, int ranks, const ncclUniqueId& id, int rank, bool blocking) {
  try {
    *comm = new ncclComm{std::make_shared<Communicator>(id.internal, ranks, rank, blocking)};
  } catch (const std::runtime_error& error) {
    last_nccl_error() = error.what();
    return ncclInvalidArgument;
  }
  ++live;
  return (*comm)->it->state();
}

ncclResult_t collective(Kind kind, const void* send, void* receive, std::size_t count, ncclDataType_t type,
                        ncclRedOp_t operation, int root, ncclComm_t comm, cudaStream_t stream) {
  if (comm == nullptr) return ncclInvalidArgument;
  if (in_group) {
    comm->it->begin_group();
    group.push_back(comm->it);
  }
  return comm->it->collective({0, kind, type, operation, count, root}, send, receive, stream);
}

}  // namespace

namespace lockstep::emulation {
void inject_nccl_error(ncclResult_t error) { injected = error; }
int live_communicators() { return live; }
}  // namespace lockstep::emulation

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}
const char* ncclGetErrorString(ncclResult_t result) {
  static constexpr const char* texts[] = {"no error",
                                          "unhandled cuda error",
                                          "unhandled system error",
                                          "internal error",
                                          "invalid argument",
                                          "invalid usage",
                                          "remote process exited or there was a network error",
                                          "in progress"};
  return result >= 0 && result < ncclNumResults ? texts[result] : "unknown result code";
}
const char* ncclGetLastError(ncclComm_t /*comm*/) { return last_nccl_error().c_str(); }

// --- communicators ---
ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  *id = {};
  const std::string name = World::create();
  std::strncpy(id->internal, name.c_str(), sizeof id->internal - 1);
  return ncclSuccess;
}
ncclResult_t ncclCommInitRank(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank) {
  return make(comm, ranks, id, rank, true);
}
ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t* config) {
  const ncclConfig_t fresh = NCCL_CONFIG_INITIALIZER;
  if (config->size != fresh.size || config->magic != fresh.magic) return ncclInvalidArgument;
  return make(comm, ranks, id, rank, config->blocking != 0);
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* error) {
  if (injected != ncclSuccess) {
    last_nccl_error() = "injected by a test";
    *error = injected;
  } else {
    *error = comm->it->state();
  }
  return ncclSuccess;
}
ncclResult_t ncclCommFinalize(ncclComm_t comm) { return comm->it->finalize(); }
ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  delete comm;
  --live;
  return ncclSuccess;
}
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  comm->it->abort();
  return ncclCommDestroy(comm);
}

// --- collectives ---
ncclResult_t ncclAllReduce(const void* send, void* receive, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t operation, ncclComm_t comm, cudaStream_t stream) {
  return collective(Kind::all_reduce, send, receive, count, type, operation, 0, comm, stream);
}
ncclResult_t ncclReduce(const void* send, void* receive, std::size_t count, ncclDataType_t type, ncclRedOp_t operation,
                        int root, ncclComm_t comm, cudaStream_t stream) {
  return collective(Kind::reduce, send, receive, count, type, operation, root, comm, stream);
}
ncclResult_t ncclBroadcast(const void* send, void* receive, std::size_t count, ncclDataType_t type, int root,
                           ncclComm_t comm, cudaStream_t stream) {
  return collective(Kind::broadcast, send, receive, count, type, ncclSum, root, comm, stream);
}
ncclResult_t ncclReduceScatter(const void* send, void* receive, std::size_t count, ncclDataType_t type,
                               ncclRedOp_t operation, ncclComm_t comm, cudaStream_t stream) {
  return collective(Kind::reduce_scatter, send, receive, count, type, operation, 0, comm, stream);
}
ncclResult_t ncclAllGather(const void* send, void* receive, std::size_t count, ncclDataType_t type, ncclComm_t comm,
                           cudaStream_t stream) {
  return collective(Kind::all_gather, send, receive, count, type, ncclSum, 0, comm, stream);
}

// --- groups: nothing reaches a stream before the end; they don't nest here ---
ncclResult_t ncclGroupStart() {
  if (in_group) return ncclInvalidUsage;
  in_group = true;
  return ncclSuccess;
}
ncclResult_t ncclGroupEnd() {
  if (!in_group) return ncclInvalidUsage;
  in_group = false;
  ncclResult_t result = ncclSuccess;
  for (const auto& comm : std::exchange(group, {})) {
    const ncclResult_t ended = comm->end_group();
    if (ended != ncclSuccess) result = ended;
  }
  return result;
}

}  // extern "C"
