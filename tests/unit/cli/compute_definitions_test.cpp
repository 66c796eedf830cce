// `lockstep compute create` to `detach`, in a workspace of the test's own.
#include "cli/compute_definitions.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/application.hpp"
#include "cli/compute_view.hpp"
#include "cli/confirm.hpp"
#include "common/error.hpp"
#include "common/file.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Answer {
  int exit_code = 0;
  std::string out;
  std::string err;
};

class ComputeCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("LOCKSTEP_WORKSPACE", (folder / ".lockstep").c_str(), 1);
    ::setenv("LOCKSTEP_SLOTS", "8", 1);
  }
  void TearDown() override {
    ::unsetenv("LOCKSTEP_WORKSPACE");
    ::unsetenv("LOCKSTEP_SLOTS");
  }
  static Answer compute(const std::vector<std::string>& words) {
    std::vector<const char*> arguments = {"lockstep", "compute"};
    for (const std::string& each : words) arguments.push_back(each.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Answer answer;
    answer.exit_code = run_application(static_cast<int>(arguments.size()), arguments.data());
    answer.out = ::testing::internal::GetCapturedStdout();
    answer.err = ::testing::internal::GetCapturedStderr();
    return answer;
  }
  std::string file(const std::string& text) const {
    testing::write_text(folder / "c.yml", text);
    return folder / "c.yml";
  }
  static Json shown(const std::string& name) { return Json::parse(compute({"show", name, "-o", "json"}).out); }

  testing::TemporaryFolder folder;
};

TEST_F(ComputeCommands, CreateFromAFile) {
  const Answer made = compute({"create", "-f", file("{name: rack, engine: {type: hosts, hosts: 'n[1-3]'}}")});
  EXPECT_EQ(made.exit_code, 0);
  EXPECT_EQ(made.out, "rack\n");
  EXPECT_EQ(made.err, "");
  EXPECT_EQ(shown("rack")["max_instances"], 3);
}

