#include <gmock/gmock.h>

#include "tests/unit/api/job_rig.hpp"

namespace lockstep::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Jobs : public JobRig {
 protected:
  static std::vector<std::string> names_of(const nlohmann::json& jobs) {
    std::vector<std::string> names;
    for (const auto& each : jobs["jobs"]) names.push_back(each["name"]);
    return names;
  }
  // As its supervisor does it.
  void end(const std::string& name, history::RunState state) {
    const std::int64_t epoch = store().take_ownership(name);
    for (const auto each :
         {history::RunState::preparing, history::RunState::running, history::RunState::finalizing, state}) {
      store().transition(name, epoch, each);
    }
  }
};

TEST_F(Jobs, AreListedNewestFirstInPagesAndByWhatIsAskedFor) {
  make_job("child", "job");
  make_job("last");
  EXPECT_THAT(names_of(v1("jobs")), ElementsAre("last", "child", "job"));
  const auto page = v1("jobs", {{"max_results", "2"}});
  EXPECT_THAT(names_of(page), ElementsAre("last", "child"));
  EXPECT_THAT(names_of(v1("jobs", {{"max_results", "2"}, {"page_token", page["next_page_token"]}})),
              ElementsAre("job"));
  EXPECT_THAT(names_of(v1("jobs", {{"parent_job_name", "job"}})), ElementsAre("child"));
  EXPECT_THAT(names_of(v1("jobs/job/children")), ElementsAre("child"));
  EXPECT_THAT(names_of(v1("jobs", {{"experiment_name", "Default"}, {"max_results", "1"}})), ElementsAre("last"));
  end("last", history::RunState::completed);
  EXPECT_THAT(names_of(v1("jobs", {{"active", "true"}})), ElementsAre("child", "job"));
  EXPECT_THAT(mistake("jobs", {{"active", "yes"}}), HasSubstr("true or false"));
  EXPECT_THAT(mistake("jobs", {{"max_results", "0"}}), HasSubstr("1 to 1000"));
  EXPECT_THAT(mistake("jobs", {{"experiment_name", "none"}}), HasSubstr("none"));
}

TEST_F(Jobs, TellAllOfThemselves) {
  store().log_batch("job", std::vector<history::Metric>{{"loss", 0.5, 7, 3}, {"nan", std::nan(""), 7, 3}},
                    std::vector<history::KeyValue>{{"lr", "0.1"}}, std::vector<history::KeyValue>{{"note", "n"}});
  write_file_atomically(folder().output("weights.bin"), "123");
  write_file_atomically(folder().job_file(), "command: ls\n");
  write_file_atomically(folder().plan_file(), R"({"ranks": [{}, {}, {}]})");
  const auto job = v1("jobs/job");
  EXPECT_EQ(job["status"], "NotStarted");
  EXPECT_EQ(job["metrics"], (nlohmann::json{{"loss", 0.5}, {"nan", "NaN"}}));
  EXPECT_EQ(job["metrics_total"], 2);
  EXPECT_EQ(job["params"], (nlohmann::json{{"lr", "0.1"}}));
  EXPECT_EQ(job["tags"]["note"], "n");
  EXPECT_EQ(job["ranks"], 3);
  EXPECT_EQ(job["supervised"], true);
  EXPECT_EQ(job["artifacts"], (nlohmann::json{{{"path", "weights.bin"}, {"is_dir", false}, {"file_size", 3}}}));
  EXPECT_EQ(get("/api/v1/jobs/job/job-file").reply.body, "command: ls\n");
  EXPECT_EQ(v1("jobs/job/artifacts")["files"], job["artifacts"]);
  EXPECT_EQ(get("/api/v1/jobs/job/artifacts/weights.bin").reply.file, folder().output("weights.bin"));
}

TEST_F(Jobs, HaveEmptyListsWhereThereIsNothing) {
  EXPECT_EQ(v1("jobs/job/artifacts")["files"], nlohmann::json::array());
  EXPECT_EQ(v1("jobs/job/logs")["logs"], nlohmann::json::array());
  EXPECT_EQ(v1("jobs/job/metrics")["metrics"], nlohmann::json::array());
  EXPECT_THAT(mistake("jobs/job/job-file"), HasSubstr("not started from a job file"));
}

TEST_F(Jobs, AreCanceledOnce) {
  const std::int64_t epoch = store().take_ownership("job");
  store().transition("job", epoch, history::RunState::preparing);
  const FileLock owner = FileLock::take(folder().owner_lock());  // its supervisor lives
  const auto answer = post("/api/v1/jobs/job/cancel", {{"reason", "no longer wanted"}});
  EXPECT_EQ(answer.json, (nlohmann::json{{"asked", true}, {"status", "CancelRequested"}}));
  EXPECT_EQ(store().state_history("job").back().reason, "no longer wanted");
  EXPECT_EQ(post("/api/v1/jobs/job/cancel", nlohmann::json::object()).json["asked"], false);
  EXPECT_THAT(post("/api/v1/jobs/job/cancel", {{"raeson", ""}}).message(), HasSubstr("did you mean 'reason'"));
  EXPECT_THAT(post("/api/v1/jobs/job/cancel", {{"reason", 7}}).message(), HasSubstr("string"));
  EXPECT_EQ(post("/api/v1/jobs/none/cancel", nlohmann::json::object()).status, 404);
}

TEST_F(Jobs, AreCountedByExperiment) {
  store().create_experiment("Newer", "", {});
  end("job", history::RunState::failed);
  make_job("second");
  const auto found = v1("experiments", {{"contains", "DEF"}});
  ASSERT_EQ(found["total"], 1);
  EXPECT_EQ(found["experiments"][0]["runs"], 2);
  EXPECT_EQ(found["experiments"][0]["active_runs"], 1);
  EXPECT_EQ(v1("experiments", {{"max_results", "1"}})["experiments"].size(), 1);
  EXPECT_EQ(v1("experiments")["total"], 2);
  EXPECT_EQ(v1("workspace")["active_jobs"], 1);
  EXPECT_EQ(v1("compute")["compute"][0]["nodes"][0]["jobs"], nlohmann::json({"second"}));
}

}  // namespace
}  // namespace lockstep::api
