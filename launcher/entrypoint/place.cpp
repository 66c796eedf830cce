#include <algorithm>
#include <charconv>
#include <string_view>

#include "common/error.hpp"
#include "launcher/entrypoint/entrypoint.hpp"

namespace lockstep::entrypoint {

namespace {
// A launcher's words for where a rank stands. node and node_count are missing where a launcher does not tell them.
struct Dialect {
  const char* mark;  // the dialect is spoken when this variable is there
  const char* rank;
  const char* size;
  const char* local_rank;
  const char* local_size;
  const char* node;
  const char* node_count;
};

// In the order of trust: the innermost launcher first, as mpirun may run inside of a Slurm step.
// OMPI_COMM_WORLD_NODE_RANK is no node's number: it is a local rank counted over all jobs of the node.
// SLURM_PROCID alone means nothing: a batch script has it too; only a step of srun has SLURM_STEP_NUM_TASKS.
constexpr Dialect dialects[] = {
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE", nullptr, "OMPI_MCA_orte_num_nodes"},
    {"PMI_RANK", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", nullptr, nullptr},
    {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", nullptr, "SLURM_NODEID",
     "SLURM_STEP_NUM_NODES"},
    {"PMIX_RANK", "PMIX_RANK", "PMIX_SIZE", nullptr, nullptr, nullptr, nullptr},
};
// PyTorch's words. Believed outside of a run only: inside of one they may be an export of the submitting shell.
constexpr Dialect torch{"RANK", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK", nullptr};

std::optional<int> number(const Environment& environment, const char* name, int least) {
  const auto found = name == nullptr ? environment.end() : environment.find(name);
  if (found == environment.end()) return std::nullopt;
  const std::string& text = found->second;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least) {
    throw bad_input("{}='{}' is no number of at least {}: this process can't tell which rank it is", name, text, least);
  }
  return value;
}

int divided_up(int value, int by) { return (value + by - 1) / by; }

RankPlace read_place(const Environment& environment, const Dialect& words) {
  RankPlace place;
  place.rank = number(environment, words.rank, 0).value_or(0);
  place.size = number(environment, words.size, 1).value_or(place.rank + 1);
  if (place.rank >= place.size) {
    throw bad_input("{}={} is not below {}={}: this process can't tell which rank it is", words.rank, place.rank,
                    words.size, place.size);
  }
  // Without a word about nodes: one node. With a local size alone: nodes are filled in the order of ranks.
  place.local_size = number(environment, words.local_size, 1).value_or(place.size);
  place.node_count =
      number(environment, words.node_count, 1).value_or(divided_up(place.size, std::max(1, place.local_size)));
  if (words.local_size == nullptr && place.node_count > 1) {
    place.local_size = divided_up(place.size, place.node_count);
  }
  place.local_rank = number(environment, words.local_rank, 0).value_or(place.rank % place.local_size);
  place.node = number(environment, words.node, 0).value_or(place.node_count > 1 ? place.rank / place.local_size : 0);
  return place;
}

RankPlace find_launchers_place(const Environment& environment) {
  for (const Dialect& each : dialects) {
    if (environment.contains(each.mark)) return read_place(environment, each);
  }
  if (environment.contains(torch.mark) && !environment.contains("LOCKSTEP_RUN_DIR")) {
    return read_place(environment, torch);
  }
  return {};
}

// Nodes and tasks as the options have them: whoever started the ranks may have put several nodes on one machine.
void take_task(RankPlace& place, const Options& options) {
  const int workers = options.workers > 0 ? options.workers : place.size - options.parameter_servers;
  if (workers + options.parameter_servers != place.size || workers < 1 || options.nodes < 1) {
    throw bad_input("{} workers and {} parameter servers are not the {} processes that were started", workers,
                    options.parameter_servers, place.size);
  }
  place.tasks = tasks_of({.toolkit = Toolkit::tensorflow,
                          .nodes = options.nodes,
                          .workers = workers,
                          .parameter_servers = options.parameter_servers});
  const Task& mine = place.tasks.at(static_cast<std::size_t>(place.rank));
  place.node = mine.node;
  place.node_count = options.nodes;
  place.local_rank = mine.local_rank;
  place.local_size = static_cast<int>(
      std::count_if(place.tasks.begin(), place.tasks.end(), [&](const Task& each) { return each.node == mine.node; }));
}
}  // namespace

RankPlace find_place(const Environment& environment, const Options& options) {
  RankPlace place = find_launchers_place(environment);
  place.has_peers = place.node_count > 1;
  place.toolkit = options.toolkit;
  if (options.toolkit == Toolkit::tensorflow) {
    take_task(place, options);
  } else if (options.procs_per_node) {
    const int procs_per_node = *options.procs_per_node;
    if (procs_per_node < 1) throw bad_input("--procs-per-node must be at least 1, not {}", procs_per_node);
    place.node = place.rank / procs_per_node;
    place.local_rank = place.rank % procs_per_node;
    place.node_count = divided_up(place.size, procs_per_node);
    place.local_size = std::min(procs_per_node, place.size - place.node * procs_per_node);
  }
  return place;
}

}  // namespace lockstep::entrypoint
