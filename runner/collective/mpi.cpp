// Open MPI. On a power of two of ranks sums are by a fixed tree (tree_sum.hpp); on two, where there is but one order,
// and on other numbers by MPI's own algorithms, which choose their order by size and number of ranks only.
#include <mpi.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <deque>
#include <vector>

#include "runner/collective/check_mpi.hpp"
#include "runner/collective/collective.hpp"
#include "runner/collective/tree_sum.hpp"

namespace lockstep::runner {

namespace {
// MPI counts are ints, so long spans go in pieces.
template <class T, class Each>
void in_pieces(std::span<T> values, Each each) {
  constexpr std::size_t longest = std::size_t{1} << 30;
  do {
    const std::size_t count = std::min(values.size(), longest);
    each(values.data(), static_cast<int>(count));
    values = values.subspan(count);
  } while (!values.empty());
}

class MpiCollective final : public Collective {
 public:
  MpiCollective() {
    // A rank that waits gives its core to whoever has work: on a busy machine training is several times faster for it.
    // What mpirun's user says counts more.
    ::setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    int provided = 0;
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm here = MPI_COMM_NULL;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &here);
    MPI_Comm_rank(here, &local_rank_);
    MPI_Comm_size(here, &local_size_);
    MPI_Comm_free(&here);
  }
  MpiCollective(const MpiCollective&) = delete;
  MpiCollective& operator=(const MpiCollective&) = delete;
  ~MpiCollective() override { MPI_Finalize(); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int local_rank() const override { return local_rank_; }
  int local_size() const override { return local_size_; }
  std::int64_t started() const override { return started_; }

  void start_sum(std::span<float> values) override {
    in_pieces(values, [this](float* piece, int count) {
      if (by_tree()) {
        trees_.emplace_back(std::span(piece, static_cast<std::size_t>(count)), rank_, size_, next_tag());
        ++started_;
        return;
      }
      requests_.push_back(MPI_REQUEST_NULL);
      const int code =
          MPI_Iallreduce(MPI_IN_PLACE, piece, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD, &requests_.back());
      check_mpi(code, "MPI_Iallreduce");
      ++started_;
    });
  }
  void progress() override {
    for (auto& tree : trees_) tree.advance(false);
    if (requests_.empty()) return;
    int done = 0;
    check_mpi(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE),
              "MPI_Testall");
    if (done != 0) requests_.clear();
  }
  void wait_sums() override {
    for (auto& tree : trees_) tree.advance(true);
    trees_.clear();
    check_mpi(MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
    requests_.clear();
  }
  void sum(std::span<float> values) override { sum_over_ranks(values, MPI_FLOAT); }
  void sum(std::span<double> values) override { sum_over_ranks(values, MPI_DOUBLE); }
  void max(std::span<std::int64_t> values) override { all_reduce(values, MPI_INT64_T, MPI_MAX); }

  void broadcast(std::span<std::byte> bytes, int root) override {
    in_pieces(bytes, [&](std::byte* piece, int count) {
      check_mpi(MPI_Bcast(piece, count, MPI_BYTE, root, MPI_COMM_WORLD), "MPI_Bcast");
      ++started_;
    });
  }
  void barrier() override {
    check_mpi(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier");
    ++started_;
  }
  void abort(int exit_code) override {
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::_Exit(exit_code);
  }

 private:
  bool by_tree() const { return size_ > 2 && std::has_single_bit(static_cast<unsigned>(size_)); }
  // Enough for the sums of a step that are in flight together; MPI promises tags up to 32767.
  int next_tag() { return next_tag_ = (next_tag_ + 1) % 32768; }

  template <class T>
  void sum_over_ranks(std::span<T> values, MPI_Datatype type) {
    if (!by_tree()) return all_reduce(values, type, MPI_SUM);
    in_pieces(values, [&](T* piece, int count) {
      TreeSum<T>(std::span(piece, static_cast<std::size_t>(count)), rank_, size_, next_tag()).advance(true);
      ++started_;
    });
  }
  template <class T>
  void all_reduce(std::span<T> values, MPI_Datatype type, MPI_Op op) {
    in_pieces(values, [&](T* piece, int count) {
      check_mpi(MPI_Allreduce(MPI_IN_PLACE, piece, count, type, op, MPI_COMM_WORLD), "MPI_Allreduce");
      ++started_;
    });
  }

  int rank_ = 0;
  int size_ = 1;
  int local_rank_ = 0;
  int local_size_ = 1;
  std::int64_t started_ = 0;
  std::vector<MPI_Request> requests_;
  std::deque<TreeSum<float>> trees_;
  int next_tag_ = 0;
};
}  // namespace

std::unique_ptr<Collective> make_mpi_collective() { return std::make_unique<MpiCollective>(); }

}  // namespace lockstep::runner
