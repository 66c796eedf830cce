#include "runner/loss_book.hpp"

#include "common/error.hpp"
#include "runner/block_sum.hpp"

namespace lockstep::runner {

LossBook::LossBook(kernels::Device& device, kernels::Stream& stream, int blocks, int entries)
    : device_(device),
      stream_(stream),
      math_(kernels::make_arena_math(device)),
      blocks_(blocks),
      most_(entries),
      now_(device.allocate(static_cast<std::size_t>(blocks) * sizeof(kernels::LossSums))),
      there_(device.allocate(static_cast<std::size_t>(entries) * now_.bytes())) {
  if (!device.memory_is_the_hosts()) here_ = device.allocate_host(there_.bytes());
}

void LossBook::begin() { math_->zero(now_.as<float>(), stream_); }

void LossBook::end() {
  if (full()) throw failure("a book of {} losses is full", most_);
  auto* const to = there_.as<std::byte>().data() + static_cast<std::size_t>(entries_++) * now_.bytes();
  device_.copy(to, now_.data(), now_.bytes(), stream_);
}

std::vector<LossBook::Entry> LossBook::take() {
  const std::size_t bytes = static_cast<std::size_t>(entries_) * now_.bytes();
  if (here_.bytes() > 0) device_.copy(here_.data(), there_.data(), bytes, stream_);
  stream_.synchronize();
  const auto* sums = static_cast<const kernels::LossSums*>(here_.bytes() > 0 ? here_.data() : there_.data());
  std::vector<Entry> entries(static_cast<std::size_t>(entries_));
  std::vector<double> losses(static_cast<std::size_t>(blocks_));
  for (Entry& entry : entries) {
    for (double& loss : losses) {
      loss = sums->loss;
      entry.correct += sums->correct;
      ++sums;
    }
    entry.loss = pairwise_sum(losses);
  }
  entries_ = 0;
  return entries;
}

}  // namespace lockstep::runner
