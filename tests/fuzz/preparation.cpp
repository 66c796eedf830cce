// Any bytes as what a node says of its preparation, and as Slurm's tables of partitions: they are no preparation, or
// one that is read back from what it is written as; a grace is never negative.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "launcher/entrypoint/preparation.hpp"
#include "launcher/slurm/grace.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  const std::string text(data, data + size);
  if (const auto read = entrypoint::preparation_from_text(text)) {
    if (entrypoint::preparation_from_text(entrypoint::to_text(*read)) != read) std::abort();
    if (read->node < 0 || read->exit_code.value_or(0) < 0) std::abort();
  }
  if (const auto grace = slurm::read_grace(text, text, "")) {
    if (grace->partition.empty() || grace->grace_time_s < 0 || grace->kill_wait_s < 0) std::abort();
  }
  return 0;
}
