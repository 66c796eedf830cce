#include "launcher/spec/compute_keys.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "common/nearest.hpp"
#include "launcher/spec/key_checks.hpp"
#include "launcher/spec/quoted.hpp"
#include "launcher/spec/read_job.hpp"
#include "launcher/spec/scalar.hpp"
#include "launcher/spec/vm_sizes.hpp"

namespace lockstep::spec {

namespace {

using Key = const std::string&;

std::string_view check_any_text(std::string_view) { return ""; }

// A public key of RSA is longer than most lines.
std::string_view check_long_line(std::string_view text) {
  const bool one_line = text.find_first_of("\n\r") == std::string_view::npos;
  return one_line && !text.empty() && text.size() <= 16384 ? "" : "one line of 1 to 16384 bytes";
}

std::string_view check_tier(std::string_view text) { return tier_named(text) ? "" : "dedicated or low_priority"; }

void read_tier(Keys& keys, Key key, ComputeDraft& draft) {
  std::string text = "dedicated";
  keys.optional(key, text, check_tier);
  draft.compute.tier = tier_named(text).value_or(Tier::dedicated);
}

void read_size(Keys& keys, Key key, ComputeDraft& draft) {
  std::string text;
  if (!keys.optional(key, text) || text.empty()) return;
  if (const VmSize* const size = find_vm_size(text)) {
    draft.compute.size = size->name;
    return;
  }
  std::vector<std::string> names;
  for (const VmSize& each : known_vm_sizes()) names.push_back(each.name);
  std::string hint = did_you_mean(text, names);
  if (hint.empty()) hint = "; lockstep compute list-sizes shows them";
  keys.mistakes().add(keys.find(key)->mark,
                      fmt::format("{} {} is none of Azure's VM sizes{}", key, in_quotes(text), hint));
}

void read_tags(Keys& keys, Key key, ComputeDraft& draft) {
  const YamlNode* const tags = keys.find(key);
  if (tags == nullptr) return;
  if (!tags->is_mapping()) keys.expect(*tags, key, "a mapping");
  for (const auto& [name, value] : tags->entries) {
    const std::string path = keys.path_of(key) + "." + shortened(name.text);
    if (const auto wanted = check_any_name(name.text); !wanted.empty()) {
      keys.mistakes().add(name.mark, fmt::format("{} is no name of a tag; expected {}", in_quotes(name.text), wanted));
    } else if (!value.is_scalar() && !value.is_null()) {
      keys.expect(value, path, "text");
    } else {
      draft.compute.tags[name.text] = value.text;
    }
  }
}

// What is recorded is checked, too, as far as Azure's schema is short.
void read_line(Keys& keys, Key key, ComputeDraft&) {
  std::string line;
  keys.optional(key, line, check_long_line);
}

void read_truth(Keys& keys, Key key, ComputeDraft&) {
  bool truth = false;
  keys.optional(key, truth);
}

void read_minutes(Keys& keys, Key key, ComputeDraft&) {
  int minutes = 0;
  keys.optional(key, minutes);
}

void mask(const YamlNode& value, ComputeDraft& draft) {
  if (value.is_scalar()) draft.kept_as[&value] = masked;
  for (const YamlNode& item : value.items) mask(item, draft);
  for (const auto& [key, below] : value.entries) mask(below, draft);
}

void mask_secrets_below(const YamlNode& value, ComputeDraft& draft) {
  for (const YamlNode& item : value.items) mask_secrets_below(item, draft);
  for (const auto& [key, below] : value.entries) {
    if (is_secret(key.text)) {
      mask(below, draft);
    } else {
      mask_secrets_below(below, draft);
    }
  }
}

void read_anything(Keys& keys, Key key, ComputeDraft& draft) {
  const YamlNode* const value = keys.find(key);
  if (value == nullptr) return;
  if (!value->is_mapping() && !value->is_list()) keys.expect(*value, keys.path_of(key), "a mapping or a list");
  mask_secrets_below(*value, draft);
}

std::string_view check_identity(std::string_view text) {
  for (const char* word : {"system_assigned", "user_assigned", "systemassigned", "userassigned", "none",
                           "system_assigned,user_assigned", "systemassigned,userassigned"})
    if (equal_ignoring_case(word, text)) return "";
  return "system_assigned, user_assigned or none";
}

void read_identity(Keys& keys, Key key, ComputeDraft& draft) {
  keys.mapping(key, [&](Keys& identity) {
    std::string type;
    identity.optional("type", type, check_identity);
    read_line(identity, "principal_id", draft);
    identity.mappings("user_assigned_identities", [&](Keys& each) {
      for (const char* id : {"resource_id", "client_id", "principal_id"}) read_line(each, id, draft);
    });
  });
}

void read_network_settings(Keys& keys, Key key, ComputeDraft& draft) {
  keys.mapping(key, [&](Keys& network) {
    for (const char* each : {"vnet_name", "subnet"}) read_line(network, each, draft);
  });
}

void read_create_on_behalf_of(Keys& keys, Key key, ComputeDraft& draft) {
  keys.mapping(key, [&](Keys& user) {
    for (const char* each : {"user_tenant_id", "user_object_id"}) read_line(user, each, draft);
  });
}

void read_password(Keys& keys, Key key, ComputeDraft& draft) {
  const YamlNode* const value = keys.find(key);
  if (value == nullptr) return;
  draft.kept_as[value] = masked;
  if (!value->is_scalar() || value->text.empty())
    keys.mistakes().add(value->mark, keys.path_of(key) + " must be text that is not empty");
}

void read_ssh_settings(Keys& keys, Key key, ComputeDraft& draft) {
  keys.mapping(key, [&](Keys& ssh) {
    for (const char* each : {"admin_username", "ssh_key_value"}) read_line(ssh, each, draft);
    read_password(ssh, "admin_password", draft);
    int port = 0;
    ssh.optional("ssh_port", port, Range{1, 65535});
    fs::path private_key;
    read_path(ssh, "ssh_private_key_file", draft, private_key);
  });
}

constexpr unsigned of_azures_own = of_cluster | of_instance;

constexpr ComputeKey keys_of_computes[] = {
    {"$schema", of_all, false, read_line},
    {"description", of_all, false,
     [](Keys& keys, Key key, ComputeDraft& draft) { keys.optional(key, draft.compute.description, check_any_text); }},
    {"tags", of_all, false, read_tags},
    {"location", of_all, false,
     [](Keys& keys, Key key, ComputeDraft& draft) { keys.optional(key, draft.compute.location); }},
    {"size", of_all, false, read_size},
    {"tier", of_cluster, false, read_tier},
    {"min_instances", of_cluster, false,
     [](Keys& keys, Key key, ComputeDraft& draft) {
       keys.optional(key, draft.compute.min_instances, Range{0, 1'000'000});
     }},
    {"max_instances", of_cluster, false,
     [](Keys& keys, Key key, ComputeDraft& draft) {
       keys.optional(key, draft.compute.max_instances, Range{1, 1'000'000});
     }},
    {"idle_time_before_scale_down", of_cluster, false,
     [](Keys& keys, Key key, ComputeDraft& draft) {
       keys.optional(key, draft.compute.idle_time_before_scale_down, Range{0, 100'000'000});
     }},
    {"resource_id", of_all, true, read_line},
    {"identity", of_azures_own, true, read_identity},
    {"network_settings", of_azures_own, true, read_network_settings},
    {"ssh_settings", of_all, true, read_ssh_settings},
    {"ssh_public_access_enabled", of_azures_own, true, read_truth},
    {"enable_node_public_ip", of_azures_own, true, read_truth},
    {"schedules", of_instance, true, read_anything},
    {"create_on_behalf_of", of_instance, true, read_create_on_behalf_of},
    {"idle_time_before_shutdown", of_instance, true, read_line},
    {"idle_time_before_shutdown_minutes", of_instance, true, read_minutes},
    {"setup_scripts", of_instance, true, read_anything},
    {"custom_applications", of_instance, true, read_anything},
    {"enable_sso", of_instance, true, read_truth},
    {"enable_root_access", of_instance, true, read_truth},
    {"enable_os_patching", of_instance, true, read_truth},
    {"release_quota_on_stop", of_instance, true, read_truth},
};

}  // namespace

std::span<const ComputeKey> compute_keys() { return keys_of_computes; }

void read_path(Keys& keys, const std::string& key, ComputeDraft& draft, fs::path& path) {
  constexpr std::size_t longest = 4096;
  const YamlNode* const value = keys.find(key);
  if (value == nullptr) return;
  std::string text = value->text;
  if (text.starts_with("~/")) {
    const char* const home = std::getenv("HOME");
    if (home == nullptr || *home == '\0')
      return keys.mistakes().add(value->mark, fmt::format("{} begins with ~, and HOME is not set", keys.path_of(key)));
    text = home + text.substr(1);
  } else if (text.starts_with("~")) {
    return keys.expect(*value, keys.path_of(key), "a path; of ~ only ~/ is known");
  }
  const fs::path absolute = (draft.folder / text).lexically_normal();
  if (!value->is_scalar() || text.empty() || absolute.native().find_first_of("\n\r") != std::string::npos ||
      absolute.native().size() > longest)
    return keys.expect(*value, keys.path_of(key), "a path of at most 4096 bytes in one line");
  path = absolute;
  draft.kept_as[value] = absolute.string();
}

}  // namespace lockstep::spec
