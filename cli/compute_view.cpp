#include "cli/compute_view.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/job_json.hpp"
#include "cli/text_table.hpp"

namespace lockstep::cli {

namespace {

constexpr int usual_idle_time_s = 120;  // Azure's default

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

// A cluster has as many as it has, unless the definition says otherwise.
std::optional<int> max_instances_of(const spec::Compute& compute) {
  if (compute.max_instances || compute.slurm) return compute.max_instances;
  return compute.hosts ? static_cast<int>(compute.hosts->hosts.size()) : 1;
}

std::string instances_text(const spec::Compute& compute) {
  const auto most = max_instances_of(compute);
  return most ? fmt::format("{}-{}", compute.min_instances, *most) : "";
}

Json provider_json(const spec::SlurmEngine& engine) {
  if (!engine.provider) return nullptr;
  const spec::NodeProvider& provider = *engine.provider;
  Json json = {{"type", provider.is_local ? "local" : "command"},
               {"timeout", provider.timeout_s},
               {"retry_after", provider.retry_after_s}};
  if (!provider.is_local)
    json.update({{"create", provider.create}, {"delete", provider.remove}, {"tries", provider.tries}});
  return json;
}

Json slurm_json(const spec::SlurmEngine& engine) {
  return {{"type", "slurm"},
          {"config_file", text_or_null(engine.config_file.string())},
          {"partition", text_or_null(engine.partition)},
          {"account", text_or_null(engine.account)},
          {"qos", text_or_null(engine.qos)},
          {"constraint", text_or_null(engine.constraint)},
          {"license", text_or_null(engine.license)},
          {"options", engine.options},
          {"shared_files", engine.shared_files},
          {"scratch", engine.scratch.string()},
          {"provider", provider_json(engine)},
          {"nodes_of", text_or_null(engine.nodes_of)}};
}

Json engine_json(const spec::Compute& compute) {
  if (compute.slurm) return slurm_json(*compute.slurm);
  const auto& engine = compute.hosts;
  if (!engine) return nullptr;
  Json hosts = Json::array();
  for (const spec::Host& each : engine->hosts)
    hosts.push_back({{"name", each.name}, {"address", each.address}, {"slots", api::optional_json(each.slots)}});
  const spec::SshAccess& ssh = engine->ssh;
  return {{"type", "hosts"},
          {"hosts", hosts},
          {"ssh",
           {{"user", text_or_null(ssh.user)},
            {"port", api::optional_json(ssh.port)},
            {"identity_file", text_or_null(ssh.identity_file.string())},
            {"config_file", text_or_null(ssh.config_file.string())},
            {"strict_host_key_checking", text_or_null(ssh.strict_host_key_checking)}}},
          {"shared_files", engine->shared_files},
          {"scratch", engine->scratch.string()}};
}

std::string counted(std::size_t count, const char* thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

}  // namespace

Json compute_json(const spec::Compute& compute) {
  Json json = {{"name", compute.name},
               {"type", spec::name_of(compute.type)},
               {"description", text_or_null(compute.description)},
               {"tags", compute.tags},
               {"location", text_or_null(compute.location)},
               {"size", text_or_null(compute.size)}};
  if (compute.type == spec::ComputeType::amlcompute) {
    json["tier"] = spec::name_of(compute.tier);
    json["min_instances"] = compute.min_instances;
    json["max_instances"] = api::optional_json(max_instances_of(compute));
    json["idle_time_before_scale_down"] = compute.idle_time_before_scale_down.value_or(usual_idle_time_s);
  }
  json["provisioning_state"] = "Succeeded";
  json["recorded"] = compute.recorded;
  json["engine"] = engine_json(compute);
  if (!json["engine"].is_null()) {
    json["engine"]["node_preparation"] = text_or_null(compute.node_preparation);
    json["engine"]["node_preparation_timeout"] = compute.node_preparation_timeout_s;
    json["engine"]["network_check"] = compute.network_check;
  }
  return json;
}

Json local_compute_json(const plan::LocalCompute& machine) {
  return {{"name", "local"}, {"type", "local"}, {"slots", machine.slots}, {"provisioning_state", "Succeeded"}};
}

std::string compute_table(const plan::LocalCompute& machine, const std::vector<spec::Compute>& computes,
                          const Terminal& terminal) {
  const std::string slots = "this machine, " + counted(static_cast<std::size_t>(machine.slots), "slot");
  std::vector<std::vector<std::string>> rows = {{"local", "local", "", "", "", slots, ""}};
  for (const spec::Compute& each : computes) {
    const bool scales = each.type == spec::ComputeType::amlcompute;
    rows.push_back({each.name, std::string(spec::name_of(each.type)), each.size,
                    scales ? std::string(spec::name_of(each.tier)) : "", scales ? instances_text(each) : "",
                    each.slurm   ? std::string("Slurm")
                    : each.hosts ? counted(each.hosts->hosts.size(), "host")
                                 : "none",
                    each.description});
  }
  return text_table({{"NAME"},
                     {"TYPE"},
                     {"SIZE", false, true},
                     {"TIER"},
                     {"INSTANCES", true, false},
                     {"ENGINE"},
                     {"DESCRIPTION", false, true}},
                    rows, terminal);
}

std::vector<std::string> notes_on(const spec::Compute& compute) {
  std::vector<std::string> notes;
  if (!compute.recorded.empty())
    notes.push_back(fmt::format("{}: recorded, without effect here", fmt::join(compute.recorded, ", ")));
  if (!compute.hosts && !compute.slurm)
    notes.push_back(
        fmt::format("{} is recorded; no job can run there until it has an engine: docs/compute.md", compute.name));
  return notes;
}

}  // namespace lockstep::cli
