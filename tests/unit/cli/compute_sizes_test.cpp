// `lockstep compute list-sizes`: which sizes it shows, and how.
#include "cli/compute_sizes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace lockstep::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> chosen(const SizeFilter& filter) {
  std::vector<std::string> names;
  for (const auto& each : chosen_sizes(spec::known_vm_sizes(), filter)) names.push_back(each.name);
  return names;
}

TEST(ListSizes, ShowsAllUnlessAskedForLess) {
  EXPECT_EQ(chosen({}).size(), spec::known_vm_sizes().size());
  EXPECT_EQ(chosen({"cpu", "", ""}).size() + chosen({"gpu", "", ""}).size() + chosen({"fpga", "", ""}).size(),
            chosen({}).size());
}

TEST(ListSizes, ChoosesByTypeFamilyAndPartOfTheName) {
  EXPECT_THAT(chosen({"fpga", "", ""}), ElementsAre("Standard_NP10s", "Standard_NP20s", "Standard_NP40s"));
  EXPECT_THAT(chosen({"", "STANDARDNDSV2FAMILY", ""}), ElementsAre("Standard_ND40rs_v2"));
  EXPECT_THAT(chosen({"gpu", "", "Nc24RS"}), ElementsAre("Standard_NC24rs_v2", "Standard_NC24rs_v3"));
  EXPECT_THAT(chosen({"", "", "standard_hc44r"}), ElementsAre("Standard_HC44rs"));
  EXPECT_THAT(chosen({"cpu", "", "nd"}), IsEmpty());  // though each begins with Standard_
  EXPECT_THAT(chosen({"cpu", "standardNDSv2Family", ""}), IsEmpty());
}

TEST(ListSizes, RefusesAFamilyThatNoSizeHas) {
  try {
    chosen({"", "standardNCSv3Famly", ""});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::bad_input);
    EXPECT_STREQ(e.what(), "no VM size is of the family 'standardNCSv3Famly'; did you mean 'standardNCSv3Family'?");
  }
}

spec::VmSize priced_size() {
  spec::VmSize size = *spec::find_vm_size("Standard_ND40rs_v2");
  size.low_priority = false;
  size.price = {0.5, "westus2", "2024-01-31"};
  return size;
}

TEST(ListSizes, HasNullForWhatIsUnknown) {
  EXPECT_EQ(size_json(*spec::find_vm_size("Standard_M8ms")), Json::parse(R"({
    "name": "Standard_M8ms", "family": "standardMSFamily", "v_cp_us": 8, "gpus": 0, "memory_gb": 218.75,
    "low_priority_capable": null, "gpu": null, "fpgas": 0, "fpga": null,
    "network": {"gbps": null, "rdma": null, "infiniband_gbps": null}, "price": null, "retired": false})"));
  const Json priced = size_json(priced_size());
  EXPECT_EQ(priced["gpu"], Json::parse(R"({"type": "V100", "memory_gib": 32.0})"));
  EXPECT_EQ(priced["network"], Json::parse(R"({"gbps": 24.0, "rdma": true, "infiniband_gbps": 100.0})"));
  EXPECT_EQ(priced["price"], Json::parse(R"({"usd_per_hour": 0.5, "region": "westus2", "date": "2024-01-31"})"));
}

TEST(ListSizes, LeavesACellEmptyForWhatIsUnknown) {
  const std::vector<spec::VmSize> sizes = {priced_size(), *spec::find_vm_size("Standard_NC24rs_v3"),
                                           *spec::find_vm_size("Standard_M8ms")};
  EXPECT_EQ("\n" + size_table(sizes, Terminal{}), R"(
NAME                VCPUS      MEMORY  GPUS            NETWORK                       FAMILY               LOW-PRIORITY  PRICE
------------------  -----  ----------  --------------  ----------------------------  -------------------  ------------  ---------------------------
Standard_ND40rs_v2     40     672 GiB  8x V100 32 GiB  24 Gb/s, InfiniBand 100 Gb/s  standardNDSv2Family  no            $0.5/h, westus2, 2024-01-31
Standard_NC24rs_v3     24     448 GiB  4x V100 16 GiB  RDMA                          standardNCSv3Family  yes           retired
Standard_M8ms           8  218.75 GiB                                                standardMSFamily
)");
}

}  // namespace
}  // namespace lockstep::cli
