#include "launcher/machine/system_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/temporary_folder.hpp"

namespace lockstep::machine {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::DoubleNear;
using ::testing::Ge;
using ::testing::Key;
using ::testing::Le;
using ::testing::Not;

// Files as the kernel writes them.
class MachineOfFiles : public ::testing::Test {
 protected:
  MachineOfFiles() {
    fs::create_directories(proc_ / "net");
    write("stat", "cpu  100 10 50 800 40 0 0 0 7 0\ncpu0 100 10 50 800 40 0 0 0 7 0\nintr 12 0 0\n");
    write("meminfo", "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    4000000 kB\n");
    write("net/dev", net_dev(1'000'000, 500'000));
  }
  void write(const std::string& name, const std::string& text) { write_file_atomically(proc_ / name, text); }
  static std::string net_dev(long received, long sent) {
    return "Inter-|   Receive                                                |  Transmit\n"
           " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
           "carrier compressed\n"
           "    lo: 100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0\n"
           "  eth0:" +
           std::to_string(received) + " 9 0 0 0 0 0 0 " + std::to_string(sent) + " 8 0 0 0 0 0 0\n";
  }
  static std::map<std::string, double> by_name(const std::vector<history::Metric>& sample) {
    std::map<std::string, double> values;
    for (const auto& each : sample) values[each.key] = each.value;
    return values;
  }

  lockstep::testing::TemporaryFolder folder_;
  fs::path proc_ = folder_ / "proc";
};

TEST_F(MachineOfFiles, IsReadAsTheKernelWritesIt) {
  SystemMetrics machine(folder_.path(), proc_);
  write("stat", "cpu  160 10 70 900 60 0 0 0 7 0\n");  // 200 ticks more, 80 of them neither idle nor waiting
  write("net/dev", net_dev(4'000'000, 700'000));
  const auto values = by_name(machine.sample(5));
  EXPECT_DOUBLE_EQ(values.at("system/cpu_utilization_percentage"), 40);
  EXPECT_DOUBLE_EQ(values.at("system/system_memory_usage_percentage"), 75);
  EXPECT_DOUBLE_EQ(values.at("system/system_memory_usage_megabytes"), 12e6 * 1024 / 1e6);
  EXPECT_DOUBLE_EQ(values.at("system/network_receive_megabytes"), 3);
  EXPECT_DOUBLE_EQ(values.at("system/network_transmit_megabytes"), 0.2);
}

TEST_F(MachineOfFiles, IsSampledWithTimeAndStep) {
  SystemMetrics machine(folder_.path(), proc_);
  machine.sample(1000);
  for (const auto& each : machine.sample(2000)) {
    EXPECT_EQ(each.timestamp_ms, 2000) << each.key;
    EXPECT_EQ(each.step, 1) << each.key;
  }
}

TEST_F(MachineOfFiles, LeavesOutWhatItCannotRead) {
  for (const char* name : {"stat", "meminfo", "net/dev"}) {
    fs::remove(proc_ / name);
    SystemMetrics missing(folder_.path(), proc_);
    EXPECT_GT(missing.sample(1).size(), 0U);
    write(name, "cpu  1 2\nMemTotal: x\neth0: 1 2\n");
    SystemMetrics cut(folder_.path(), proc_);
    EXPECT_GT(cut.sample(1).size(), 0U);
  }
  const auto values = by_name(SystemMetrics(folder_.path(), proc_).sample(1));
  EXPECT_THAT(values, Not(Contains(Key("system/cpu_utilization_percentage"))));
  EXPECT_THAT(values, Not(Contains(Key("system/network_receive_megabytes"))));
  EXPECT_THAT(values, Contains(Key("system/disk_usage_percentage")));
}

TEST(Machine, ThatThisIsHasSensibleValues) {
  SystemMetrics machine("/");
  std::map<std::string, double> values;
  for (const auto& each : machine.sample(1)) values[each.key] = each.value;
  for (const char* name : {"cpu_utilization", "system_memory_usage", "disk_usage"}) {
    const double percentage = values.at(std::string("system/") + name + "_percentage");
    EXPECT_THAT(percentage, AllOf(Ge(0), Le(100))) << name;
  }
  const fs::space_info disk = fs::space("/");
  EXPECT_THAT(values.at("system/disk_available_megabytes"),
              DoubleNear(static_cast<double>(disk.available) / 1e6, 1000));  // others write meanwhile
}

TEST(Gpus, TellOfThemselvesThroughNvml) {  // a stand-in: no machine of ours has a GPU
  Nvml nvml(NVML_STAND_IN);
  const auto gpus = nvml.read();
  ASSERT_EQ(gpus.size(), 2U);
  EXPECT_EQ(gpus[0].utilization_percentage, 97);
  EXPECT_EQ(gpus[1].utilization_percentage, 3);
  EXPECT_EQ(gpus[0].memory_used_bytes, 20e9);
  EXPECT_EQ(gpus[0].memory_bytes, 80e9);
  EXPECT_EQ(gpus[0].power_watts, 350);
  EXPECT_EQ(gpus[0].power_limit_watts, 700);
  EXPECT_EQ(gpus[0].temperature_celsius, 61);
  EXPECT_FALSE(gpus[1].power_watts);
}

TEST(Gpus, AreNoneWithoutADriver) {
  EXPECT_EQ(Nvml("libthere-is-no-such.so.1").read().size(), 0U);
  EXPECT_EQ(Nvml("libm.so.6").read().size(), 0U);  // a library, but not that one
}

TEST(Sampling, IsEveryTenSecondsUnlessTheJobSaysOtherwise) {
  EXPECT_EQ(sampling_interval_ms({}), 10'000);
  EXPECT_EQ(sampling_interval_ms({{"MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "3"}}), 3000);
  EXPECT_EQ(sampling_interval_ms({{"MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.5"}}), 500) << "as MLflow reads it";
  for (const char* odd : {"0", "-1", "often", "", "nan", "1e300"})
    EXPECT_EQ(sampling_interval_ms({{"MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", odd}}), 10'000) << odd;
  for (const char* either : {"true", "false"})
    EXPECT_FALSE(sampling_interval_ms({{"MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", either}}));
}

}  // namespace
}  // namespace lockstep::machine
