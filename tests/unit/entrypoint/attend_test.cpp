// `lockstep-entrypoint --sink` and `--prepare` as processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <map>

#include "history/sink/journal.hpp"
#include "launcher/entrypoint/entrypoint.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::entrypoint {
namespace {

using lockstep::testing::ScriptedReply;
using lockstep::testing::ScriptedRequest;
using lockstep::testing::ScriptedServer;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pair;

class Attended : public ::testing::Test {
 protected:
  Attended() {
    environment_ = current_environment();
    drop_rank_environment(environment_);
    for (const char* name : {"MLFLOW_TRACKING_URI", "LOCKSTEP_RUN_DIR", "LOCKSTEP_METADATA_SERVICE"}) {
      environment_.erase(name);
    }
    environment_["TMPDIR"] = temporary_.path().string();
    environment_["OMPI_ALLOW_RUN_AS_ROOT"] = environment_["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  }

  ProgramResult run(std::vector<std::string> options, const std::string& script, std::vector<std::string> before = {}) {
    before.emplace_back(BECOME_RANK);
    before.insert(before.end(), options.begin(), options.end());
    before.insert(before.end(), {"--", "bash", "-c", script});
    return run_program({.argv = before, .environment = environment_, .working_folder = temporary_.path()});
  }
  ProgramResult run_on_ranks(int ranks, std::vector<std::string> options, const std::string& script) {
    return run(std::move(options), script,
               {"mpirun", "--oversubscribe", "--bind-to", "none", "-np", std::to_string(ranks)});
  }

  // The tags of rank 0's journal, the later of two as a run would have it.
  std::map<std::string, std::string> tags() const {
    std::map<std::string, std::string> all;
    history::JournalReader reader(sink_ / "rank-0" / "rank-0.jsonl");
    for (const auto& entry : reader.read_new()) {
      for (const auto& [key, value] : entry.tags) all[key] = value;
    }
    return all;
  }

  lockstep::testing::TemporaryFolder temporary_;
  fs::path sink_ = temporary_ / "sink";
  Environment environment_;
};

TEST_F(Attended, HasItsOutputInTheLogAndPassedOn) {
  const auto result = run({"--sink", sink_.string()}, "echo out; echo err >&2; exit 7");
  EXPECT_EQ(result.exit_code(), 7);
  EXPECT_EQ(read_file(sink_ / "rank-0.log"), "out\nerr\n");
  EXPECT_EQ(result.output, "out\nerr\n");
}

TEST_F(Attended, TellsHowItEndedAndItsLastLines) {
  run({"--sink", sink_.string()}, "seq 1 30; printf 'no end'; exit 3");
  EXPECT_THAT(tags(), Contains(Pair("lockstep.rank_0.exit_code", "3")));
  EXPECT_THAT(tags(), Contains(Pair("lockstep.rank_0.last_lines", ::testing::StartsWith("12\n13\n"))));
  EXPECT_THAT(tags(), Contains(Pair("lockstep.rank_0.last_lines", EndsWith("30\nno end"))));
}

TEST_F(Attended, TellsTheSignalThatEndedIt) {
  const auto result = run({"--sink", sink_.string()}, "kill -9 $$");
  EXPECT_TRUE(WIFSIGNALED(result.status));
  EXPECT_THAT(tags(), Contains(Pair("lockstep.rank_0.signal", "9")));
}

TEST_F(Attended, SamplesTheMachine) {
  environment_["MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"] = "0.1";
  const std::string journal = (sink_ / "rank-0" / "rank-0.jsonl").string();
  run({"--sink", sink_.string()}, fmt::format("until grep -q cpu_utilization {}; do sleep 0.05; done", journal));
  EXPECT_THAT(read_file(journal), HasSubstr("\"system/cpu_utilization_percentage\""));
}

TEST_F(Attended, IsPreparedOnceANode) {
  const auto result = run_on_ranks(4, {"--prepare", "sleep 0.2; echo prepared | tee -a done"}, "wc -l < done");
  EXPECT_EQ(result.exit_code(), 0) << result.output;
  EXPECT_EQ(result.output, "1\n1\n1\n1\n") << "each starts after it";
}

TEST_F(Attended, IsPreparedOnEachNodeOfTheRun) {
  const RunFolder folder(temporary_ / "kind_owl");
  folder.create();
  environment_["LOCKSTEP_RUN_ID"] = folder.run_id();
  environment_["LOCKSTEP_RUN_DIR"] = folder.root().string();
  const auto result = run_on_ranks(4, {"--procs-per-node", "2", "--prepare", "echo on $NODE_RANK"}, "true");
  EXPECT_EQ(result.exit_code(), 0) << result.output;
  EXPECT_EQ(read_file(folder.prepare_log(0)), "on 0\n");
  EXPECT_EQ(read_file(folder.prepare_log(1)), "on 1\n");
}

TEST_F(Attended, DoesNotStartWhereThePreparationFails) {
  const auto result = run_on_ranks(2, {"--prepare", "echo no space; exit 5"}, "touch started");
  EXPECT_NE(result.exit_code(), 0);
  EXPECT_THAT(result.output, HasSubstr("the preparation of this node failed with exit code 5; see "));
  EXPECT_FALSE(fs::exists(temporary_ / "started"));
}

// The stand-in says that the machine will be preempted once the program is ready for it.
TEST_F(Attended, IsAskedToSaveWhenAzureTakesTheMachineAway) {
  const RunFolder folder(temporary_ / "kind_owl");
  folder.create();
  environment_["LOCKSTEP_RUN_ID"] = folder.run_id();
  environment_["LOCKSTEP_RUN_DIR"] = folder.root().string();
  ScriptedServer server([&](const ScriptedRequest& request) {
    if (request.path.starts_with("/metadata/instance")) return ScriptedReply{.body = "pool_1"};
    const bool ready = fs::exists(folder.stoppable_file(0));
    const char* event = R"({"EventId":"A","EventType":"Preempt","Resources":["pool_1"],"NotBefore":"soon"})";
    return ScriptedReply{.body = fmt::format(R"({{"Events":[{}]}})", ready ? event : "")};
  });
  environment_["LOCKSTEP_METADATA_SERVICE"] = fmt::format("127.0.0.1:{}", server.port());
  const std::string stoppable = folder.stoppable_file(0).string();
  // As lockstep-train registers itself: atomically, with pid and start time.
  const auto result = run({"--sink", sink_.string()},
                          fmt::format("trap 'echo saved; exit 0' USR1; "
                                      "printf '{{\"pid\":%d,\"start_time\":%d}}' $$ $(cut -d' ' -f22 /proc/$$/stat) "
                                      "> {0}.part; mv {0}.part {0}; while :; do sleep 0.05; done",
                                      stoppable));
  EXPECT_EQ(result.exit_code(), 0);
  EXPECT_EQ(read_file(sink_ / "rank-0.log"), "saved\n");
  EXPECT_THAT(tags(),
              Contains(Pair("lockstep.rank_0.notice",
                            "Azure will Preempt this machine, not before soon: the program was asked to save")));
}

// The notice is there from the start; the program says only after it was told of that it can save.
TEST_F(Attended, IsAskedToSaveAsSoonAsItCan) {
  ScriptedServer server([](const ScriptedRequest& request) {
    if (request.path.starts_with("/metadata/instance")) return ScriptedReply{.body = "pool_1"};
    return ScriptedReply{.body = R"({"Events":[{"EventId":"A","EventType":"Reboot","Resources":["pool_1"]}]})"};
  });
  environment_["LOCKSTEP_METADATA_SERVICE"] = fmt::format("127.0.0.1:{}", server.port());
  const std::string journal = (sink_ / "rank-0" / "rank-0.jsonl").string();
  const auto result =
      run({"--sink", sink_.string()},
          fmt::format("until grep -q 'does not say yet' {}; do sleep 0.05; done; trap 'echo saved; exit 0' USR1; "
                      "f=$LOCKSTEP_STOPPABLE_FILE; "
                      "printf '{{\"pid\":%d,\"start_time\":%d}}' $$ $(cut -d' ' -f22 /proc/$$/stat) > $f.part; "
                      "mv $f.part $f; while :; do sleep 0.05; done",
                      journal));
  EXPECT_EQ(result.exit_code(), 0);
  EXPECT_EQ(read_file(sink_ / "rank-0.log"), "saved\n");
  EXPECT_THAT(tags(), Contains(Pair("lockstep.rank_0.notice",
                                    "Azure will Reboot this machine: the program was asked to save")));
}

}  // namespace
}  // namespace lockstep::entrypoint
