#include "launcher/hosts/preflight.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "launcher/hosts/ssh.hpp"
#include "launcher/hosts/usual_speed.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::hosts {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const spec::Host host{.name = "node-1", .address = "10.0.0.1"};

node::Probe well() {
  node::Probe probe;
  probe.host = "n1";
  probe.cores = 8;
  probe.memory_bytes = std::int64_t{64} << 30;
  probe.memory_free_bytes = std::int64_t{32} << 30;
  probe.disk_free_bytes = std::int64_t{100} << 30;
  probe.time_ms = 1'000'000;
  probe.open_mpi = "4.1.4";
  probe.speed = 100;
  return probe;
}

TEST(Preflight, AHostThatIsWellHasNoProblem) {
  Needs needs;
  needs.open_mpi = "4.1.2";
  needs.usual_speed = {{"10.0.0.1", 199}};
  EXPECT_THAT(problems_of(host, well(), needs, 1'000'000 + 29'000), IsEmpty());
}

TEST(Preflight, EachProblemNamesTheHostAndTheRemedy) {
  const auto problem = [](const std::function<void(node::Probe&, Needs&)>& change) {
    node::Probe probe = well();
    Needs needs;
    change(probe, needs);
    const auto all = problems_of(host, probe, needs, 1'000'000);
    return all.size() == 1 && all[0].starts_with("node-1: ") ? all[0] : fmt::format("{} problems", all.size());
  };
  EXPECT_THAT(problem([](auto& probe, auto&) { probe.open_mpi = ""; }), HasSubstr("install Open MPI 4.1 there"));
  EXPECT_THAT(problem([](auto& probe, auto& needs) {
                probe.open_mpi = "5.0.1";
                needs.open_mpi = "4.1.4";
              }),
              HasSubstr("Open MPI 5.0.1 is there, 4.1.4 is here"));
  EXPECT_THAT(problem([](auto& probe, auto&) { probe.disk_free_bytes = 1 << 29; }), HasSubstr("0.5 GiB free"));
  EXPECT_THAT(problem([](auto& probe, auto&) { probe.memory_free_bytes = 1 << 27; }), HasSubstr("0.12 GiB free"));
  EXPECT_THAT(problem([](auto& probe, auto&) { probe.time_ms += 120'000; }), HasSubstr("2 min 00 s ahead of ours"));
  EXPECT_THAT(problem([](auto& probe, auto&) { probe.time_ms -= 120'000; }), HasSubstr("behind ours"));
  EXPECT_THAT(problem([](auto& probe, auto& needs) {
                probe.gpus = 3;
                needs.gpus = 4;
              }),
              HasSubstr("3 GPUs, and a machine of the compute's size has 4"));
  EXPECT_THAT(problem([](auto&, auto& needs) { needs.usual_speed = {{"10.0.0.1", 250}}; }), HasSubstr("does 40 %"));
  EXPECT_THAT(problem([](auto& probe, auto& needs) {
                probe.seen = "of another file";
                needs.file_to_see = "/ws/compute/.seen-1";
                needs.text_to_see = "1";
              }),
              HasSubstr("does not see /ws/compute"));
}

TEST(Preflight, TheUsualSpeedIsTheMedianOfTheLastLooksAndOneSlowDayDoesNotChangeIt) {
  const lockstep::testing::TemporaryFolder folder;
  const Workspace workspace(folder / "ws");
  fs::create_directories(workspace.computes());
  for (const double speed : {100.0, 102.0}) learn_speeds(workspace, "lab", {{"a", speed}, {"b", 7}});
  EXPECT_THAT(usual_speeds(workspace, "lab"), IsEmpty()) << "two looks are no habit";
  learn_speeds(workspace, "lab", {{"a", 20}});
  EXPECT_THAT(usual_speeds(workspace, "lab"), ElementsAre(std::pair<const std::string, double>("a", 100)));
  for (int look = 0; look < 40; ++look) learn_speeds(workspace, "lab", {{"a", 50}});
  EXPECT_EQ(usual_speeds(workspace, "lab").at("a"), 50) << "a slower machine in its place is usual after a while";
}

TEST(Ssh, IsToldOfEachHostAndLeavesTheRestToThePersonsOwnFile) {
  spec::HostsEngine engine;
  engine.hosts = {host, {.name = "b", .address = "b"}};
  engine.ssh.user = "ada";
  engine.ssh.port = 2222;
  engine.ssh.identity_file = "/home/ada/my key";
  const std::string text = ssh_config_text(engine);
  EXPECT_THAT(text, HasSubstr("Host node-1\n  HostName 10.0.0.1\nHost 10.0.0.1 node-1 b\n  User ada\n  Port 2222\n"
                              "  IdentityFile \"/home/ada/my key\"\n  BatchMode yes\n"));
  EXPECT_THAT(text, ::testing::EndsWith("Host *\n  Include ~/.ssh/config\n  Include /etc/ssh/ssh_config\n"));
  EXPECT_THROW((void)ssh_config_file(engine, "/a folder"), Error);
}

TEST(Ssh, WordsArriveAsTheyAre) {
  EXPECT_THAT(ssh_argv("/c", "b", {"sh", "-c", "echo \"$1\"", "sh", "it's"}, {"-R", "1:h:2"}),
              ElementsAre("ssh", "-F", "/c", "-R", "1:h:2", "b", R"(sh -c 'echo "$1"' sh 'it'\''s')"));
}

TEST(Ssh, TroubleIsToldWithWhatToDo) {
  const auto told = [](const std::string& errors) { return ssh_trouble(host, {255, false, "", errors}); };
  EXPECT_THAT(told("ssh: Could not resolve hostname b: Name or service not known\r\n"), HasSubstr("give its address"));
  EXPECT_THAT(told("x\nroot@b: Permission denied (publickey).\n"),
              ::testing::AllOf(HasSubstr("node-1: it does not take our key"), HasSubstr("(root@b: Permission denied")));
  EXPECT_THAT(told("Host key verification failed."), HasSubstr("accept-new"));
  EXPECT_EQ(told("what?"), "node-1: ssh to it failed: what?");
}

TEST(RunTogether, GivesEachItsResultAndEndsThoseThatTakeTooLong) {
  const auto never = [] { return false; };
  const lockstep::testing::TemporaryFolder folder;
  write_file_atomically(folder / "in", "input");
  const auto results = run_together({{{"sh", "-c", "echo out; echo err >&2; exit 3"}}, {{"cat"}, folder / "in"}},
                                    std::chrono::seconds(60), never);
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].exit_code, 3);
  EXPECT_EQ(results[0].output, "out\n");
  EXPECT_EQ(results[0].errors, "err\n");
  EXPECT_EQ(results[1].output, "input");
  const auto late =
      run_together({{{"sh", "-c", "sleep 1000 | cat"}}, {{"echo", "quick"}}}, std::chrono::seconds(1), never);
  EXPECT_TRUE(late[0].timed_out);
  EXPECT_EQ(late[0].exit_code, 137);
  EXPECT_EQ(late[1].output, "quick\n");
  EXPECT_THROW((void)run_together({{{"sleep", "1000"}}}, std::chrono::seconds(60), [] { return true; }), Error);
}

}  // namespace
}  // namespace lockstep::hosts
