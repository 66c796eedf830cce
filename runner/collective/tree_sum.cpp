#include "runner/collective/tree_sum.hpp"

#include <bit>

#include "runner/collective/check_mpi.hpp"

namespace lockstep::runner {

template <class T>
constexpr MPI_Datatype mpi_type() {
  if constexpr (std::is_same_v<T, float>) return MPI_FLOAT;
  return MPI_DOUBLE;
}

template <class T>
static void add(T* values, const T* others, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) values[i] += others[i];
}

template <class T>
TreeSum<T>::TreeSum(std::span<T> values, int rank, int ranks, int tag)
    : values_(values), rank_(rank), levels_(std::bit_width(static_cast<unsigned>(ranks)) - 1), tag_(tag) {
  kept_.push_back({0, values.size()});
  received_.resize(all_at_once() ? values.size() : (values.size() + 1) / 2);
  if (levels_ > 0) start_round();
}

// Below this, a message's latency counts and its length does not.
template <class T>
bool TreeSum<T>::all_at_once() const {
  return values_.size() < 512;
}

template <class T>
void TreeSum<T>::exchange(Part out, T* in, std::size_t in_count, int partner) {
  const auto type = mpi_type<T>();
  check_mpi(MPI_Irecv(in, static_cast<int>(in_count), type, partner, tag_, MPI_COMM_WORLD, &requests_[0]), "MPI_Irecv");
  check_mpi(MPI_Isend(values_.data() + out.begin, static_cast<int>(out.end - out.begin), type, partner, tag_,
                      MPI_COMM_WORLD, &requests_[1]),
            "MPI_Isend");
}

template <class T>
void TreeSum<T>::start_round() {
  const bool halving = round_ < levels_;
  const int level = halving ? round_ : 2 * levels_ - 1 - round_;
  const int partner = rank_ ^ (1 << level);
  const Part whole = kept_[all_at_once() ? 0 : static_cast<std::size_t>(level)];
  if (all_at_once()) return exchange(whole, received_.data(), values_.size(), partner);
  const std::size_t middle = whole.begin + (whole.end - whole.begin) / 2;
  const Part halves[] = {{whole.begin, middle}, {middle, whole.end}};
  const bool upper = (rank_ >> level & 1) != 0;
  const Part mine = halves[upper ? 1 : 0];
  const Part theirs = halves[upper ? 0 : 1];
  if (halving) {
    kept_.push_back(mine);
    exchange(theirs, received_.data(), mine.end - mine.begin, partner);
  } else {
    exchange(mine, values_.data() + theirs.begin, theirs.end - theirs.begin, partner);
  }
}

template <class T>
void TreeSum<T>::end_round() {
  if (round_ >= levels_) return;
  const Part part = kept_.back();
  add(values_.data() + part.begin, received_.data(), part.end - part.begin);
}

template <class T>
bool TreeSum<T>::advance(bool wait) {
  while (round_ < rounds()) {
    int done = 1;
    if (wait) {
      check_mpi(MPI_Waitall(2, requests_, MPI_STATUSES_IGNORE), "MPI_Waitall");
    } else {
      check_mpi(MPI_Testall(2, requests_, &done, MPI_STATUSES_IGNORE), "MPI_Testall");
    }
    if (done == 0) return false;
    end_round();
    if (++round_ < rounds()) start_round();
  }
  return true;
}

template class TreeSum<float>;
template class TreeSum<double>;

}  // namespace lockstep::runner
