#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cli/completion.hpp"
#include "cli/job_view.hpp"
#include "cli/parser.hpp"
#include "common/error.hpp"

namespace lockstep::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void visit(const CLI::App& command, const std::function<void(const CLI::App&)>& see) {
  see(command);
  for (const CLI::App* each : command.get_subcommands([](const CLI::App*) { return true; })) {
    visit(*each, see);
  }
}

TEST(Parser, GivesEveryCommandADescriptionAndExamples) {
  Actions actions;
  const auto root = make_parser(actions);
  int commands = 0;
  visit(*root, [&](const CLI::App& command) {
    ++commands;
    EXPECT_FALSE(command.get_description().empty()) << command.get_name();
    EXPECT_THAT(command.help(), HasSubstr("Examples:")) << command.get_name();
    EXPECT_THAT(command.help(), HasSubstr("lockstep")) << command.get_name();
    for (const CLI::Option* option : command.get_options()) {
      EXPECT_FALSE(option->get_description().empty()) << command.get_name() << " " << option->get_name();
    }
  });
  EXPECT_GE(commands, 18);
}

TEST(Parser, HasAnActionForEveryCommandWithoutCommandsOfItsOwn) {
  Actions actions;
  const auto root = make_parser(actions);
  visit(*root, [&](const CLI::App& command) {
    const bool leaf = command.get_subcommands([](const CLI::App*) { return true; }).empty();
    EXPECT_EQ(actions.count(&command), leaf ? 1U : 0U) << command.get_name();
  });
}

class Completion : public ::testing::Test {
 protected:
  std::vector<std::string> of(const std::vector<std::string>& words) const {
    return completions(*root_, words,
                       {[] {
                          return std::vector<std::string>{"brave_otter_1", "calm_fox_2"};
                        },
                        [] { return std::vector<std::string>{"mnist"}; },
                        [] {
                          return std::vector<std::string>{"local", "rack"};
                        }});
  }
  Actions actions_;
  std::unique_ptr<CLI::App> root_ = make_parser(actions_);
};

TEST_F(Completion, OffersCommands) {
  EXPECT_THAT(of({"jo"}), ElementsAre("job"));
  EXPECT_THAT(of({"job", "s"}), ElementsAre("show", "stream"));
  EXPECT_THAT(of({"exp"}), ElementsAre("experiment"));
  EXPECT_THAT(of({"__"}), IsEmpty());
}

TEST_F(Completion, OffersRunsWhereARunIsNamed) {
  EXPECT_THAT(of({"job", "show", ""}), ElementsAre("brave_otter_1", "calm_fox_2"));
  EXPECT_THAT(of({"job", "stream", "-n", "br"}), ElementsAre("brave_otter_1"));
  EXPECT_THAT(of({"job", "download", "--name", "c"}), ElementsAre("calm_fox_2"));
  EXPECT_THAT(of({"job", "list", "--parent-job-name", "c"}), ElementsAre("calm_fox_2"));
  EXPECT_THAT(of({"compute", "preempt", "c"}), ElementsAre("calm_fox_2"));
  EXPECT_THAT(of({"tensorboard", ""}), ElementsAre("brave_otter_1", "calm_fox_2"));
  EXPECT_THAT(of({"tensorboard", "brave_otter_1", "c"}), ElementsAre("calm_fox_2"));
}

TEST_F(Completion, OffersExperimentsWhereOneIsNamed) {
  EXPECT_THAT(of({"experiment", "show", ""}), ElementsAre("mnist"));
  EXPECT_THAT(of({"job", "list", "--experiment-name", ""}), ElementsAre("mnist"));
  EXPECT_THAT(of({"tensorboard", "--experiment", ""}), ElementsAre("mnist"));
}

TEST_F(Completion, OffersComputesWhereOneIsNamed) {
  EXPECT_THAT(of({"compute", "show", ""}), ElementsAre("local", "rack"));
  EXPECT_THAT(of({"compute", "update", "-n", "r"}), ElementsAre("rack"));
  EXPECT_THAT(of({"compute", "detach", "r"}), ElementsAre("rack"));
  EXPECT_THAT(of({"compute", "create", "--name", ""}), IsEmpty());
}

