#include "launcher/entrypoint/network.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "common/embedded.hpp"
#include "common/error.hpp"

namespace lockstep::entrypoint {

namespace {
constexpr std::uint64_t longest_file = 1 << 20;

std::string text_at(const fs::path& file) {
  try {
    return read_file_if_exists(file, longest_file).value_or("");
  } catch (const Error&) {  // the kernel refuses some
    return "";
  }
}

// /proc/net/route: a line for each route, of which the default one has destination 0. The least metric counts.
std::string default_interface(const fs::path& root) {
  std::istringstream routes(text_at(root / "proc/net/route"));
  std::string line;
  std::getline(routes, line);  // heading
  std::string best;
  long best_metric = -1;
  while (std::getline(routes, line)) {
    std::istringstream columns(line);
    std::string interface;
    std::string destination;
    std::string skipped;
    long metric = 0;
    columns >> interface >> destination >> skipped >> skipped >> skipped >> skipped >> metric;
    if (!columns || destination != "00000000" || (best_metric >= 0 && metric >= best_metric)) continue;
    best = interface;
    best_metric = metric;
  }
  return best;
}

template <class Visit>
void for_each_in(const fs::path& folder, const Visit& visit) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) visit(entry->path());
}

// A port of an adapter that is InfiniBand (not Ethernet, as RoCE's are) and up.
bool has_infiniband(const fs::path& root) {
  bool found = false;
  for_each_in(root / "sys/class/infiniband", [&](const fs::path& adapter) {
    for_each_in(adapter / "ports", [&](const fs::path& port) {
      found = found || (text_at(port / "link_layer").starts_with("InfiniBand") &&
                        text_at(port / "state").find("ACTIVE") != std::string::npos);
    });
  });
  return found;
}

bool fits_word(const nlohmann::json& when, const char* key, bool is_so) {
  const auto wanted = when.find(key);
  return wanted == when.end() || wanted->get<bool>() == is_so;
}

bool fits_size(const nlohmann::json& when, const std::string& vm_size) {
  const auto wanted = when.find("vm_size");
  if (wanted == when.end()) return true;
  return std::any_of(wanted->begin(), wanted->end(), [&](const nlohmann::json& pattern) {
    return ::fnmatch(pattern.get<std::string>().c_str(), vm_size.c_str(), FNM_CASEFOLD) == 0;
  });
}

bool fits(const nlohmann::json& when, const Node& node) {
  const auto machines = when.find("machines");
  if (machines != when.end() && (machines->get<std::string>() == "several") != node.has_peers) return false;
  return fits_word(when, "gpus", node.has_gpus) && fits_word(when, "infiniband", node.has_infiniband) &&
         fits_size(when, node.vm_size);
}

// nullopt when the node has no interface to put in.
std::optional<std::string> filled_in(std::string value, const Node& node) {
  constexpr std::string_view hole = "${interface}";
  const std::size_t at = value.find(hole);
  if (at == std::string::npos) return value;
  if (node.interface.empty()) return std::nullopt;
  return value.replace(at, hole.size(), node.interface);
}

void add(std::vector<Setting>& settings, Setting setting) {
  const auto same =
      std::find_if(settings.begin(), settings.end(), [&](auto& each) { return each.name == setting.name; });
  if (same == settings.end()) {
    settings.push_back(std::move(setting));
  } else {
    *same = std::move(setting);
  }
}
}  // namespace

std::span<const EmbeddedFile> network_tables();  // cmake/embed.cmake makes it

std::string_view network_table() { return network_tables().front().bytes; }

Node look_at_node(const Environment& environment, bool has_peers, const fs::path& root) {
  std::error_code ignored;
  return {.vm_size = value_of(environment, "LOCKSTEP_VM_SIZE"),
          .interface = default_interface(root),
          .has_infiniband = has_infiniband(root),
          .has_gpus = fs::exists(root / "dev/nvidia0", ignored),
          .has_peers = has_peers};
}

std::vector<Setting> settings_for(const Node& node, std::string_view table, const Environment& environment,
                                  const fs::path& root) {
  std::vector<Setting> settings;
  try {
    for (const auto& row : nlohmann::json::parse(table)) {
      if (!fits(row.at("when"), node)) continue;
      const std::string file = row.value("if_file", "");
      std::error_code ignored;
      if (!file.empty() && !fs::exists(root / fs::path(file).relative_path(), ignored)) continue;
      for (const auto& [name, value] : row.at("set").items()) {
        const auto text = filled_in(value.get<std::string>(), node);
        if (text && !environment.contains(name)) add(settings, {name, *text, row.at("why").get<std::string>()});
      }
    }
  } catch (const nlohmann::json::exception& error) {
    throw failure("this is no table of network settings: {}", error.what());
  }
  return settings;
}

}  // namespace lockstep::entrypoint
