#include <fmt/format.h>

#include <algorithm>

#include "launcher/spec/cross_checks.hpp"
#include "launcher/spec/key_table.hpp"
#include "launcher/spec/quoted.hpp"

namespace lockstep::spec {

namespace {

const Mark& mark_of_key(const YamlNode& mapping, std::string_view key) {
  const auto entry = std::ranges::find_if(mapping.entries, [&](const auto& each) { return each.key.text == key; });
  return entry == mapping.entries.end() ? mapping.mark : entry->key.mark;
}

// `key` has a meaning only if the `type` beside it is one of `types`; `row` is that type's row of the table.
// a; a or b; a, b or c
std::string alternatives(std::initializer_list<std::string_view> words) {
  std::string text;
  for (const auto* each = words.begin(); each != words.end(); ++each) {
    if (each != words.begin()) text += each + 1 == words.end() ? " or " : ", ";
    text += *each;
  }
  return text;
}

void belongs_to(const YamlNode& mapping, std::string_view key, std::string_view row,
                std::initializer_list<std::string_view> types, Mistakes& mistakes) {
  const YamlNode* type = mapping.find("type");
  if (!mapping.find(key) || !type || !type->is_scalar()) return;
  const auto rows = job_keys();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const KeyRow& each) { return each.path == row; });
  const std::string_view meaning = found == rows.end() ? "" : meaning_of(*found, type->text);
  // A type that is no type was complained of already.
  if (meaning.empty() || std::find(types.begin(), types.end(), meaning) != types.end()) return;
  mistakes.add(mark_of_key(mapping, key),
               fmt::format("'{}' belongs to type {}, and the type here is {}", key, alternatives(types), meaning));
}

void check_input(const std::string& name, const YamlNode& node, const Input& input, Mistakes& mistakes) {
  if (!node.is_mapping()) return;
  const std::string shown = "inputs." + name;
  const YamlNode* value = node.find("value");
  if (value) {
    for (const auto& [key, ignored] : node.entries)
      if (key.text != "value")
        mistakes.add(key.mark, fmt::format("'{}' can't stand beside 'value', which makes {} a literal",
                                           shortened(key.text), shown));
    return;
  }
  const YamlNode* type = node.find("type");
  const bool primitive =
      type && type->is_scalar() &&
      (type->text == "string" || type->text == "integer" || type->text == "number" || type->text == "boolean");
  if (primitive) {
    mistakes.add(type->mark, fmt::format("a job gives the value itself, without a type: '{}: <value>'", name));
  } else if (!node.find("path") && !input.optional) {
    mistakes.add(node.mark, fmt::format("missing key 'path' in {}", shown));
  }
  const bool eval = input.mode == InputMode::eval_mount || input.mode == InputMode::eval_download;
  if (const YamlNode* mode = node.find("mode"); mode && eval && input.type != AssetType::mltable)
    mistakes.add(mode->mark, fmt::format("{}.mode {} is for type mltable only", shown, name_of(input.mode)));
}

}  // namespace

void check_combinations(const YamlNode& root, const CommandJob& job, Mistakes& mistakes) {
  if (const YamlNode* distribution = root.find("distribution")) {
    belongs_to(*distribution, "process_count_per_instance", "distribution.type", {"mpi", "pytorch", "horovod"},
               mistakes);
    belongs_to(*distribution, "worker_count", "distribution.type", {"tensorflow"}, mistakes);
    belongs_to(*distribution, "parameter_server_count", "distribution.type", {"tensorflow"}, mistakes);
  }
  if (const YamlNode* identity = root.find("identity"))
    for (const char* key : {"client_id", "object_id", "msi_resource_id"})
      belongs_to(*identity, key, "identity.type", {"managed"}, mistakes);
  if (const YamlNode* services = root.find("services")) {
    for (const auto& [name, service] : services->entries) {
      belongs_to(service, "log_dir", "services.*.type", {"tensor_board"}, mistakes);
      belongs_to(service, "ssh_public_keys", "services.*.type", {"ssh"}, mistakes);
    }
  }
  if (const YamlNode* environment = root.find("environment"))
    if (environment->find("image") && environment->find("build"))
      mistakes.add(mark_of_key(*environment, "build"), "environment takes 'image' or 'build', not both");
  if (const YamlNode* inputs = root.find("inputs")) {
    for (const auto& [name, node] : inputs->entries) {
      const auto input = job.inputs.find(name.text);
      if (input != job.inputs.end()) check_input(shortened(name.text), node, input->second, mistakes);
    }
  }
}

}  // namespace lockstep::spec