TEST_F(Completion, OffersOptionsAndTheirValues) {
  EXPECT_THAT(of({"job", "download", "--d"}), ElementsAre("--download-path"));
  EXPECT_THAT(of({"job", "list", "-o", "t"}), ElementsAre("table", "tsv"));
  EXPECT_THAT(of({"run", "--output", ""}), ElementsAre("text", "json", "yaml"));
  EXPECT_THAT(of({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(of({"compute", "list-sizes", "--type", ""}), ElementsAre("cpu", "gpu", "fpga"));
  EXPECT_THAT(of({"compute", "create", "--type", "c"}), ElementsAre("computeinstance"));
  EXPECT_THAT(of({"compute", "create", "--size", "Standard_HC44r"}), ElementsAre("Standard_HC44rs"));
  EXPECT_THAT(of({"compute", "update", "rack", "--tier", ""}), ElementsAre("dedicated", "low_priority"));
  EXPECT_THAT(of({"compute", "list-sizes", "--family", "standardNDSv"}), ElementsAre("standardNDSv2Family"));
  EXPECT_THAT(of({"compute", "list-usage", "--by", "r"}), ElementsAre("run"));
  EXPECT_THAT(of({"compute", "list-sizes", "--name", "Standard_HC44r"}), ElementsAre("Standard_HC44rs"));
}

TEST_F(Completion, OffersFamiliesWhereAQuotaIsNamed) {
  for (const char* verb : {"set", "show", "delete"}) {
    EXPECT_THAT(of({"quota", verb, "standardNDSv"}), ElementsAre("standardNDSv2Family")) << verb;
  }
  EXPECT_THAT(of({"quota", "set", "--tier", "l"}), ElementsAre("low_priority"));
}

TEST_F(Completion, LeavesFilesAndNewNamesToTheShell) {
  EXPECT_THAT(of({"run", ""}), IsEmpty());
  EXPECT_THAT(of({"run", "--name", ""}), IsEmpty());
  EXPECT_THAT(of({"job", "create", "-f", ""}), IsEmpty());
}

history::Run failed_run() {
  history::Run run;
  run.run_id = "brave_otter_1";
  run.experiment_name = "mnist";
  run.experiment_id = "1";
  run.display_name = "brave_otter";
  run.user_id = "ada";
  run.compute = "local";
  run.state = history::RunState::failed;
  run.outcome = {"rank 1 exited with 3", 3, std::nullopt, 1};
  run.created_ms = 1'764'000'000'000;
  run.started_ms = 1'764'000'001'000;
  run.ended_ms = 1'764'000'003'500;
  return run;
}

TEST(JobView, HasTheKeysOfAzureMlAndOurs) {
  const Json job = job_json(failed_run(), Workspace("/w/.lockstep"));
  EXPECT_EQ(job, Json::parse(R"({
    "name": "brave_otter_1", "display_name": "brave_otter", "experiment_name": "mnist", "experiment_id": "1",
    "type": "command", "status": "Failed", "reason": "rank 1 exited with 3", "exit_code": 3, "signal": null, "first_failed_rank": 1,
    "compute": "local", "creation_context": {"created_at": "2025-11-24T16:00:00.000Z", "created_by": "ada"},
    "start_time": "2025-11-24T16:00:01.000Z", "end_time": "2025-11-24T16:00:03.500Z", "parent_job_name": null,
    "duration_ms": 2500, "supervised": true, "archived": false, "run_folder": "/w/.lockstep/runs/brave_otter_1"})"));
}

TEST(JobView, WritesNumbersThatJsonLacksAsTheJournalDoes) {
  EXPECT_EQ(number_json(std::nan("")), "NaN");
  EXPECT_EQ(number_json(-HUGE_VAL), "-Infinity");
  EXPECT_EQ(number_json(0.25), 0.25);
}

TEST(JobView, TellsDurationsAndAges) {
  EXPECT_EQ(duration_ms(failed_run(), 0), 2500);
  EXPECT_EQ(age_text(59'000), "just now");
  EXPECT_EQ(age_text(5 * 60'000), "5 min ago");
  EXPECT_EQ(age_text(47 * 3'600'000LL), "47 h ago");
  EXPECT_EQ(age_text(72 * 3'600'000LL), "3 d ago");
}

TEST(JobView, ListsARunInOneLine) {
  const std::string table = job_table({failed_run()}, 1'764'000'003'500 + 120'000, Terminal{.width = 80});
  EXPECT_THAT(table, HasSubstr("brave_otter_1  mnist       Failed  2 min ago     2.5 s  rank 1 exited with 3\n"));
}

}  // namespace
}  // namespace lockstep::cli
