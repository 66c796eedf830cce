// What ranks do together. Every rank calls the same operations in the same order.
//
// Results are the same bits on every rank, and the same bits again for the same inputs on the same number of ranks. On
// a power of two of ranks a sum is that of the binary tree ((0+1)+(2+3))+..., bit for bit. A rank that dies takes the
// others down (MPI's runtime ends the job): no call returns an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace lockstep::runner {

class Collective {
 public:
  virtual ~Collective() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual int local_rank() const = 0;  // among the ranks on this machine, in the order of ranks
  virtual int local_size() const = 0;
  bool one_machine() const { return local_size() == size(); }  // all ranks share this machine's memory

  // Sums over ranks, in place. start_sum only starts: the values belong to the collective until wait_sums(), which ends
  // all that were started. progress() moves started sums on without waiting, and is cheap when there are none.
  virtual void start_sum(std::span<float> values) = 0;
  virtual void progress() = 0;
  virtual void wait_sums() = 0;
  virtual void sum(std::span<float> values) = 0;
  virtual void sum(std::span<double> values) = 0;

  virtual void max(std::span<std::int64_t> values) = 0;
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;
  virtual void barrier() = 0;

  // Ends every rank at once, with this exit code. For an error that the other ranks don't know of. From any thread.
  virtual void abort(int exit_code) = 0;

  virtual std::int64_t started() const = 0;  // collectives started so far: where a rank stands, for the journal
};

// This process alone.
std::unique_ptr<Collective> make_single_collective();

// All ranks of the job. Owns MPI: initialises it here (funneled: only this thread calls it), finalises it at the end.
std::unique_ptr<Collective> make_mpi_collective();

// MPI where a launcher (mpirun, srun --mpi=pmix) started this process, else single. Throws bad_input for several tasks
// of srun without PMIx, which would each train alone.
std::unique_ptr<Collective> make_collective();

// The rank that the launcher's environment names, before MPI is up; 0 when there is no launcher.
int rank_of_environment();

}  // namespace lockstep::runner
