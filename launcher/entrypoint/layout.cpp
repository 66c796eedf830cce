#include "launcher/entrypoint/layout.hpp"

#include <algorithm>
#include <array>

#include "common/error.hpp"

namespace lockstep::entrypoint {

static constexpr std::array<std::string_view, 4> toolkit_names = {"none", "mpi", "pytorch", "tensorflow"};

std::string_view name_of(Toolkit toolkit) { return toolkit_names.at(static_cast<std::size_t>(toolkit)); }

Toolkit toolkit_named(std::string_view name) {
  const auto* const found = std::find(toolkit_names.begin(), toolkit_names.end(), name);
  if (found == toolkit_names.end()) throw bad_input("no toolkit '{}' (none, mpi, pytorch, tensorflow)", name);
  return static_cast<Toolkit>(found - toolkit_names.begin());
}

std::string_view name_of(Role role) { return role == Role::worker ? "worker" : "ps"; }

static std::vector<Task> tensorflow_tasks(const Layout& layout) {
  const bool enough = layout.workers >= layout.nodes;
  std::vector<Task> tasks;
  for (int i = 0; i < layout.workers; ++i) {
    tasks.push_back({Role::worker, i, enough ? i * layout.nodes / layout.workers : i});
  }
  for (int i = 0; i < layout.parameter_servers; ++i) {
    tasks.push_back({Role::parameter_server, i, (enough ? i : layout.workers + i) % layout.nodes});
  }
  std::stable_sort(tasks.begin(), tasks.end(), [](const Task& a, const Task& b) { return a.node < b.node; });
  return tasks;
}

std::vector<Task> tasks_of(const Layout& layout) {
  std::vector<Task> tasks;
  if (layout.toolkit == Toolkit::tensorflow) {
    tasks = tensorflow_tasks(layout);
  } else {
    for (int i = 0; i < layout.nodes * layout.per_node; ++i) tasks.push_back({Role::worker, i, i / layout.per_node});
  }
  std::vector<int> on_node(static_cast<std::size_t>(layout.nodes));
  for (Task& task : tasks) task.local_rank = on_node.at(static_cast<std::size_t>(task.node))++;
  return tasks;
}

}  // namespace lockstep::entrypoint
