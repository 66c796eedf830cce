// The commands by which a compute's machines are made and removed: real ones.
#include "launcher/cluster/machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "launcher/cluster/power.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::cluster {
namespace {

using ::testing::HasSubstr;

class Machines : public ::testing::Test {
 protected:
  Machines() {
    fs::create_directories(folder_.workers());
    owner_.compute = "vms";
    owner_.prefix = "vms-";
    owner_.size = "Standard_DS3_v2";
    owner_.provider.tries = 2;
    owner_.provider.timeout_s = 30;
  }

  std::string create(const std::string& command) {
    owner_.provider.create = command;
    return Machine(folder_, owner_, "vms-1").create();
  }
  std::string remove(const std::string& command) {
    owner_.provider.remove = command;
    return Machine(folder_, owner_, "vms-1").remove();
  }
  std::string path(const char* name) const { return (room_ / name).string(); }
  std::string log() const { return read_file_if_exists(folder_.node_log("vms-1")).value_or(""); }
  bool may_be_there() const { return fs::exists(folder_.made_file("vms-1")); }

  lockstep::testing::TemporaryFolder room_;
  autoscale::SlurmFolder folder_{room_.path()};
  autoscale::ScaledNodes owner_;
};

TEST_F(Machines, AreMadeByACommandThatKnowsWhich) {
  EXPECT_EQ(create("echo $LOCKSTEP_NODE of $LOCKSTEP_COMPUTE, a $LOCKSTEP_TIER $LOCKSTEP_SIZE"), "");
  EXPECT_THAT(log(), HasSubstr("vms-1 of vms, a dedicated Standard_DS3_v2\n"));
  EXPECT_TRUE(may_be_there());
}

TEST_F(Machines, AreTriedAgain) {
  EXPECT_EQ(create("test -e " + path("second") + " || { touch " + path("second") + "; exit 1; }"), "");
  EXPECT_THAT(log(), HasSubstr("not created (try 1 of 2): exit code 1"));
}

TEST_F(Machines, ThatCanNotBeHadSayWhy) {
  EXPECT_EQ(create("echo asking; echo no capacity >&2; exit 3"), "exit code 3: no capacity");
  EXPECT_TRUE(may_be_there()) << "a part of it may";
}

TEST_F(Machines, ACommandThatHangsIsEnded) {
  owner_.provider.timeout_s = 1;
  EXPECT_THAT(create("sleep 1000"), HasSubstr("took longer than"));
}

TEST_F(Machines, AreRemovedOnlyIfTheyWereMade) {
  EXPECT_EQ(remove("touch " + path("removed")), "");
  EXPECT_FALSE(fs::exists(path("removed")));
  create("true");
  EXPECT_EQ(remove("touch " + path("removed")), "");
  EXPECT_TRUE(fs::exists(path("removed")));
  EXPECT_FALSE(may_be_there());
}

TEST_F(Machines, ThatCanNotBeRemovedStayKnown) {
  create("true");
  EXPECT_EQ(remove("echo locked; exit 1"), "exit code 1: locked");
  EXPECT_TRUE(may_be_there());
}

TEST_F(Machines, AWorkerThatIsEndedMidwayLeavesAMachineThatIsKnownAndRemoved) {
  owner_.provider.create = "touch " + path("begun") + "; exec sleep 1000";
  owner_.provider.remove = "touch " + path("removed");
  write_file_durably(folder_.nodes_file("vms"), to_json(owner_));
  power(folder_, "resume", "vms-1,strange-7");
  ASSERT_TRUE(lockstep::testing::wait_until([&] { return fs::exists(path("begun")); }));
  stop_workers(folder_);
  power(folder_, "suspend", "vms-1");
  EXPECT_TRUE(lockstep::testing::wait_until([&] { return fs::exists(path("removed")) && !may_be_there(); }));
}

TEST_F(Machines, NoVerbIsMadeUp) { EXPECT_THROW(power(folder_, "explode", "vms-1"), Error); }

}  // namespace
}  // namespace lockstep::cluster
