// lockstep-network-check: one process per node. Each exchanges a message with a few others, then all of them sum up.
//
//   mpirun --host a:1,b:1,c:1 -np 3 lockstep-network-check
//
// Before a run pays for it: a firewall between two nodes, or an interface that leads nowhere, makes MPI wait for ever.
// It says each thing as soon as it is so, a line each, for nobody waits for the rank that hangs:
//   here RANK            MPI has begun there
//   heard RANK FROM      a message came
//   wrong RANK           a sum was not what it must be
//   sum BYTES SECONDS    said by rank 0: that takes so long, median of several
// Exit code 3: not all have come within the time limit, or a sum was wrong. It needs nothing but MPI: what a node has
// that can run ranks.
#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "common/message_partners.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto time_for_messages = std::chrono::seconds(10);
constexpr auto time_for_a_sum = std::chrono::seconds(20);
constexpr auto time_for_others_to_speak = std::chrono::seconds(1);
constexpr auto between_looks = std::chrono::microseconds(200);
constexpr int not_all_came = 3;
constexpr int most_sums = 10;  // that are measured
constexpr float time_to_measure_s = 2;
constexpr int small_numbers = 1;
constexpr int many_numbers = 1 << 20;  // 4 MiB

[[noreturn]] void give_up() {
  // mpirun ends all when the first one leaves.
  ::usleep(std::chrono::duration_cast<std::chrono::microseconds>(time_for_others_to_speak).count());
  std::_Exit(not_all_came);  // MPI_Finalize would wait for the messages
}

std::vector<int> partners(int rank, int size) {
  const auto found = lockstep::message_partners(static_cast<std::size_t>(rank), static_cast<std::size_t>(size));
  return {found.begin(), found.end()};
}

void exchange(int rank, int size) {
  const std::vector<int> others = partners(rank, size);
  std::vector<int> came(others.size());
  std::vector<MPI_Request> receives(others.size());
  std::vector<MPI_Request> sends(others.size());
  for (std::size_t i = 0; i < others.size(); ++i) {
    MPI_Irecv(&came[i], 1, MPI_INT, others[i], 0, MPI_COMM_WORLD, &receives[i]);
  }
  for (std::size_t i = 0; i < others.size(); ++i) {
    MPI_Isend(&rank, 1, MPI_INT, others[i], 0, MPI_COMM_WORLD, &sends[i]);
  }
  const auto deadline = Clock::now() + time_for_messages;
  for (std::size_t heard = 0; heard < others.size();) {
    int which = MPI_UNDEFINED;
    int done = 0;
    MPI_Testany(static_cast<int>(receives.size()), receives.data(), &which, &done, MPI_STATUS_IGNORE);
    if (done != 0 && which != MPI_UNDEFINED) {
      std::printf("heard %d %d\n", rank, others[static_cast<std::size_t>(which)]);
      ++heard;
    } else if (Clock::now() > deadline) {
      give_up();
    } else {
      ::usleep(static_cast<useconds_t>(between_looks.count()));
    }
  }
  MPI_Waitall(static_cast<int>(sends.size()), sends.data(), MPI_STATUSES_IGNORE);
}

// How long it took, in seconds.
float sum(const std::vector<float>& mine, std::vector<float>& all, MPI_Op operation) {
  const auto begin = Clock::now();
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iallreduce(mine.data(), all.data(), static_cast<int>(mine.size()), MPI_FLOAT, operation, MPI_COMM_WORLD,
                 &request);
  for (int done = 0; done == 0;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done == 0 && Clock::now() > begin + time_for_a_sum) give_up();
    if (done == 0) ::sched_yield();  // in a cluster in a box, nodes share cores
  }
  return std::chrono::duration<float>(Clock::now() - begin).count();
}

void check_sums(int rank, int size, int numbers) {
  const std::vector<float> mine(static_cast<std::size_t>(numbers), static_cast<float>(rank + 1));
  std::vector<float> all(mine.size());
  const float first = sum(mine, all, MPI_SUM);                                       // with whatever is done once
  const float wanted = static_cast<float>(size) * static_cast<float>(size + 1) / 2;  // exact up to 5792 ranks
  if (!std::all_of(all.begin(), all.end(), [wanted](float each) { return each == wanted; })) {
    std::printf("wrong %d\n", rank);
    give_up();
  }
  std::vector<float> slowest(1);
  sum({first}, slowest, MPI_MAX);  // all ranks measure equally often
  const int sums = std::clamp(static_cast<int>(time_to_measure_s / slowest[0]), 1, most_sums);
  std::vector<float> seconds;
  for (int i = 0; i < sums; ++i) seconds.push_back(sum(mine, all, MPI_SUM));
  std::nth_element(seconds.begin(), seconds.begin() + sums / 2, seconds.end());
  if (rank == 0) std::printf("sum %zu %.9f\n", mine.size() * sizeof(float), static_cast<double>(seconds[sums / 2]));
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  MPI_Init(&argc, &argv);
  int rank = 0;
  int size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  std::printf("here %d\n", rank);
  exchange(rank, size);
  check_sums(rank, size, small_numbers);
  check_sums(rank, size, many_numbers);
  MPI_Finalize();
  return 0;
}
