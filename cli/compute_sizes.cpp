#include "cli/compute_sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "api/job_json.hpp"
#include "cli/output.hpp"
#include "cli/text_table.hpp"
#include "common/error.hpp"
#include "common/nearest.hpp"
#include "launcher/spec/scalar.hpp"

namespace lockstep::cli {

namespace {

std::string_view type_of(const spec::VmSize& size) { return size.gpus ? "gpu" : size.fpgas ? "fpga" : "cpu"; }

// "nd" is no part of "Standard_NC6": what all names begin with counts only where it was begun.
bool has_part(const std::string& name, const std::string& part) {
  constexpr std::string_view prefix = "standard_";
  const std::string begun = spec::lower_case(part);
  std::string rest = spec::lower_case(name);
  if (!begun.starts_with("standard") && rest.starts_with(prefix)) rest.erase(0, prefix.size());
  return rest.find(begun) != std::string::npos;
}

Json devices_json(const std::optional<spec::VmSize::Devices>& devices) {
  if (!devices) return nullptr;
  return {{"type", devices->type}, {"memory_gib", devices->memory_gib}};
}

std::string devices_text(const spec::VmSize& size) {
  const auto& devices = size.gpus ? size.gpus : size.fpgas;
  if (!devices) return "";
  return fmt::format("{}x {} {:g} GiB", devices->count, devices->type, devices->memory_gib);
}

std::string network_text(const spec::VmSize::Network& network) {
  std::string text;
  if (network.gbps) text = fmt::format("{:g} Gb/s", *network.gbps);
  std::string fast;
  if (network.infiniband_gbps) {
    fast = fmt::format("InfiniBand {:g} Gb/s", *network.infiniband_gbps);
  } else if (network.rdma.value_or(false)) {
    fast = "RDMA";
  }
  return text + (text.empty() || fast.empty() ? "" : ", ") + fast;
}

std::string price_text(const spec::VmSize& size) {
  if (size.retired) return "retired";
  if (!size.price) return "";
  return fmt::format("${:g}/h, {}, {}", size.price->usd_per_hour, size.price->region, size.price->date);
}

}  // namespace

std::vector<spec::VmSize> chosen_sizes(std::span<const spec::VmSize> sizes, const SizeFilter& filter) {
  const auto families = spec::families_of(sizes);
  const auto is_family = [&](const std::string& each) { return spec::equal_ignoring_case(each, filter.family); };
  if (!filter.family.empty() && std::none_of(families.begin(), families.end(), is_family))
    throw bad_input("no VM size is of the family '{}'{}", filter.family, did_you_mean(filter.family, families));
  std::vector<spec::VmSize> chosen;
  for (const auto& each : sizes) {
    if (!filter.type.empty() && type_of(each) != filter.type) continue;
    if (!filter.family.empty() && !is_family(each.family)) continue;
    if (has_part(each.name, filter.part)) chosen.push_back(each);
  }
  return chosen;
}

Json size_json(const spec::VmSize& size) {
  Json price = nullptr;
  if (size.price) {
    price = {{"usd_per_hour", size.price->usd_per_hour}, {"region", size.price->region}, {"date", size.price->date}};
  }
  return {{"name", size.name},
          {"family", size.family},
          {"v_cp_us", size.vcpus},
          {"gpus", size.gpus ? size.gpus->count : 0},
          {"memory_gb", size.memory_gib},
          {"low_priority_capable", api::optional_json(size.low_priority)},
          {"gpu", devices_json(size.gpus)},
          {"fpgas", size.fpgas ? size.fpgas->count : 0},
          {"fpga", devices_json(size.fpgas)},
          {"network",
           {{"gbps", api::optional_json(size.network.gbps)},
            {"rdma", api::optional_json(size.network.rdma)},
            {"infiniband_gbps", api::optional_json(size.network.infiniband_gbps)}}},
          {"price", price},
          {"retired", size.retired}};
}

std::string size_table(std::span<const spec::VmSize> sizes, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(sizes.size());
  for (const auto& each : sizes) {
    const std::string low_priority = each.low_priority ? (*each.low_priority ? "yes" : "no") : "";
    rows.push_back({each.name, fmt::format("{}", each.vcpus), fmt::format("{:g} GiB", each.memory_gib),
                    devices_text(each), network_text(each.network), each.family, low_priority, price_text(each)});
  }
  return text_table({{"NAME"},
                     {"VCPUS", true, false},
                     {"MEMORY", true, false},
                     {"GPUS"},
                     {"NETWORK", false, true},
                     {"FAMILY", false, true},
                     {"LOW-PRIORITY"},
                     {"PRICE"}},
                    rows, terminal);
}

std::vector<std::string> size_names() {
  std::vector<std::string> names;
  for (const auto& each : spec::known_vm_sizes()) names.push_back(each.name);
  return names;
}

std::vector<std::string> size_families() { return spec::known_vm_families(); }

void add_list_sizes_command(const Command& compute) {
  struct Arguments {
    SizeFilter filter;
    OutputOptions output;
  };
  const Command command = compute.add("list-sizes", "List Azure's VM sizes: what a machine of each has",
                                      "lockstep compute list-sizes --type gpu\n"
                                      "lockstep compute list-sizes --name h100\n"
                                      "lockstep compute list-sizes --family standardNCSv3Family -o json");
  auto arguments = std::make_shared<Arguments>();
  command.option("--type", arguments->filter.type, "TYPE", "Only sizes with such devices: cpu (neither), gpu, fpga")
      .one_of({"cpu", "gpu", "fpga"});
  command.option("--family", arguments->filter.family, "FAMILY", "Only sizes of this family, as quotas name it");
  command.option("--name", arguments->filter.part, "PART", "Only sizes with this in their name");
  add_output_options(command, arguments->output);
  command.does([arguments] {
    const auto sizes = chosen_sizes(spec::known_vm_sizes(), arguments->filter);
    Json all = Json::array();
    for (const auto& each : sizes) all.push_back(size_json(each));
    print(all, arguments->output, [&](const Terminal& terminal) { return size_table(sizes, terminal); });
    return 0;
  });
}

}  // namespace lockstep::cli
