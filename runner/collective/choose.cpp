// Which collective a process gets, by the variables that launchers set.
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "common/error.hpp"
#include "runner/collective/collective.hpp"

namespace lockstep::runner {

static int number(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr) return otherwise;
  int value = otherwise;
  std::from_chars(text, text + std::strlen(text), value);  // leaves it alone when it is no number
  return value;
}

static bool is_set(const char* name) { return std::getenv(name) != nullptr; }

std::unique_ptr<Collective> make_collective() {
  if (is_set("OMPI_COMM_WORLD_SIZE") || is_set("PMIX_RANK")) return make_mpi_collective();
  const int tasks = is_set("SLURM_STEP_ID") ? number("SLURM_STEP_NUM_TASKS", 1) : 1;
  if (tasks > 1) {
    throw bad_input("srun started {} tasks without PMIx, so each would train alone: use srun --mpi=pmix", tasks);
  }
  return make_single_collective();
}

int rank_of_environment() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID"}) {
    if (is_set(name)) return number(name, 0);
  }
  return 0;
}

}  // namespace lockstep::runner
