// The project's table of VM sizes against Microsoft's pages, and what the reader refuses.
#include "launcher/spec/vm_sizes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "common/error.hpp"
#include "common/file.hpp"
#include "launcher/spec/scalar.hpp"

namespace lockstep::spec {
namespace {

using ::testing::ElementsAre;
using Devices = VmSize::Devices;

std::vector<std::string> mistakes_of(std::string_view text) {
  try {
    read_vm_sizes(text, "sizes.yml");
  } catch (const InputErrors& e) {
    std::vector<std::string> texts;
    for (const Diagnostic& each : e.all()) texts.push_back(each.text());
    return texts;
  }
  return {"was accepted"};
}

TEST(VmSizes, TheProgramHasTheProjectsTable) {
  const fs::path file = fs::path(LOCKSTEP_SOURCE_DIR) / "configs/vm_sizes.yml";
  EXPECT_EQ(known_vm_sizes(), read_vm_sizes(read_file(file), file.string()));
  EXPECT_EQ(&known_vm_sizes(), &known_vm_sizes());
}

TEST(VmSizes, TheTableHasEachSizeOnce) {
  EXPECT_GE(known_vm_sizes().size(), 200U);
  std::set<std::string> names;
  for (const VmSize& each : known_vm_sizes()) {
    EXPECT_TRUE(names.insert(lower_case(each.name)).second) << each.name;
    EXPECT_TRUE(each.name.starts_with("Standard_")) << each.name;
    EXPECT_TRUE(lower_case(each.family).starts_with("standard") && each.family.ends_with("Family")) << each.family;
    EXPECT_FALSE(each.gpus && each.fpgas) << each.name;
  }
}

// learn.microsoft.com/azure/virtual-machines/sizes: general-purpose/dsv2-series, compute-optimized/fsv2-series,
// memory-optimized/ev3-esv3-series
TEST(VmSizes, CpuSizesAreAsMicrosoftsPagesSay) {
  const VmSize& d3 = *find_vm_size("Standard_DS3_v2");
  EXPECT_EQ(d3.family, "standardDSv2Family");
  EXPECT_EQ(d3.vcpus, 4);
  EXPECT_EQ(d3.memory_gib, 14);
  EXPECT_EQ(d3.network, (VmSize::Network{3, false, std::nullopt}));
  EXPECT_FALSE(d3.gpus || d3.fpgas || d3.price || d3.retired);
  EXPECT_EQ(find_vm_size("Standard_D1_v2")->memory_gib, 3.5);
  EXPECT_EQ(find_vm_size("Standard_F72s_v2")->memory_gib, 144);
  EXPECT_EQ(find_vm_size("Standard_E64s_v3")->memory_gib, 432);
}

// high-performance-compute/hc-series, hbv3-series, hx-series
TEST(VmSizes, HpcSizesAreAsMicrosoftsPagesSay) {
  const VmSize& hc = *find_vm_size("Standard_HC44rs");
  EXPECT_EQ(hc.vcpus, 44);
  EXPECT_EQ(hc.memory_gib, 352);
  EXPECT_EQ(hc.network, (VmSize::Network{40, true, 100}));
  const VmSize& part = *find_vm_size("Standard_HB120-16rs_v3");
  EXPECT_EQ(part.vcpus, 16);
  EXPECT_EQ(part.memory_gib, find_vm_size("Standard_HB120rs_v3")->memory_gib);
  EXPECT_EQ(part.network, (VmSize::Network{40, true, 200}));
  EXPECT_EQ(find_vm_size("Standard_HX176rs")->memory_gib, 1408);
}

// gpu-accelerated/ncv3-series, ndasra100v4-series, ndh100v5-series, nd-h200-v5-series, nvadsa10v5-series;
// fpga-accelerated/np-series
TEST(VmSizes, SizesWithDevicesAreAsMicrosoftsPagesSay) {
  const VmSize& v100 = *find_vm_size("Standard_NC24rs_v3");
  EXPECT_EQ(v100.vcpus, 24);
  EXPECT_EQ(v100.memory_gib, 448);
  EXPECT_EQ(v100.gpus, (Devices{4, "V100", 16}));
  EXPECT_EQ(v100.network, (VmSize::Network{std::nullopt, true, std::nullopt}));
  EXPECT_TRUE(v100.retired);
  const VmSize& a100 = *find_vm_size("Standard_ND96asr_v4");
  EXPECT_EQ(a100.memory_gib, 900);
  EXPECT_EQ(a100.gpus, (Devices{8, "A100", 40}));
  EXPECT_EQ(a100.network, (VmSize::Network{24, true, 1600}));
  EXPECT_EQ(find_vm_size("Standard_ND96isr_H100_v5")->gpus, (Devices{8, "H100", 80}));
  EXPECT_EQ(find_vm_size("Standard_ND96isr_H200_v5")->gpus, (Devices{8, "H200", 141}));
  EXPECT_EQ(find_vm_size("Standard_NV6ads_A10_v5")->gpus, (Devices{1, "A10", 4}));
  EXPECT_EQ(find_vm_size("Standard_NP20s")->fpgas, (Devices{2, "U250", 64}));
}

TEST(VmSizes, FamiliesAgreeWithNames) {
  const std::pair<const char*, const char*> families[] = {
      {"Standard_D\\d+_v2", "standardDv2Family"},
      {"Standard_DS\\d+_v2", "standardDSv2Family"},
      {"Standard_D\\d+s_v3", "standardDSv3Family"},
      {"Standard_E\\d+ds_v5", "standardEDSv5Family"},
      {"Standard_F\\d+s_v2", "standardFSv2Family"},
      {"Standard_HB120(-\\d+)?rs_v2", "standardHBrsv2Family"},
      {"Standard_HB120(-\\d+)?rs_v3", "standardHBv3Family"},
      {"Standard_NC\\d+r?", "standardNCFamily"},
      {"Standard_NC\\d+r?s_v2", "standardNCSv2Family"},
      {"Standard_NC\\d+r?s_v3", "standardNCSv3Family"},
      {"Standard_NC\\d+ads_A100_v4", "StandardNCADSA100v4Family"},
      {"Standard_ND\\d+r?s", "standardNDSFamily"},
      {"Standard_NP\\d+s", "standardNPSFamily"},
  };
  for (const auto& [name, family] : families) {
    int count = 0;
    for (const VmSize& each : known_vm_sizes()) {
      const bool has_name = std::regex_match(each.name, std::regex(name));
      EXPECT_EQ(has_name, each.family == family) << each.name << " is of " << each.family;
      if (has_name) ++count;
    }
    EXPECT_GE(count, 3) << name;
  }
}

TEST(VmSizes, OfTheSameFamilyHaveTheSameDevice) {
  std::map<std::string, std::set<std::string>> types;
  for (const VmSize& each : known_vm_sizes())
    types[each.family].insert(each.gpus ? each.gpus->type : each.fpgas ? each.fpgas->type : "none");
  for (const auto& [family, of_family] : types) EXPECT_EQ(of_family.size(), 1U) << family;
}

TEST(VmSizes, AreFoundInUpperAndLowerCase) {
  ASSERT_NE(find_vm_size("STANDARD_NC6"), nullptr);
  EXPECT_EQ(find_vm_size("STANDARD_NC6"), find_vm_size("standard_nc6"));
  EXPECT_EQ(find_vm_size("STANDARD_NC6")->name, "Standard_NC6");
  EXPECT_EQ(find_vm_size("NC6"), nullptr);
  EXPECT_EQ(find_vm_size(""), nullptr);
}

TEST(VmSizes, ReadsEveryKey) {
  const auto sizes = read_vm_sizes(R"(
- {name: A, family: f, vcpus: 8, memory_gib: 3.5, gpus: {count: 2, type: T4, memory_gib: 16},
   network: {gbps: 0.5, rdma: true, infiniband_gbps: 56}, low_priority: false, retired: true,
   price: {usd_per_hour: 0.9, region: westus2, date: 2024-02-29}}
- {name: B, family: f, vcpus: 1, memory_gib: 2, fpgas: {count: 1, type: U250, memory_gib: 64}}
)",
                                   "sizes.yml");
  VmSize a{"A", "f", 8, 3.5, Devices{2, "T4", 16}, std::nullopt, {0.5, true, 56}, false, std::nullopt, true};
  a.price = {0.9, "westus2", "2024-02-29"};
  VmSize b{"B", "f", 1, 2, std::nullopt, Devices{1, "U250", 64}, {}, std::nullopt, std::nullopt, false};
  EXPECT_THAT(sizes, ElementsAre(a, b));
}

TEST(VmSizes, RefusesATableWithAllItsMistakes) {
  EXPECT_THAT(
      mistakes_of(R"(- {name: A, family: f, vcpu: 8, memory_gib: 3.5}
- {name: B, family: '', vcpus: -1, memory_gib: lots}
- {name: a, family: f, vcpus: 8.5, memory_gib: -2, low_priority: maybe}
- just a name
- {name: C, family: [f], vcpus: 8, memory_gib: 0, gpus: 4}
- {name: D, family: f, vcpus: 0, memory_gib: inf, gpus: {count: -4, type: T4}, network: {gpbs: 1}}
- {name: E, family: f, vcpus: 8, memory_gib: 1, price: {usd_per_hour: 1e9, region: r, date: 2023-02-29, eur: 1}}
)"),
      ElementsAre("sizes.yml:1:3: missing key 'vcpus'", "sizes.yml:1:24: unknown key 'vcpu'; did you mean 'vcpus'?",
                  "sizes.yml:2:21: family must be one line of 1 to 255 bytes, not ''",
                  "sizes.yml:2:32: vcpus must be a whole number from 1 to 1000000, not '-1'",
                  "sizes.yml:2:48: memory_gib must be a number above 0, at most 1000000, not 'lots'",
                  "sizes.yml:3:10: 'a' is there already, in line 1",
                  "sizes.yml:3:31: vcpus must be a whole number from 1 to 1000000, not '8.5'",
                  "sizes.yml:3:48: memory_gib must be a number above 0, at most 1000000, not '-2'",
                  "sizes.yml:3:66: low_priority must be true or false, not 'maybe'",
                  "sizes.yml:4:3: a size must be a mapping, not text",
                  "sizes.yml:5:21: family must be one line of 1 to 255 bytes, not a list",
                  "sizes.yml:5:48: memory_gib must be a number above 0, at most 1000000, not '0'",
                  "sizes.yml:5:57: gpus must be a mapping, not '4'",
                  "sizes.yml:6:31: vcpus must be a whole number from 1 to 1000000, not '0'",
                  "sizes.yml:6:46: memory_gib must be a number above 0, at most 1000000, not 'inf'",
                  "sizes.yml:6:57: missing key 'memory_gib' in gpus",
                  "sizes.yml:6:65: gpus.count must be a whole number from 1 to 1000000, not '-4'",
                  "sizes.yml:6:90: unknown key 'gpbs' in network; did you mean 'gbps'?",
                  "sizes.yml:7:71: price.usd_per_hour must be a number above 0, at most 1000000, not '1e9'",
                  "sizes.yml:7:93: price.date must be a day as in 2024-01-31, not '2023-02-29'",
                  "sizes.yml:7:105: unknown key 'eur' in price; known keys: usd_per_hour, region, date"));
}

TEST(VmSizes, RefusesWhatIsNoTable) {
  EXPECT_THAT(mistakes_of("{name: A}"),
              ElementsAre("sizes.yml:1:1: a table of VM sizes is a list with a mapping for each size"));
  EXPECT_EQ(mistakes_of("").size(), 1U);
  EXPECT_THAT(mistakes_of("- {name: A, name: B}"), ElementsAre(::testing::StartsWith("sizes.yml:1:13: ")));
  EXPECT_EQ(mistakes_of(std::string(2 << 20, '#')).size(), 1U);
}

}  // namespace
}  // namespace lockstep::spec
