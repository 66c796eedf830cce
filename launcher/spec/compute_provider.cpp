// `engine.provider`: who makes a cluster's nodes. `engine.nodes_of`: whose nodes it shares.
#include <fmt/format.h>

#include "launcher/spec/compute_keys.hpp"
#include "launcher/spec/key_checks.hpp"

namespace lockstep::spec {

namespace {

std::string_view check_provider(std::string_view text) {
  return text == "local" || text == "command" ? "" : "local or command";
}

void read_provider(Keys& keys, const Compute& compute, NodeProvider& provider) {
  std::string type;
  keys.required("type", type, check_provider);
  provider.is_local = type == "local";
  if (type == "command") {
    keys.required("create", provider.create, check_command);
    keys.required("delete", provider.remove, check_command);
    keys.optional("tries", provider.tries, Range{1, 100});
    if (compute.size.empty())
      keys.refuse("type",
                  "the machines that a command makes need a 'size', so that Slurm knows them before they are "
                  "there");
  } else {
    constexpr int local_timeout_s = 60;
    provider.timeout_s = local_timeout_s;
  }
  keys.optional("timeout", provider.timeout_s, Range{5, 24 * 3600});
  keys.optional("retry_after", provider.retry_after_s, Range{1, 24 * 3600});
}

}  // namespace

void read_scaling(Keys& engine, const Compute& compute, SlurmEngine& slurm) {
  engine.mapping("provider", [&](Keys& keys) { read_provider(keys, compute, slurm.provider.emplace()); });
  engine.optional("nodes_of", slurm.nodes_of, check_compute_name);
  if (slurm.provider && !slurm.nodes_of.empty())
    engine.refuse("nodes_of", "the compute has nodes of its own, by engine.provider, or those of another: not both");
  if (!slurm.scales()) return;
  const char* const by = slurm.provider ? "provider" : "nodes_of";
  if (compute.type != ComputeType::amlcompute) engine.refuse(by, "only an amlcompute has nodes that come and go");
  if (slurm.nodes_of == compute.name) engine.refuse("nodes_of", "these are its own; name another compute");
  if (slurm.partition.empty()) {
    slurm.partition = compute.name;
  } else {
    engine.refuse("partition", "its partition has the compute's own name: leave engine.partition out");
  }
}

}  // namespace lockstep::spec