TEST_F(ComputeCommands, CreateFromOptions) {
  const Answer made = compute({"create", "-n", "rack", "--hosts", "n[1-2],head", "--size", "standard_ds3_v2",
                               "--min-instances", "1", "--max-instances", "2", "--tier", "LowPriority", "--description",
                               "[draft] rack", "--set", "engine.ssh.user=ada", "tags.room=12"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(shown("rack"), Json::parse(R"({
    "name": "rack", "type": "amlcompute", "description": "[draft] rack", "tags": {"room": "12"}, "location": null,
    "size": "Standard_DS3_v2", "tier": "low_priority", "min_instances": 1, "max_instances": 2,
    "idle_time_before_scale_down": 120, "provisioning_state": "Succeeded", "recorded": [],
    "engine": {"type": "hosts",
      "hosts": [{"name": "n1", "address": "n1", "slots": null}, {"name": "n2", "address": "n2", "slots": null},
                {"name": "head", "address": "head", "slots": null}],
      "ssh": {"user": "ada", "port": null, "identity_file": null, "config_file": null,
              "strict_host_key_checking": null},
      "shared_files": false, "scratch": "/var/tmp/lockstep-ada", "node_preparation": null,
      "node_preparation_timeout": 1800, "network_check": true}})"));
}

TEST_F(ComputeCommands, CreateSaysWhatIsOnlyRecorded) {
  const Answer made = compute(
      {"create", "-f", file("{name: c1, enable_node_public_ip: false, ssh_settings: {admin_password: geheim}}")});
  EXPECT_EQ(made.err,
            "note: enable_node_public_ip, ssh_settings: recorded, without effect here\n"
            "note: c1 is recorded; no job can run there until it has an engine: docs/compute.md\n");
  const Answer quiet = compute({"create", "-n", "c2", "-o", "json", "--query", "name"});
  EXPECT_EQ(quiet.out, "\"c2\"\n");
  EXPECT_EQ(quiet.err, "");
  EXPECT_EQ(shown("c1")["engine"], nullptr);
  EXPECT_THAT(read_file(folder / ".lockstep/compute/c1.yml"), HasSubstr("********"));
}

TEST_F(ComputeCommands, CreateMakesNothingOfMistakes) {
  const Answer mistakes =
      compute({"create", "-n", "a_b", "--max-instances", "none", "--hosts", "-x", "--set", "tier=cheap"});
  EXPECT_EQ(mistakes.exit_code, 2);
  EXPECT_THAT(mistakes.err, HasSubstr("--name: name must be 2 to 32 letters"));
  EXPECT_THAT(mistakes.err, HasSubstr("--max-instances: max_instances must be a whole number from 1 to 1000000, not "
                                      "'none'\n"));
  EXPECT_THAT(mistakes.err, HasSubstr("--hosts: engine.hosts must be a host's name or address"));
  EXPECT_THAT(mistakes.err, HasSubstr("--set:1:6: tier must be dedicated or low_priority, not 'cheap'\n"));
  EXPECT_THAT(mistakes.err, HasSubstr("4 mistakes; nothing was created\n"));
  EXPECT_FALSE(fs::exists(folder / ".lockstep"));
  EXPECT_EQ(compute({"create", "--size", "Standard_NC6"}).exit_code, 2);
  EXPECT_EQ(compute({"create", "-f", folder / "none.yml"}).exit_code, 3);
}

TEST_F(ComputeCommands, CreateDoesNotReplace) {
  compute({"create", "-n", "c1"});
  const Answer again = compute({"create", "-f", file("name: c2"), "-n", "c1"});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_EQ(again.err, "lockstep: there is a compute 'c1' already; to change it: lockstep compute update -n c1\n");
}

TEST_F(ComputeCommands, UpdateChangesValues) {
  compute({"create", "-n", "rack", "--hosts", "n[1-4]"});
  EXPECT_EQ(compute({"update", "rack", "--max-instances", "2", "--set", "engine.ssh.port=2222", "tags.a=b"}).exit_code,
            0);
  EXPECT_EQ(compute({"update", "-n", "rack", "--idle-time-before-scale-down", "30"}).exit_code, 0);
  const Json rack = shown("rack");
  EXPECT_EQ(rack["max_instances"], 2);
  EXPECT_EQ(rack["engine"]["ssh"]["port"], 2222);
  EXPECT_EQ(rack["engine"]["hosts"].size(), 4U);
  EXPECT_EQ(rack["idle_time_before_scale_down"], 30);
  EXPECT_EQ(compute({"update", "rack", "--min-instances", "3"}).exit_code, 2);
  EXPECT_EQ(shown("rack"), rack);
}

TEST_F(ComputeCommands, UpdateReplacesByAFile) {
  compute({"create", "-n", "rack", "--hosts", "n[1-4]"});
  EXPECT_EQ(compute({"update", "-f", file("name: rack")}).exit_code, 0);
  EXPECT_EQ(shown("rack")["engine"], nullptr);
  EXPECT_EQ(compute({"update", "-f", file("name: other"), "-n", "rack", "--max-instances", "7"}).exit_code, 0);
  EXPECT_EQ(shown("rack")["max_instances"], 7);
}

TEST_F(ComputeCommands, UpdateNeedsACompute) {
  compute({"create", "-n", "rack"});
  const Answer none = compute({"update", "rakc", "--max-instances", "2"});
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_EQ(none.err, "lockstep: there is no compute 'rakc'; did you mean 'rack'?\n");
  EXPECT_EQ(compute({"update", "-f", file("name: other")}).exit_code, 3);
  EXPECT_EQ(compute({"update", "rack"}).exit_code, 2);
  EXPECT_EQ(compute({"update", "--max-instances", "2"}).exit_code, 2);
}

TEST_F(ComputeCommands, AttachTakesVirtualMachinesAlone) {
  EXPECT_EQ(compute({"attach", "-n", "box", "--hosts", "box.example.org"}).exit_code, 0);
  EXPECT_EQ(shown("box")["type"], "virtualmachine");
  EXPECT_FALSE(shown("box").contains("tier"));
  const Answer cluster = compute({"attach", "-f", file("name: rack")});
  EXPECT_EQ(cluster.exit_code, 2);
  EXPECT_EQ(cluster.err, "lockstep: only a virtualmachine is attached; for amlcompute: lockstep compute create\n");
  EXPECT_EQ(compute({"detach", "box", "--yes"}).exit_code, 0);
  EXPECT_EQ(compute({"show", "box"}).exit_code, 3);
}

TEST_F(ComputeCommands, ListHasThisMachineFirst) {
  EXPECT_EQ(compute({"list", "--query", "[].name", "-o", "tsv"}).out, "local\n");
  EXPECT_FALSE(fs::exists(folder / ".lockstep"));
  compute({"create", "-n", "rack", "--hosts", "n[1-3]", "--description", "three"});
  compute(
      {"create", "-n", "cpu-cluster", "--size", "Standard_DS3_v2", "--tier", "low_priority", "--max-instances", "4"});
  compute({"attach", "-n", "box", "--hosts", "box"});
  EXPECT_EQ("\n" + compute({"list"}).out, R"(
NAME         TYPE            SIZE             TIER          INSTANCES  ENGINE                 DESCRIPTION
-----------  --------------  ---------------  ------------  ---------  ---------------------  -----------
local        local                                                     this machine, 8 slots
box          virtualmachine                                            1 host
cpu-cluster  amlcompute      Standard_DS3_v2  low_priority        0-4  none
rack         amlcompute                       dedicated           0-3  3 hosts                three
)");
  EXPECT_THAT(compute_names(), ElementsAre("local", "box", "cpu-cluster", "rack"));
}

TEST_F(ComputeCommands, ShowKnowsThisMachine) {
  EXPECT_EQ(shown("local"),
            Json::parse(R"({"name": "local", "type": "local", "slots": 8, "provisioning_state": "Succeeded"})"));
  EXPECT_THAT(compute({"show", "local"}).out, HasSubstr("slots"));
}

TEST_F(ComputeCommands, DeleteAsksSomebodyOrIsTold) {
  compute({"create", "-n", "rack"});
  const int before = ::dup(STDIN_FILENO);
  const Fd nobody = open_file("/dev/null", O_RDONLY);
  ::dup2(nobody.get(), STDIN_FILENO);
  const Answer refused = compute({"delete", "rack"});
  ::dup2(before, STDIN_FILENO);
  ::close(before);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("say --yes"));
  EXPECT_EQ(compute({"delete", "rack", "--yes"}).exit_code, 0);
  EXPECT_EQ(compute({"delete", "rack", "--yes"}).exit_code, 3);
  EXPECT_EQ(compute({"delete", "local", "--yes"}).exit_code, 2);
}

TEST_F(ComputeCommands, DeleteTakesADamagedDefinition) {
  testing::write_text(folder / ".lockstep/compute/c1.yml", "nonsense");
  EXPECT_EQ(compute({"list"}).exit_code, 2);
  EXPECT_EQ(compute({"delete", "c1", "-y"}).exit_code, 0);
  EXPECT_EQ(compute({"list"}).exit_code, 0);
}

TEST(Confirmed, TakesYesForYes) {
  const Fd keyboard(::posix_openpt(O_RDWR | O_NOCTTY));
  ASSERT_TRUE(keyboard && ::grantpt(keyboard.get()) == 0 && ::unlockpt(keyboard.get()) == 0);
  const Fd terminal = open_file(::ptsname(keyboard.get()), O_RDWR | O_NOCTTY);
  ::testing::internal::CaptureStderr();
  const auto answer = [&](std::string_view typed) {
    write_all(keyboard.get(), typed);
    return confirmed("Sure?", terminal.get());
  };
  EXPECT_TRUE(answer("y\n"));
  EXPECT_TRUE(answer("YES\n"));
  EXPECT_FALSE(answer("\n"));
  EXPECT_FALSE(answer("no\n"));
  EXPECT_FALSE(answer("\x04"));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("Sure? [y/N] "));
  EXPECT_THROW(confirmed("Sure?", open_file("/dev/null", O_RDONLY).get()), Error);
}

}  // namespace
}  // namespace lockstep::cli
