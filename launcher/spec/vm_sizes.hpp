// Azure's VM sizes: what a machine of each has. The project's own table is configs/vm_sizes.yml, whose head says what
// each key means; it is part of the program.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::spec {

// What is nullopt is unknown, but for gpus and fpgas: of these there are none then.
struct VmSize {
  struct Devices {
    int count = 0;
    std::string type;       // "V100"
    double memory_gib = 0;  // of each
    bool operator==(const Devices&) const = default;
  };
  struct Network {
    std::optional<double> gbps;  // all Ethernet together
    std::optional<bool> rdma;
    std::optional<double> infiniband_gbps;  // all ports together
    bool operator==(const Network&) const = default;
  };
  struct Price {
    double usd_per_hour = 0;
    std::string region;
    std::string date;  // 2024-01-31: that day's price
    bool operator==(const Price&) const = default;
  };

  std::string name;    // "Standard_NC24rs_v3"
  std::string family;  // that quotas are counted for: "standardNCSv3Family"
  int vcpus = 0;
  double memory_gib = 0;
  std::optional<Devices> gpus;
  std::optional<Devices> fpgas;
  Network network;
  std::optional<bool> low_priority;
  std::optional<Price> price;
  bool retired = false;
  bool operator==(const VmSize&) const = default;
};

// A table, in the order of its rows. Throws InputErrors with every mistake and its place.
std::vector<VmSize> read_vm_sizes(std::string_view text, const std::string& file_name);

const std::vector<VmSize>& known_vm_sizes();  // the project's table, read at the first call

// Of the project's table, upper or lower case, as Azure takes names; nullptr when it is not there.
const VmSize* find_vm_size(std::string_view name);

std::vector<std::string> families_of(std::span<const VmSize> sizes);  // each once, in the order of the sizes
const std::vector<std::string>& known_vm_families();                  // of the project's table
// As the project's table spells it. Throws bad_input, with the nearest one, when no size is of such a family.
std::string vm_family_named(std::string_view name);

}  // namespace lockstep::spec
