// to_yaml: only what differs from the defaults, in the order in which people write it.
#include <fmt/format.h>

#include <map>
#include <optional>

#include "launcher/spec/read_job.hpp"
#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

namespace {

// A mapping under construction; what is empty or unset is left out.
class Writer {
 public:
  Writer& put(const char* key, YamlNode value) {
    node_.entries.push_back({YamlNode::scalar(key), std::move(value)});
    return *this;
  }
  Writer& put_text(const char* key, const std::string& value) {
    return value.empty() ? *this : put(key, YamlNode::scalar(value));
  }
  Writer& put_number(const char* key, std::optional<int> value, std::optional<int> fallback = std::nullopt) {
    return value && value != fallback ? put(key, YamlNode::scalar(std::to_string(*value), true)) : *this;
  }
  Writer& put_texts(const char* key, const std::map<std::string, std::string>& values) {
    Writer inner;
    for (const auto& [name, value] : values) inner.put(name.c_str(), YamlNode::scalar(value));
    return put_mapping(key, std::move(inner));
  }
  Writer& put_mapping(const char* key, Writer inner) {
    return inner.node_.entries.empty() ? *this : put(key, std::move(inner.node_));
  }
  YamlNode take() { return std::move(node_); }

 private:
  YamlNode node_ = YamlNode::mapping();
};

YamlNode input_node(const Input& input) {
  if (input.is_literal) return YamlNode::scalar(input.literal, true);  // numbers without quotes, as people write them
  Writer writer;
  writer.put("type", YamlNode::scalar(std::string(name_of(input.type)))).put_text("path", input.path);
  writer.put("mode", YamlNode::scalar(std::string(name_of(input.mode))));
  if (input.optional) writer.put("optional", YamlNode::scalar("true", true));
  return writer.put_text("datastore", input.datastore).take();
}

YamlNode output_node(const Output& output) {
  Writer writer;
  writer.put("type", YamlNode::scalar(std::string(name_of(output.type)))).put_text("path", output.path);
  writer.put("mode", YamlNode::scalar(std::string(name_of(output.mode))));
  return writer.put_text("name", output.asset_name).put_text("version", output.asset_version).take();
}

YamlNode environment_node(const EnvironmentSpec& environment) {
  Writer build;
  build.put_text("path", environment.build_path).put_text("dockerfile_path", environment.dockerfile_path);
  Writer writer;
  writer.put_text("name", environment.name).put_text("version", environment.version);
  writer.put_text("description", environment.description).put_text("image", environment.image);
  writer.put_mapping("build", std::move(build)).put_text("conda_file", environment.conda_file);
  if (!environment.conda_inline.empty()) writer.put("conda_file", parse_yaml(environment.conda_inline));
  if (!environment.inference_config.empty()) writer.put("inference_config", parse_yaml(environment.inference_config));
  writer.put_text("os_type", environment.os_type).put_text("datastore", environment.datastore);
  return writer.put_texts("tags", environment.tags).put_texts("properties", environment.properties).take();
}

Writer distribution_writer(const Distribution& distribution) {
  Writer writer;
  if (distribution.type == DistributionType::none) return writer;
  writer.put("type", YamlNode::scalar(std::string(name_of(distribution.type))));
  if (distribution.type == DistributionType::tensorflow)
    return writer.put_number("worker_count", distribution.worker_count)
        .put_number("parameter_server_count", distribution.parameter_server_count, 0);
  return writer.put_number("process_count_per_instance", distribution.process_count_per_instance);
}

Writer resources_writer(const Resources& resources) {
  Writer writer;
  writer.put_number("instance_count", resources.instance_count, 1).put_text("instance_type", resources.instance_type);
  writer.put_text("shm_size", resources.shm_size).put_text("docker_args", resources.docker_args);
  writer.put_texts("properties", resources.properties);
  YamlNode locations;
  locations.kind = YamlNode::Kind::list;
  for (const auto& location : resources.locations) locations.items.push_back(YamlNode::scalar(location));
  if (!locations.items.empty()) writer.put("locations", std::move(locations));
  return writer.put_number("max_instance_count", resources.max_instance_count);
}

YamlNode service_node(const Service& service) {
  Writer writer;
  writer.put_text("type", service.type).put_number("port", service.port).put_text("nodes", service.nodes);
  writer.put_text("log_dir", service.log_dir).put_text("ssh_public_keys", service.ssh_public_keys);
  return writer.put_texts("properties", service.properties).take();
}

// The value of a secret variable never gets here: a reference to it does, also if the value was one already.
Writer variables_writer(const std::map<std::string, std::string>& variables) {
  Writer writer;
  for (const auto& [name, value] : variables)
    writer.put(name.c_str(), YamlNode::scalar(is_secret(name) ? "${{secrets." + name + "}}" : value));
  return writer;
}

template <class Map, class ToNode>
Writer named(const Map& map, ToNode to_node) {
  Writer writer;
  for (const auto& [name, value] : map) writer.put(name.c_str(), to_node(value));
  return writer;
}

}  // namespace

std::string to_yaml(const CommandJob& job) {
  Writer limits;
  limits.put_number("timeout", job.timeout_s);
  Writer identity;
  identity.put_text("type", job.identity_type);
  for (const auto& [key, value] : job.identity) identity.put_text(key.c_str(), value);
  Writer queue;
  queue.put_text("job_tier", job.queue_job_tier).put_text("priority", job.queue_priority);

  Writer root;
  root.put_text("$schema", job.schema).put("type", YamlNode::scalar("command")).put_text("name", job.name);
  root.put_text("display_name", job.display_name).put_text("experiment_name", job.experiment_name);
  root.put_text("description", job.description).put_text("parent_job_name", job.parent_job_name);
  root.put_texts("tags", job.tags).put_texts("properties", job.properties);
  root.put_text("code", job.code).put("command", YamlNode::scalar(job.command));
  root.put_text("preparation", job.preparation);
  root.put_mapping("inputs", named(job.inputs, input_node)).put_mapping("outputs", named(job.outputs, output_node));
  root.put_text("environment", job.environment.reference);
  if (job.environment.reference.empty() && !job.environment.empty())
    root.put("environment", environment_node(job.environment));
  root.put_mapping("environment_variables", variables_writer(job.environment_variables));
  root.put_text("compute", job.compute).put_mapping("distribution", distribution_writer(job.distribution));
  root.put_mapping("resources", resources_writer(job.resources)).put_mapping("limits", std::move(limits));
  root.put_mapping("services", named(job.services, service_node)).put_mapping("identity", std::move(identity));
  root.put_mapping("queue_settings", std::move(queue));
  return emit_yaml(root.take());
}

}  // namespace lockstep::spec
