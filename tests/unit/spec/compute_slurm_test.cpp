// Computes in Slurm clusters: those that are there, and those whose nodes come and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/spec/compute_reading.hpp"

namespace lockstep::spec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ReadCompute, ReadsASlurmCluster) {
  const ReadCompute gpus = definition_of(R"(name: gpus
engine: {type: slurm, config_file: slurm.conf, partition: gpu, account: vision, options: [--gres=gpu:4], shared_files: false}
)");
  const SlurmEngine slurm = gpus.compute.slurm.value_or(SlurmEngine{});
  EXPECT_EQ(slurm.config_file, "/files/slurm.conf");
  EXPECT_EQ(slurm.partition, "gpu");
  EXPECT_THAT(slurm.options, ElementsAre("--gres=gpu:4"));
  EXPECT_FALSE(slurm.shared_files);
  EXPECT_FALSE(gpus.compute.hosts);
  EXPECT_THAT(mistakes_in("{name: c1, engine: {type: slurm, partition: a b, options: [gres], hosts: [a]}}").size(), 3U);
}

TEST(ReadCompute, TakesALicenseThatCountsTheCoresOfItsSize) {
  const auto licensed = definition_of("{name: c1, size: Standard_DS3_v2, engine: {type: slurm, license: ds_cores@db}}");
  EXPECT_EQ(licensed.compute.slurm.value_or(SlurmEngine{}).license, "ds_cores@db");
  EXPECT_THAT(mistakes_in("{name: c1, engine: {type: slurm, license: ds}}"),
              ElementsAre("c.yml:1:43: engine.license counts the cores of the compute's size: say `size`, too"));
  EXPECT_THAT(mistakes_in("{name: c1, size: Standard_DS3_v2, engine: {type: slurm, license: 'ds:8'}}"),
              ElementsAre("c.yml:1:66: engine.license must be the name of a license of Slurm's, without a count, not "
                          "'ds:8'"));
  EXPECT_THAT(mistakes_in("{name: c1, size: Standard_DS3_v2, engine: {type: slurm, license: ds, options: "
                          "[--licenses=x:1]}}"),
              ElementsAre("c.yml:1:57: engine.options has --licenses, too: say one of them"));
}

TEST(ReadComputeFile, ReadsTheProjectsAmlCompute) {
  const Compute compute = read_compute_file(fs::path(LOCKSTEP_SOURCE_DIR) / "configs/compute/amlcompute.yml").compute;
  const SlurmEngine slurm = compute.slurm.value_or(SlurmEngine());
  EXPECT_TRUE(slurm.provider.value_or(NodeProvider()).is_local);
  EXPECT_EQ(slurm.partition, "cpu-cluster") << "its own";
}

TEST(ReadCompute, TakesAProviderOfNodes) {
  const auto read = [](const std::string& engine) {
    return read_compute("{name: c1, size: Standard_DS3_v2, engine: {type: slurm, " + engine + "}}", "c.yml", "/files")
        .compute.slurm.value_or(SlurmEngine());
  };
  const NodeProvider provider =
      read("provider: {type: command, create: make it, delete: end it, tries: 5}").provider.value_or(NodeProvider());
  EXPECT_EQ(provider.create, "make it");
  EXPECT_EQ(provider.remove, "end it");
  EXPECT_EQ(provider.tries, 5);
  EXPECT_EQ(provider.timeout_s, 600);
  EXPECT_EQ(read("nodes_of: other").partition, "c1");
  EXPECT_FALSE(read("partition: main").scales());
}

TEST(ReadCompute, RefusesAProviderThatCanNotWork) {
  const auto in_engine = [](const std::string& engine) {
    return mistakes_in("{name: c1, engine: {type: slurm, " + engine + "}}");
  };
  EXPECT_THAT(in_engine("provider: {type: aws}"), ElementsAre(HasSubstr("must be local or command, not 'aws'")));
  EXPECT_THAT(in_engine("provider: {type: local, create: x}"), ElementsAre(HasSubstr("unknown key 'create'")));
  EXPECT_THAT(in_engine("provider: {type: command, create: x, delete: y}"), ElementsAre(HasSubstr("need a 'size'")));
  EXPECT_THAT(in_engine("provider: {type: local}, nodes_of: c2"), ElementsAre(HasSubstr("not both")));
  EXPECT_THAT(in_engine("provider: {type: local}, partition: p"), ElementsAre(HasSubstr("leave engine.partition out")));
  EXPECT_THAT(in_engine("nodes_of: c1"), ElementsAre(HasSubstr("name another compute")));
  EXPECT_THAT(mistakes_in("{name: c1, type: virtualmachine, engine: {type: slurm, provider: {type: local}}}"),
              ElementsAre(HasSubstr("only an amlcompute has nodes that come and go")));
}

}  // namespace
}  // namespace lockstep::spec
