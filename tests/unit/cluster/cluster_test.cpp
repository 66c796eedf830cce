#include "launcher/cluster/cluster.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>

#include "common/error.hpp"
#include "launcher/cluster/daemons.hpp"
#include "launcher/cluster/ports.hpp"
#include "launcher/cluster/view.hpp"

namespace lockstep::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(ClusterFolder, RefusesWhatSlurmCanNotWorkIn) {
  EXPECT_THAT([] { ClusterFolder("/no-such/100%"); }, ThrowsMessage<Error>(HasSubstr("slurm.conf takes no such path")));
  EXPECT_THAT([] { ClusterFolder("/no-such/a b"); }, ThrowsMessage<Error>(HasSubstr("slurm.conf takes no such path")));
  EXPECT_THAT([] { ClusterFolder("/" + std::string(60, 'x')); },
              ThrowsMessage<Error>(HasSubstr("61 characters are too many")));
  EXPECT_THAT([] { ClusterFolder("/dev/shm/box"); }, ThrowsMessage<Error>(HasSubstr("/dev/shm of its own")));
  EXPECT_EQ(ClusterFolder("/" + std::string(59, 'x')).root().string().size(), 60U);
}

TEST(ClusterFolder, IsTheSameHoweverItIsWritten) {
  EXPECT_EQ(ClusterFolder("/no-such/x/../box/").root(), "/no-such/box");
}

TEST(ClusterSpec, SaysAllThatIsWrongAtOnce) {
  ClusterSpec spec;
  spec.nodes = 0;
  spec.cloud_nodes = 65;
  spec.licenses = {{"a", 1}, {"a", 2}};
  EXPECT_THAT([&] { check(spec); }, ThrowsMessage<Error>("--nodes 0: it must be 1 to 64\n"
                                                         "--cloud-nodes 65: it must be 0 to 64\n"
                                                         "--license a: it is given twice"));
}

TEST(ClusterSpec, ComesBackFromItsFile) {
  ClusterSpec spec;
  spec.nodes = 2;
  spec.cloud_nodes = 1;
  spec.licenses = {{"matlab", 4}};
  spec.user = "ada";
  spec.first_port = 12345;
  const ClusterSpec back = spec_from_json(to_json(spec)).value_or(ClusterSpec());
  EXPECT_EQ(to_json(back), to_json(spec));
  EXPECT_THAT(back.static_names(), ElementsAre("n1", "n2"));
}

TEST(ClusterSpec, IsNotMadeOfWhatIsNoneOfOurs) {
  for (const char* text : {"", "{", "[]", "{}", "null", R"({"nodes": "two"})", R"({"nodes": -1})"}) {
    EXPECT_FALSE(spec_from_json(text)) << text;
  }
}

TEST(License, IsANameAndACount) {
  EXPECT_EQ(parse_license("matlab:4").count, 4);
  for (const char* text :
       {"", "matlab", "matlab:", "matlab:0", "matlab:-1", ":4", "a,b:4", "matlab:4x", "matlab:9999999999"}) {
    EXPECT_THROW(parse_license(text), Error) << text;
  }
}

TEST(View, ReadsNodes) {
  const auto nodes = parse_nodes(
      "NodeName=n1 Arch=x86_64 CPUTot=4 State=IDLE ThreadsPerCore=1 Reason=State=odd [root@now]\n"
      "NodeName=c1 CPUTot=4 State=IDLE+CLOUD+POWERED_DOWN Owner=N/A\n");
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].name, "n1");
  EXPECT_EQ(nodes[0].state, "idle");
  EXPECT_EQ(nodes[1].state, "idle+cloud+powered_down");
}

TEST(View, ReadsJobsWithAnyName) {
  const auto jobs = parse_jobs("7|RUNNING|main|n[1-2]|None|a|b c\n8_[0-3]|PENDING|low||Resources|wrap\n\n");
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0].name, "a|b c");
  EXPECT_EQ(jobs[0].reason, "");
  EXPECT_EQ(jobs[1].id, "8_[0-3]");
  EXPECT_EQ(jobs[1].nodes, "");
  EXPECT_EQ(jobs[1].reason, "Resources");
}

