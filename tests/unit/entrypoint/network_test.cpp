#include "launcher/entrypoint/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::entrypoint {
namespace {

using lockstep::testing::TemporaryFolder;
using lockstep::testing::write_text;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

// A node as the kernel shows it.
class FakeRoot : public TemporaryFolder {
 public:
  void add(const std::string& file, const std::string& text) const {
    fs::create_directories((path() / file).parent_path());
    write_text(path() / file, text);
  }
  void add_port(const std::string& adapter, const std::string& layer, const std::string& state) const {
    add("sys/class/infiniband/" + adapter + "/ports/1/link_layer", layer + "\n");
    add("sys/class/infiniband/" + adapter + "/ports/1/state", state + "\n");
  }
};

// As Linux 6.1 prints it on a machine with two networks.
constexpr const char* routes =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth1\t00000000\t0101A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0\n"
    "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";

std::map<std::string, std::string> settings(const Node& node, const Environment& environment = {},
                                            const fs::path& root = "/nowhere") {
  std::map<std::string, std::string> all;
  for (const Setting& each : settings_for(node, network_table(), environment, root)) {
    EXPECT_FALSE(each.why.empty()) << each.name;
    all[each.name] = each.value;
  }
  return all;
}

TEST(LookAtNode, SeesWhatTheKernelTells) {
  const FakeRoot root;
  root.add("proc/net/route", routes);
  root.add("dev/nvidia0", "");
  root.add_port("mlx5_0", "Ethernet", "4: ACTIVE");
  root.add_port("mlx5_1", "InfiniBand", "1: DOWN");
  const Node node = look_at_node({{"LOCKSTEP_VM_SIZE", "Standard_NC24rs_v3"}}, true, root.path());
  EXPECT_EQ(node.interface, "eth0") << "the default route of the least metric";
  EXPECT_EQ(node.vm_size, "Standard_NC24rs_v3");
  EXPECT_TRUE(node.has_gpus);
  EXPECT_FALSE(node.has_infiniband) << "RoCE is none, nor is a port that is down";
  root.add_port("mlx5_1", "InfiniBand", "4: ACTIVE");
  EXPECT_TRUE(look_at_node({}, true, root.path()).has_infiniband);
}

TEST(LookAtNode, TakesAMachineOfWhichNothingIsKnown) {
  const FakeRoot root;
  const Node node = look_at_node({}, false, root.path());
  EXPECT_EQ(node.interface, "");
  EXPECT_FALSE(node.has_gpus || node.has_infiniband || node.has_peers);
}

TEST(NetworkSettings, AreNoneForALoneMachineWithoutGpus) {
  EXPECT_THAT(settings({.vm_size = "", .interface = "eth0"}), IsEmpty());
}

TEST(NetworkSettings, NameTheInterfaceWhereThereAreSeveralMachines) {
  const auto set = settings({.vm_size = "", .interface = "eth0", .has_gpus = true, .has_peers = true});
  EXPECT_THAT(set, Contains(Pair("NCCL_SOCKET_IFNAME", "=eth0")));
  EXPECT_THAT(set, Contains(Pair("GLOO_SOCKET_IFNAME", "eth0")));
  EXPECT_THAT(set, Contains(Pair("NCCL_IB_DISABLE", "1")));
  EXPECT_THAT(settings({.vm_size = "", .interface = "", .has_peers = true}), Not(Contains(Key("NCCL_SOCKET_IFNAME"))));
}

TEST(NetworkSettings, FitTheSizeOfTheMachine) {
  const FakeRoot root;
  root.add("opt/microsoft/ndv5-topo.xml", "<system/>");
  const Node node{"standard_nd96isr_h100_V5", "eth0", true, true, true};
  const auto set = settings(node, {}, root.path());
  EXPECT_THAT(set, Contains(Pair("NCCL_TOPO_FILE", "/opt/microsoft/ndv5-topo.xml")));
  EXPECT_THAT(set, Contains(Pair("NCCL_IB_PCI_RELAXED_ORDERING", "1")));
  EXPECT_THAT(set, Contains(Pair("UCX_NET_DEVICES", "eth0")));
  EXPECT_THAT(set, Not(Contains(Key("NCCL_IB_DISABLE"))));
  EXPECT_THAT(settings(node), Not(Contains(Key("NCCL_TOPO_FILE")))) << "the file is not there";
}

TEST(NetworkSettings, LeaveAloneWhatIsSet) {
  const Node node{"", "eth0", false, true, true};
  EXPECT_THAT(settings(node, {{"NCCL_IB_DISABLE", "0"}}), Not(Contains(Key("NCCL_IB_DISABLE"))));
}

TEST(NetworkSettings, TakeTheLaterOfTwoRows) {
  constexpr const char* table =
      R"([{"when":{},"set":{"A":"1","B":"1"},"why":"x"},{"when":{"gpus":false},"set":{"A":"2"},"why":"y"}])";
  std::vector<std::string> texts;
  for (const Setting& each : settings_for({}, table, {})) texts.push_back(each.name + each.value + each.why);
  EXPECT_THAT(texts, ElementsAre("A2y", "B1x"));
}

TEST(NetworkSettings, RefuseWhatIsNoTable) {
  for (const char* table :
       {"", "[{}]", "[{\"when\":{\"gpus\":1},\"set\":{},\"why\":\"\"}]", "[{\"when\":{},\"set\":1}]"}) {
    EXPECT_THROW(settings_for({}, table, {}), Error) << table;
  }
}

}  // namespace
}  // namespace lockstep::entrypoint
