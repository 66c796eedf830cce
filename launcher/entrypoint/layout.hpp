// Which process of a job does what, and on which node. Pure: who plans a run and each of its ranks compute the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lockstep::entrypoint {

// How the processes of a job find each other. `mpi`: by the launcher's own variables, which stay (Horovod's way, too).
enum class Toolkit { none, mpi, pytorch, tensorflow };
std::string_view name_of(Toolkit toolkit);
Toolkit toolkit_named(std::string_view name);  // bad_input

// What a process of a TensorFlow job is for. In every other job all are workers.
enum class Role { worker, parameter_server };
std::string_view name_of(Role role);  // as TF_CONFIG has it: worker, ps

struct Layout {
  Toolkit toolkit = Toolkit::mpi;
  int nodes = 1;
  int per_node = 1;  // processes on each node; of TensorFlow's jobs the next two count instead
  int workers = 1;
  int parameter_servers = 0;
};

struct Task {
  Role role = Role::worker;
  int index = 0;  // among those of its role, over all nodes
  int node = 0;
  int local_rank = 0;  // among those of its node
};

// By rank: node after node, and on each the workers first, so that rank 0 is worker 0. TensorFlow's workers fill the
// nodes in order; its parameter servers go round, beginning with the nodes that no worker is left for.
std::vector<Task> tasks_of(const Layout& layout);

}  // namespace lockstep::entrypoint
