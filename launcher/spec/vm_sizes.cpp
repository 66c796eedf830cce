#include "launcher/spec/vm_sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "common/embedded.hpp"
#include "common/error.hpp"
#include "common/nearest.hpp"
#include "launcher/spec/keys.hpp"
#include "launcher/spec/mistakes.hpp"
#include "launcher/spec/quoted.hpp"
#include "launcher/spec/scalar.hpp"
#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

std::span<const EmbeddedFile> vm_sizes_file();  // launcher/spec/CMakeLists.txt makes it

namespace {

std::string_view check_date(std::string_view text) {
  constexpr std::string_view expected = "a day as in 2024-01-31";
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return expected;
  const auto number = [&](std::size_t at, std::size_t length) {
    return static_cast<unsigned>(integer_of(text.substr(at, length)).value_or(0));
  };
  using namespace std::chrono;
  return (year(static_cast<int>(number(0, 4))) / month(number(5, 2)) / day(number(8, 2))).ok() ? "" : expected;
}

std::optional<VmSize::Devices> read_devices(Keys& keys, const std::string& key) {
  VmSize::Devices devices;
  const bool there = keys.mapping(key, [&](Keys& inner) {
    inner.required("count", devices.count);
    inner.required("type", devices.type);
    inner.required("memory_gib", devices.memory_gib);
  });
  return there ? std::optional(devices) : std::nullopt;
}

void read_network(Keys& keys, VmSize::Network& network) {
  keys.optional("gbps", network.gbps);
  keys.optional("rdma", network.rdma);
  keys.optional("infiniband_gbps", network.infiniband_gbps);
}

void read_price(Keys& keys, VmSize::Price& price) {
  keys.required("usd_per_hour", price.usd_per_hour);
  keys.required("region", price.region);
  keys.required("date", price.date, check_date);
}

VmSize read_size(const YamlNode& node, Mistakes& mistakes) {
  VmSize size;
  VmSize::Price price;
  Keys keys(node, "", mistakes);
  keys.required("name", size.name);
  keys.required("family", size.family);
  keys.required("vcpus", size.vcpus);
  keys.required("memory_gib", size.memory_gib);
  size.gpus = read_devices(keys, "gpus");
  size.fpgas = read_devices(keys, "fpgas");
  keys.mapping("network", [&](Keys& inner) { read_network(inner, size.network); });
  keys.optional("low_priority", size.low_priority);
  if (keys.mapping("price", [&](Keys& inner) { read_price(inner, price); })) size.price = price;
  keys.optional("retired", size.retired);
  keys.refuse_others();
  return size;
}

std::vector<VmSize> read_rows(const YamlNode& root, Mistakes& mistakes) {
  std::vector<VmSize> sizes;
  std::map<std::string, int> lines;  // of each name, in lower case
  for (const YamlNode& row : root.items) {
    if (!row.is_mapping()) {
      mistakes.add(row.mark, fmt::format("a size must be a mapping, not {}", kind_in_words(row)));
      continue;
    }
    sizes.push_back(read_size(row, mistakes));
    const std::string& name = sizes.back().name;
    if (name.empty()) continue;
    const Mark& mark = row.find("name")->mark;
    const auto [first, is_new] = lines.emplace(lower_case(name), mark.line);
    if (!is_new) mistakes.add(mark, fmt::format("{} is there already, in line {}", in_quotes(name), first->second));
  }
  return sizes;
}

}  // namespace

std::vector<VmSize> read_vm_sizes(std::string_view text, const std::string& file_name) {
  Mistakes mistakes(file_name);
  std::vector<VmSize> sizes;
  try {
    const YamlNode root = parse_yaml(text);
    if (!root.is_list()) mistakes.add(root.mark, "a table of VM sizes is a list with a mapping for each size");
    sizes = read_rows(root, mistakes);
  } catch (const YamlError& e) {
    mistakes.add(e.mark(), e.what());
  }
  mistakes.throw_if_any();
  return sizes;
}

const std::vector<VmSize>& known_vm_sizes() {
  static const std::vector<VmSize> sizes = read_vm_sizes(vm_sizes_file().front().bytes, "configs/vm_sizes.yml");
  return sizes;
}

const VmSize* find_vm_size(std::string_view name) {
  const auto& sizes = known_vm_sizes();
  const auto found = std::find_if(sizes.begin(), sizes.end(),
                                  [&](const VmSize& each) { return equal_ignoring_case(each.name, name); });
  return found == sizes.end() ? nullptr : &*found;
}

std::vector<std::string> families_of(std::span<const VmSize> sizes) {
  std::vector<std::string> families;
  for (const auto& each : sizes) {
    if (std::find(families.begin(), families.end(), each.family) == families.end()) families.push_back(each.family);
  }
  return families;
}

const std::vector<std::string>& known_vm_families() {
  static const std::vector<std::string> families = families_of(known_vm_sizes());
  return families;
}

std::string vm_family_named(std::string_view name) {
  const auto& families = known_vm_families();
  const auto found = std::find_if(families.begin(), families.end(),
                                  [&](const std::string& each) { return equal_ignoring_case(each, name); });
  if (found == families.end())
    throw bad_input("no VM size is of the family '{}'{}", name, did_you_mean(name, families));
  return *found;
}

}  // namespace lockstep::spec
