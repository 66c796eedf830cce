// Quotas: how many vCPUs of a family of VM sizes may be in use at a time, as in Azure; dedicated and low-priority ones
// are counted apart. A workspace's are in one file of YAML, which docs/quotas.md describes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/spec/compute.hpp"

namespace lockstep::spec {

constexpr int most_cores = 1'000'000;  // that a quota may allow

struct Quota {
  std::string family = {};  // as the table of VM sizes spells it
  Tier tier = Tier::dedicated;
  int limit = 0;  // vCPUs; 0: none
  bool operator==(const Quota&) const = default;
};

// In the order of the file. Throws InputErrors with every mistake and its place: an unknown key or family, a limit that
// is no number of cores, a quota that is there twice. An empty list is fine; an empty file is not.
std::vector<Quota> read_quotas(std::string_view text, const std::string& file_name);
std::string quotas_as_yaml(const std::vector<Quota>& quotas);  // what read_quotas takes

// nullopt: there is no such quota, and so no limit.
std::optional<int> limit_of(const std::vector<Quota>& quotas, std::string_view family, Tier tier);

}  // namespace lockstep::spec
