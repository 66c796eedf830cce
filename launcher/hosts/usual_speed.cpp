#include "launcher/hosts/usual_speed.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::hosts {

namespace {
constexpr std::size_t looks_kept = 20;
constexpr std::size_t looks_needed = 3;

using Looks = std::map<std::string, std::vector<double>>;

// What is no such file is as good as none: the speeds are learned anew.
Looks read(const fs::path& path) {
  Looks looks;
  const auto object = nlohmann::json::parse(read_file_if_exists(path).value_or(""), nullptr, false);
  if (!object.is_object()) return looks;
  for (const auto& [address, list] : object.items()) {
    if (!list.is_array()) continue;
    for (const auto& each : list) {
      if (each.is_number() && std::isfinite(each.get<double>())) looks[address].push_back(each.get<double>());
    }
  }
  return looks;
}
}  // namespace

std::map<std::string, double> usual_speeds(const Workspace& workspace, const std::string& compute) {
  std::map<std::string, double> usual;
  for (auto& [address, looks] : read(workspace.speeds_file(compute))) {
    if (looks.size() < looks_needed) continue;
    std::nth_element(looks.begin(), looks.begin() + static_cast<std::ptrdiff_t>(looks.size() / 2), looks.end());
    usual[address] = looks[looks.size() / 2];
  }
  return usual;
}

void learn_speeds(const Workspace& workspace, const std::string& compute, const std::map<std::string, double>& speeds) {
  const FileLock lock = FileLock::take(workspace.computes() / "speeds.lock");
  Looks looks = read(workspace.speeds_file(compute));
  for (const auto& [address, speed] : speeds) {
    auto& list = looks[address];
    list.push_back(speed);
    if (list.size() > looks_kept) list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(looks_kept));
  }
  write_file_atomically(workspace.speeds_file(compute), nlohmann::json(looks).dump() + "\n");
}

}  // namespace lockstep::hosts