TEST(Ports, AreFreeAndInARow) {
  const int first = free_ports(8);
  EXPECT_GE(first, 10000);
  for (int port = first; port < first + 8; ++port) EXPECT_FALSE(is_listening(port)) << port;
  const Fd taken(::socket(AF_INET, SOCK_STREAM, 0));
  const int on = 1;  // a connection that lingers there is no hindrance to Slurm, either
  ::setsockopt(taken.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(first));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(taken.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(taken.get(), 1), 0);
  EXPECT_TRUE(is_listening(first));
}

TEST(Environments, OfDaemonsHaveNothingOfAnotherCluster) {
  const ClusterFolder folder("/no-such/box");
  const auto environment = environment_for(
      folder, {{"SLURM_JOB_ID", "7"}, {"SLURMD_NODENAME", "x"}, {"PATH", "/opt:/bin"}, {"HOME", "/root"}});
  EXPECT_EQ(environment, (Environment{{"SLURM_CONF", "/no-such/box/slurm.conf"},
                                      {"PATH", "/opt:/bin:/sbin:/usr/sbin:/usr/bin"},
                                      {"HOME", "/root"}}));
}

TEST(Machine, WithoutSlurmIsToldThePackages) {
  EXPECT_THAT(
      [] {
        check_machine({{"PATH", "/no-such"}});
      },
      ThrowsMessage<Error>(HasSubstr("apt-get install dash hostname mount munge slurm-wlm util-linux")));
  EXPECT_THAT(
      [] {
        check_machine({{"PATH", "/no-such"}}, true);
      },
      ThrowsMessage<Error>(HasSubstr("apt-get install dash hostname mariadb-client-core mariadb-server-core mount "
                                     "munge slurm-wlm slurmdbd util-linux")));
}

// Where one of two clusters that start at once would otherwise fail.
TEST(Ports, AreOthersNextTime) {
  std::set<int> firsts;
  for (int i = 0; i < 20; ++i) firsts.insert(free_ports(2));
  EXPECT_GT(firsts.size(), 15U);
}

class OfNobody : public ::testing::Test {
 protected:
  fs::path root_ = fs::temp_directory_path() / ("ls-cluster-" + std::to_string(::getpid()));
  Tell tell_ = [](const std::string&) {};
  void TearDown() override { fs::remove_all(root_); }
};

TEST_F(OfNobody, AFolderThatIsNotThereIsNoCluster) {
  EXPECT_FALSE(take_down(ClusterFolder(root_), tell_));
  EXPECT_FALSE(look_at(ClusterFolder(root_)));
  EXPECT_FALSE(fs::exists(root_));
}

TEST_F(OfNobody, AFolderOfSomebodyIsLeftAlone) {
  fs::create_directories(root_ / "thesis");
  EXPECT_THAT([&] { take_down(ClusterFolder(root_), tell_); },
              ThrowsMessage<Error>(HasSubstr("is no cluster's folder")));
  EXPECT_TRUE(fs::exists(root_ / "thesis"));
}

TEST_F(OfNobody, WhatARebootLeftIsRemoved) {
  const ClusterFolder folder(root_);
  fs::create_directories(folder.run());
  write_file_atomically(folder.record(), to_json(ClusterSpec()));
  write_file_atomically(folder.process_file("slurmctld"), R"({"pid":1,"start_time":1})");
  const View view = look_at(folder).value_or(View());
  ASSERT_EQ(view.daemons.size(), 4U);
  EXPECT_FALSE(view.daemons[1].is_alive);
  EXPECT_TRUE(take_down(folder, tell_));
  EXPECT_FALSE(fs::exists(root_));
}

TEST_F(OfNobody, NodesThatItDoesNotHaveAreRefused) {
  const ClusterFolder folder(root_);
  EXPECT_THAT([&] { start_nodes(folder, "n1"); }, ThrowsMessage<Error>(HasSubstr("there is no cluster in")));
  fs::create_directories(folder.run());
  write_file_atomically(folder.record(), to_json(ClusterSpec()));
  EXPECT_THAT([&] { start_nodes(folder, "n[1-3]"); }, ThrowsMessage<Error>(HasSubstr("no node 'n3'")));
}

}  // namespace
}  // namespace lockstep::cluster
